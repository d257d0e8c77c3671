"""Many biopsies against observers: agreement, staging, the paper's clinical figures.

Importing this room is quick; statsmodels and matplotlib are imported when a study is made.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from glisson.clinical.scales import SCALES, Scale, find_scale
from glisson.clinical.settings import StudySettings
from glisson.errors import MissingExtra

if TYPE_CHECKING:
    from glisson.clinical.whole import StudyResult

__all__ = ["SCALES", "Scale", "StudySettings", "find_scale", "require_extra", "study"]

_NEEDED = ("statsmodels", "matplotlib")


def study(
    cases: str | Path,
    out: str | Path,
    results: str | Path | None = None,
    settings: StudySettings | None = None,
) -> StudyResult:
    """Compare what a model measured on many biopsies with observers and with stages.

    Args:
        cases: cases.csv, one row a slide, or the folder that holds it.
        out: folder to write page, tables, figures and numbers to.
        results: folder of `glisson segment`; without it the model's columns are looked for in
            cases.csv.
        settings: scale, names of columns, draws.

    Raises:
        SettingsError: a file, a column or a value cannot be used; see `read_cases`.
        MissingExtra: statsmodels or matplotlib is not installed.
        OutputError: `out` cannot be written to.
    """
    require_extra()
    from glisson.clinical.whole import run_study

    return run_study(
        Path(cases), Path(out), None if results is None else Path(results),
        settings or StudySettings(),
    )  # fmt: skip


def require_extra() -> None:
    """Fail before any work where the `study` extra is not installed.

    Raises:
        MissingExtra: a package of it is missing.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingExtra(f"A study needs {', '.join(missing)}: pip install 'glisson[study]'")
