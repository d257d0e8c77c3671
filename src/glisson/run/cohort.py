"""Several slides, one after the other: a bad one costs only itself."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from glisson import __version__
from glisson.errors import (
    DamagedSlide,
    GlissonError,
    MissingExtra,
    ModelError,
    OutputError,
    SettingsError,
    SlideError,
)
from glisson.exchange import write_qupath_project, write_tables
from glisson.model import ModelBundle, OpeningRuntime, Runtime, find_model
from glisson.report import ReportRun, ReportSlide, write_report
from glisson.run.folder import (
    BIOPSY,
    OVERVIEW,
    THUMBNAILS,
    TRACTS,
    is_done,
    prepare_output,
    read_json,
    write_json,
)
from glisson.run.identity import model_identity, software_versions
from glisson.run.observer import RunObserver, SilentObserver
from glisson.run.settings import RunSettings
from glisson.run.slide import RESEARCH_USE, SlideResult, result_hash, segment_one
from glisson.run.stored import edited_records
from glisson.slides import SlideInfo, open_slide

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunResult:
    """What became of a run.

    Attributes:
        out: the results folder.
        slides: one result a slide, in the order given.
    """

    out: Path
    slides: tuple[SlideResult, ...]

    @property
    def failed(self) -> tuple[SlideResult, ...]:
        """Slides without a result."""
        return tuple(result for result in self.slides if result.outcome == "failed")


def segment(
    slides: Sequence[Path | str] | Path | str,
    out: Path | str,
    model: Path | str | None = None,
    settings: RunSettings | None = None,
    observer: RunObserver | None = None,
) -> RunResult:
    """Find and measure the portal tracts of slides, and write the results folder `out`.

    Args:
        slides: one slide or several.
        out: the results folder; made if need be.
        model: name or folder of a model bundle; None for the one that is shipped.
        settings: what to do; defaults suit an H&E needle biopsy.
        observer: told about progress.

    Raises:
        SlideError: the only slide cannot be used.
        ModelError: the model cannot be used.
        OutputError: results cannot be written.
    """
    paths = [Path(slides)] if isinstance(slides, str | Path) else [Path(s) for s in slides]
    settings = settings or RunSettings()
    names = result_names(paths)
    bundle = find_model(model)
    _check_slides(paths, settings)
    prepare_output(Path(out))
    runtime = OpeningRuntime(bundle, settings.runtime, settings.precision, settings.threads)
    run = _Run(Path(out), bundle, runtime, settings, observer or SilentObserver())
    return run.all(list(zip(paths, names, strict=True)))


def result_names(paths: Sequence[Path]) -> list[str]:
    """A folder name for each slide: its stem, or its whole name where stems repeat.

    Raises:
        SettingsError: no slide, or two slides of the same name.
    """
    if not paths:
        raise SettingsError("No slide was given; name at least one slide file.")
    stems = Counter(path.stem.casefold() for path in paths)
    names = [path.stem if stems[path.stem.casefold()] == 1 else path.name for path in paths]
    repeated = [n for n, k in Counter(name.casefold() for name in names).items() if k > 1]
    if repeated:
        raise SettingsError(
            f"Two slides are called {repeated[0]}; their results would share a folder. "
            "Rename one, or segment them into two folders."
        )
    return names


def _check_slides(paths: Sequence[Path], settings: RunSettings) -> None:
    """Fail before any work when there is no slide to work on."""
    errors = [error for path in paths if (error := _why_not(path, settings)) is not None]
    if len(errors) == len(paths):
        raise errors[0]


def _why_not(path: Path, settings: RunSettings) -> SlideError | None:
    try:
        with open_slide(path, mpp=settings.mpp):
            return None
    except SlideError as error:
        return error


class _Run:
    """One run: keeps what every slide needs, and writes what the whole run gives."""

    def __init__(
        self,
        out: Path,
        bundle: ModelBundle,
        runtime: Runtime,
        settings: RunSettings,
        observer: RunObserver,
    ) -> None:
        self._out = out
        self._bundle = bundle
        self._runtime = runtime
        self._settings = settings
        self._observer = observer
        self._started = datetime.now(UTC)
        self._infos: dict[str, SlideInfo] = {}

    def all(self, slides: list[tuple[Path, str]]) -> RunResult:
        results: list[SlideResult] = []
        finished = False
        try:
            for number, (path, name) in enumerate(slides, start=1):
                self._observer.slide_started(name, number, len(slides))
                results.append(self._one(path, name))
                self._observer.slide_finished(name, results[-1].outcome)
            finished = True
        finally:
            self._write_summary(results, len(slides), finished)
        if len(slides) == 1 and results[0].outcome == "failed":
            raise DamagedSlide(results[0].error)
        return RunResult(self._out, tuple(results))

    def _one(self, path: Path, name: str) -> SlideResult:
        try:
            with open_slide(path, mpp=self._settings.mpp) as slide:
                self._infos[name] = slide.info
                kept = self._kept(path, name)
                return kept or segment_one(
                    slide, path, name, self._out, self._bundle, self._runtime,
                    self._settings, self._observer,
                )  # fmt: skip
        except (OutputError, ModelError, MissingExtra):
            raise  # every other slide would meet the same disk, and the same model
        except GlissonError as error:
            logger.warning("%s: %s", name, error)
            return SlideResult(name, path, "failed", None, {}, str(error))

    def _kept(self, path: Path, name: str) -> SlideResult | None:
        folder = self._out / name
        digest = result_hash(path, self._bundle, self._settings)
        if self._settings.overwrite or not is_done(folder, digest):
            return None
        return SlideResult(name, path, "kept", folder, read_json(folder / BIOPSY))

    def _write_summary(self, results: list[SlideResult], total: int, finished: bool) -> None:
        """Tables, report and project of what is done; also after Ctrl-C."""
        done = [result for result in results if result.outcome != "failed"]
        write_tables(self._out, [(result.name, result.record) for result in done])
        slides = _report_slides(self._out, results)
        write_report(self._out / "report.html", self._report_run(), slides)
        write_qupath_project(
            self._out / "qupath",
            [(self._infos[r.name], self._out / r.name / TRACTS) for r in done],
        )
        write_json(self._out / "run.json", self._summary(results, total, finished))

    def _report_run(self) -> ReportRun:
        spec = self._bundle.spec
        return ReportRun(
            when=self._started.strftime("%Y-%m-%d %H:%M UTC"),
            version=__version__,
            model=f"{spec.name} {spec.version}",
            trained_on=spec.trained_on,
            research_use=RESEARCH_USE,
        )

    def _summary(self, results: list[SlideResult], total: int, finished: bool) -> dict[str, Any]:
        return {
            "status": "finished" if finished else "interrupted",
            "started": self._started.isoformat(timespec="seconds"),
            "ended": datetime.now(UTC).isoformat(timespec="seconds"),
            "model": model_identity(self._bundle) | {"runtime": self._runtime.name},
            "settings": self._settings.for_record(),
            "versions": software_versions(),
            "slides_total": total,
            "slides": [_slide_summary(result) for result in results],
        }


def _report_slides(out: Path, results: list[SlideResult]) -> list[ReportSlide]:
    corrected = dict(edited_records(out))
    return [
        ReportSlide(
            r.name,
            r.record,
            r.folder / OVERVIEW if r.folder else None,
            r.error,
            r.folder / THUMBNAILS if r.folder else None,
            _of_this_result(corrected.get(r.name), r.record),
        )
        for r in results
    ]


def _of_this_result(
    corrected: dict[str, Any] | None, record: dict[str, Any]
) -> dict[str, Any] | None:
    """Corrected numbers, unless they were made from another result of the model."""
    if corrected is None:
        return None
    made_from = corrected.get("model_result", {}).get("settings_hash")
    return corrected if made_from == record.get("settings_hash") else None


def _slide_summary(result: SlideResult) -> dict[str, Any]:
    return {
        "name": result.name,
        "file": result.slide.name,
        "outcome": result.outcome,
        "error": result.error,
        "warnings": result.record.get("warnings", []),
    }
