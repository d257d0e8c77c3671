"""One slide of a run: what is to be done, with which settings, and under which name."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from glisson.errors import SlideError, StorageError
from glisson.inputs.redaction import Scrub, hidden_in_logs, make_scrubber
from glisson.inputs.slide_list import SlideEntry
from glisson.results.folder import SlideRequest
from glisson.results.record import SlideResult
from glisson.run.settings import RunSettings
from glisson.slides import open_slide
from glisson.storage import Place, Url, make_absolute, stat_url


@dataclass(frozen=True)
class SlideTask:
    """One slide of a run.

    Attributes:
        entry: the slide, and the facts that the list of slides gives.
        name: of its result folder.
        number: its place in the whole run, from 1.
        out: the run's folder, or its working copy.
        run_settings: of the whole run.
        results: the run's results, if they are on a store.
    """

    entry: SlideEntry
    name: str
    number: int
    out: Path
    run_settings: RunSettings
    results: Url | None = None

    @property
    def settings(self) -> RunSettings:
        """Return the run's settings with those of the slide."""
        run = self.run_settings
        series = run.series if self.entry.series is None else self.entry.series
        return replace(
            run,
            mpp=self.entry.mpp or run.mpp,
            series=series,
            sections=self.entry.sections or run.sections,
        )

    @property
    def shown(self) -> Place:
        """Return what messages and files call the slide: its path, or its pseudonym."""
        return self.entry.path if self.entry.pseudonym is None else Path(self.entry.pseudonym)

    @property
    def scrub(self) -> Scrub:
        """Return a function that replaces the slide's name by its pseudonym, if it has one."""
        if self.entry.pseudonym is None:
            return str
        return make_scrubber(self.entry.path, self.entry.pseudonym)

    def hiding(self) -> AbstractContextManager[None]:
        """Hide the name of a slide with a pseudonym in the logs inside the `with`."""
        return nullcontext() if self.entry.pseudonym is None else hidden_in_logs(self.scrub)

    def check_opens(self) -> None:
        """Prove that the slide opens; or, on a store, that it exists, as it may be large.

        Raises:
            SlideError: as `open_slide`; a pseudonym replaces the slide's name.
            StorageError: as `stat_url`; likewise.
        """
        with self.hiding():
            try:
                if isinstance(self.entry.path, Url):
                    stat_url(self.entry.path)
                else:
                    settings = self.settings
                    open_slide(self.entry.path, settings.mpp, settings.series).close()
            except (SlideError, StorageError) as error:
                if self.entry.pseudonym is None:
                    raise
                raise type(error)(self.scrub(str(error))) from None

    @property
    def request(self) -> SlideRequest:
        """Return the facts of the slide that its folder keeps."""
        entry, is_hidden = self.entry, self.entry.pseudonym is not None
        path = None if is_hidden else str(make_absolute(entry.path))
        return SlideRequest(self.shown.name, path, entry.patient, entry.institution, is_hidden)

    def make_result(self, outcome: str, **facts: Any) -> SlideResult:
        """Make the slide's result, with its number and case."""
        return SlideResult(
            self.name,
            self.shown,
            outcome,
            number=self.number,
            case=(self.entry.patient, self.entry.institution),
            pseudonym=self.entry.pseudonym is not None,
            **facts,
        )

    def fail(self, why: str) -> SlideResult:
        """Make the result of a slide that has none."""
        return self.make_result("failed", error=self.scrub(why))
