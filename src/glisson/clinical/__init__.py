"""Studies of many biopsies: agreement with observers, stages, the paper's clinical figures.

The import is quick: only a study imports statsmodels and matplotlib.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from glisson.clinical.scales import SCALES, Scale, find_scale
from glisson.clinical.settings import StudySettings
from glisson.errors import MissingExtra

if TYPE_CHECKING:
    from glisson.clinical.run import StudyResult

__all__ = ["SCALES", "Scale", "StudySettings", "find_scale", "require_extra", "study"]

_PACKAGES = ("statsmodels", "matplotlib")


def study(
    cases: str | Path,
    out: str | Path,
    results: str | Path | None = None,
    settings: StudySettings | None = None,
) -> StudyResult:
    """Compare a model's measurements of many biopsies with observers and stages.

    Args:
        cases: cases.csv, one row for each slide, or its folder.
        out: folder to write page, tables, figures and numbers to.
        results: folder of `glisson segment`, or one of its tables of biopsies; None if cases.csv
            has the model's columns.
        settings: scale, names of columns, bootstrap.

    Raises:
        SettingsError: an invalid file, column or value; see `read_cases`.
        MissingExtra: statsmodels or matplotlib is not installed.
        OutputError: `out` cannot be written to.
    """
    require_extra()
    from glisson.clinical.run import run_study

    table = None if results is None else Path(results)
    return run_study(Path(cases), Path(out), table, settings or StudySettings())


def require_extra() -> None:
    """Check that the `study` extra is installed.

    Raises:
        MissingExtra: a package is missing.
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise MissingExtra(f"A study needs {', '.join(missing)}: pip install 'glisson[study]'")
