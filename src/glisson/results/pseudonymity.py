"""The check that results with pseudonyms and results that name slides never mix."""

from __future__ import annotations

import json
from contextlib import suppress

from glisson.errors import NotStored, SettingsError
from glisson.results.folder import BIOPSY, FAILED
from glisson.storage import Place, Url, read, stat_url


def check_no_names_in(out: Place) -> None:
    """Reject a folder with results of a run without pseudonyms; on a store, read `run.json` alone.

    Raises:
        SettingsError: `out` holds files that name slides.
    """
    names_slides = False
    if isinstance(out, Url):
        with suppress(NotStored):
            stored = stat_url(out / "run.json")
            names_slides = not _is_pseudonymous(read(stored.url, 0, stored.bytes))
    elif out.is_dir():
        records = [*out.glob(f"*/{BIOPSY}"), *out.glob(f"*/{FAILED}"), *out.glob("run.json")]
        are_pseudonymous = all(_is_pseudonymous(path.read_bytes()) for path in records)
        names_slides = (out / "qupath").exists() or not are_pseudonymous
    if names_slides:
        raise SettingsError(
            f"{out} holds results of a run without --pseudonyms, which name their slides. Choose "
            "another folder with -o."
        )


def _is_pseudonymous(record: bytes) -> bool:
    try:
        content = json.loads(record)
    except ValueError:
        return False
    if not isinstance(content, dict):
        return False
    facts = content.get("slide", content.get("request", content))
    return isinstance(facts, dict) and facts.get("pseudonyms") is True
