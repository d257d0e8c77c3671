"""Tables, report and QuPath project of a results folder, made again from its slides."""

from __future__ import annotations

from pathlib import Path

from glisson.errors import SettingsError
from glisson.results.record import SlideResult
from glisson.results.remote import Results, open_results
from glisson.results.state import (
    SlideState,
    check_alike,
    find_common_method,
    list_warnings,
    read_states,
)
from glisson.results.summary import write_summary
from glisson.run.segment import RunResult
from glisson.storage import Place, Url, parse_place

_MOST_NAMED = 20


def gather(out: Path | str | Url, keep_old: bool = False) -> RunResult:
    """Make tables, report, QuPath project and `run.json` of all slides in a results folder.

    The last step of a run in shards. It may be repeated at any time.

    Args:
        out: the folder, or its address on a store.
        keep_old: accept slides of other settings, models or versions than most; a column then
            tells them apart.

    Raises:
        SettingsError: the folder holds no slides, slides are not done yet, or slides differ in
            settings, model or version.
        OutputError: the folder cannot be written to.
    """
    where = parse_place(out)
    if isinstance(where, Path):
        return _gather(Results(where), keep_old)
    with open_results(where) as results:
        results.download_all()
        return _gather(results, keep_old)


def _gather(results: Results, keep_old: bool) -> RunResult:
    out = results.place
    states = read_states(results.here) if results.here.is_dir() else []
    _check_states(out, states, keep_old)
    write_summary(results.here, states)
    results.upload_run()
    slides = tuple(
        SlideResult(
            state.name,
            parse_place(state.request.path or state.request.file),
            "done" if state.record else "failed",
            out / state.name if state.record else None,
            state.record,
            state.error,
            number,
            (state.request.patient, state.request.institution),
            state.because,
            state.request.pseudonyms,
        )
        for number, state in enumerate(states, start=1)
    )
    return RunResult(out, slides, list_warnings(states), len(states))


def _check_states(out: Place, states: list[SlideState], keep_old: bool) -> None:
    """Reject a folder without slides, with unfinished slides, or with slides of two kinds."""
    if not states:
        raise SettingsError(
            f"{out} holds no slides of a run. Run `glisson segment ... -o {out}` first."
        )
    waiting = [each.name for each in states if each.is_waiting]
    if waiting:
        more = ", ..." if len(waiting) > _MOST_NAMED else ""
        raise SettingsError(
            f"{out}: {len(waiting)} slide(s) are not done yet: {', '.join(waiting[:_MOST_NAMED])}"
            f"{more}. Run their shards again with the same slides and options, or delete the "
            "folders of slides that you do not want."
        )
    if len({each.request.pseudonyms for each in states}) > 1:
        raise SettingsError(
            f"{out} holds slides with pseudonyms and slides without. Segment one kind into another "
            "folder."
        )
    method = find_common_method(states)
    if method is not None:
        others = {each.name: each.method for each in states if each.record}
        advice = "Run the slides that are wrong again, with the options of the others."
        check_alike(out, method, others, advice, keep_old)
