"""Every error Glisson raises, in one tree.

    GlissonError
    ├── SlideError               a slide cannot be used
    │   ├── SlideNotFound        (also FileNotFoundError)
    │   ├── UnsupportedSlide     no reader knows the file, or it is not RGB
    │   ├── DamagedSlide         truncated, or too many unreadable regions
    │   ├── MissingPixelSize     no µm/px in the file and none given
    │   └── AbsurdPixelSize      µm/px outside 0.05 to 5, or x and y far apart
    ├── ModelError               a model bundle cannot be used
    │   ├── ModelNotFound        (also FileNotFoundError)
    │   ├── InvalidBundle        missing file, wrong hash, unreadable model.json
    │   ├── UnsafeModel          a pickle or other executable content
    │   ├── WrongClasses         not the three classes of glisson.classes
    │   └── SelfTestFailed       the runtime does not repeat the bundle's own output
    ├── SettingsError            an option or settings file is wrong (also ValueError)
    ├── StorageError             a store does not answer, or refuses (also OSError)
    │   └── NotStored            nothing lies at the address (also FileNotFoundError)
    ├── OutputError              results cannot be written (also OSError)
    ├── ResultError              a file of results cannot be read (also ValueError)
    ├── ClusterError             a Dask cluster is not there, or was lost: worth another try
    ├── OutlineError             outlines that QuPath would not open
    ├── AnnotationError          GeoJSON that cannot be read (also ValueError)
    ├── TrainingError            training cannot start or go on
    ├── StudyError               a statistic cannot be made of these cases (also ValueError)
    └── MissingExtra             an optional dependency is not installed (also ImportError)

Each message says what is wrong, where, and what to do next.
"""

from __future__ import annotations


class GlissonError(Exception):
    """Root of every error raised on purpose."""


class SlideError(GlissonError):
    """A slide cannot be used."""


class SlideNotFound(SlideError, FileNotFoundError):
    """The slide's path does not exist."""


class UnsupportedSlide(SlideError):
    """No reader knows the file, or its pixels are not 8-bit RGB."""


class DamagedSlide(SlideError):
    """The file is truncated, or more of it is unreadable than is allowed."""


class MissingPixelSize(SlideError, ValueError):
    """The file names no pixel size and none was given."""


class AbsurdPixelSize(SlideError, ValueError):
    """The pixel size is outside 0.05 to 5 µm/px, or its axes differ too much."""


class ModelError(GlissonError):
    """A model bundle cannot be used."""


class ModelNotFound(ModelError, FileNotFoundError):
    """No model of that name or path."""


class InvalidBundle(ModelError, ValueError):
    """A bundle's file is missing, has the wrong hash, or does not parse."""


class UnsafeModel(ModelError):
    """A file that would run code when loaded."""


class WrongClasses(ModelError, ValueError):
    """The model does not give the three classes of `glisson.classes`."""


class SelfTestFailed(ModelError):
    """The runtime's output differs from the bundle's expected output."""


class SettingsError(GlissonError, ValueError):
    """An option or a settings file is wrong."""


class StorageError(GlissonError, OSError):
    """A store does not answer, or refuses; or its files do not fit into the cache."""


class NotStored(StorageError, FileNotFoundError):
    """Nothing lies at an address on a store."""


class OutputError(GlissonError, OSError):
    """Results cannot be written where they were asked for."""


class ResultError(GlissonError, ValueError):
    """A file of results is missing, damaged, invalid, or of a newer Glisson."""


class ClusterError(GlissonError):
    """A Dask cluster is not there, or was lost: the same command goes on later."""


class OutlineError(GlissonError):
    """A slide's outlines would not open in QuPath."""


class AnnotationError(GlissonError, ValueError):
    """An annotation file cannot be read."""


class TrainingError(GlissonError):
    """Training cannot start or go on."""


class StudyError(GlissonError, ValueError):
    """A statistic cannot be made of these cases."""


class MissingExtra(GlissonError, ImportError):
    """An optional dependency is needed and not installed."""
