"""Pseudonyms: their rules, and how they replace a slide's name in texts and logs."""

from __future__ import annotations

import logging
import os
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

from glisson.errors import SettingsError
from glisson.storage import Place, Url

MOST_CHARACTERS = 64
_SAFE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{MOST_CHARACTERS - 1}}}")
_RESERVED = re.compile(r"con|prn|aux|nul|com\d|lpt\d|qupath", re.IGNORECASE)
"""Names that Windows reserves, and folders that a run makes."""
_WHOLE_WORD = 5
"""Shorter names are replaced only where they stand alone: `a` stands in many words."""
_MOST_FILES = 1000

Scrub = Callable[[str], str]


def check_pseudonym(pseudonym: str, slide: Place) -> None:
    """Reject a pseudonym that cannot name a folder on every system, or tells the slide's name.

    Raises:
        SettingsError: gives the reason without the slide's name.
    """
    if not _SAFE.fullmatch(pseudonym) or _RESERVED.fullmatch(pseudonym):
        raise SettingsError(
            f"The pseudonym is invalid: it needs 1 to {MOST_CHARACTERS} letters, digits, - or _, "
            "begins with a letter or digit, and is no name that Windows or a run reserves."
        )
    given, name = pseudonym.casefold(), slide.stem.casefold()
    if name in given or (len(given) >= _WHOLE_WORD and given in slide.name.casefold()):
        raise SettingsError(
            "The pseudonym holds the slide's own name, or is a part of it. Choose another."
        )


def make_scrubber(slide: Place, pseudonym: str) -> Scrub:
    """Return a function that replaces a slide's path and name, however spelled, in a text."""
    if isinstance(slide, Url):  # with secrets and without
        names = {slide.address, str(slide), str(slide.parent), str(slide.as_path())}
        names |= {slide.name, slide.stem, Path(slide.stem).stem}
    else:
        names = _spell_path(slide)
    forms = {form for name in names if name for form in (name, repr(name)[1:-1])}
    patterns = (
        rf"(?<![A-Za-z0-9]){re.escape(form)}(?![A-Za-z0-9])"
        if len(form) < _WHOLE_WORD
        else re.escape(form)
        for form in sorted(forms, key=len, reverse=True)
    )
    pattern = re.compile("|".join(patterns), re.IGNORECASE)
    return lambda text: pattern.sub(pseudonym, text)


def _spell_path(slide: Path) -> set[str]:
    """List the spellings of a path: as given, absolute, with links followed, without endings.

    The slide's folder and the files of a DICOM slide are spelled too.
    """
    paths = {slide, Path(os.path.abspath(slide)), Path(os.path.realpath(slide))}
    names = {str(path) for path in paths} | {path.as_posix() for path in paths}
    names |= {str(path.parent) for path in paths if len(path.parent.parts) > 1}
    files = list(paths)
    with suppress(OSError):  # the name of an unreadable slide is hidden too
        files += sorted(slide.iterdir())[:_MOST_FILES] if slide.is_dir() else []
    for file in files:
        names |= {file.name, file.stem, file.with_suffix("").stem}
    return names


class _LogScrubber:
    """A filter of names for all log records of this process, those of other packages included.

    Python makes log records in one place per process, and only there can all of them be changed.
    """

    def __init__(self) -> None:
        self._scrubs: dict[object, Scrub] = {}
        self._lock = Lock()
        self._before: Callable[..., logging.LogRecord] | None = None

    @contextmanager
    def hiding(self, scrub: Scrub) -> Iterator[None]:
        """Hide names in logs inside the `with`; several threads may hide names of their own."""
        key = object()
        with self._lock:
            if not self._scrubs:
                self._before = logging.getLogRecordFactory()
                logging.setLogRecordFactory(self._record)
            self._scrubs[key] = scrub
        try:
            yield
        finally:
            with self._lock:
                del self._scrubs[key]
                if not self._scrubs and self._before is not None:
                    logging.setLogRecordFactory(self._before)

    def _record(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = (self._before or logging.LogRecord)(*args, **kwargs)
        try:
            text = record.getMessage()
        except (TypeError, ValueError, KeyError):  # logging itself reports a wrong format
            text = f"{record.msg} {record.args}"
        trace = ""
        if record.exc_info and record.exc_info[0] is not None:
            trace = "".join(traceback.format_exception(*record.exc_info)).rstrip()
        for scrub in list(self._scrubs.values()):
            text, trace = scrub(text), scrub(trace)
        record.msg, record.args = text, ()
        record.exc_info, record.exc_text = None, trace or None
        return record


hidden_in_logs = _LogScrubber().hiding
