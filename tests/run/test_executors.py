"""The place where slides are done is one argument: a name, an address, or an object."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from glisson.errors import SettingsError
from glisson.results import SlideResult
from glisson.run import executors
from glisson.run.executors import (
    DaskCluster,
    Executor,
    InProcess,
    IsolatedProcess,
    Shard,
    Work,
    find_executor,
)
from glisson.run.segment import segment
from glisson.run.task import SlideTask
from tests.run.test_shards import white_slides


@pytest.mark.parametrize(
    ("given", "count", "kind"),
    [
        (None, 1, InProcess),
        (None, 2, IsolatedProcess),
        ("here", 2, InProcess),
        ("process", 1, IsolatedProcess),
        ("tcp://node1:8786", 2, DaskCluster),
        ("scheduler.json", 1, DaskCluster),
        (Shard(1, 2), 2, Shard),
    ],
)
def test_names_and_addresses(
    given: Executor | str | None, count: int, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "SEVERAL", "process")
    assert isinstance(find_executor(given, count), kind)


@pytest.mark.parametrize("name", ["isolated", "", "dask"])
def test_unknown_names_are_refused_before_any_work(name: str, tmp_path: Path) -> None:
    slides = white_slides(tmp_path / "slides", "a")
    with pytest.raises(SettingsError, match=r"Give 'process', 'here'"):
        segment(slides, tmp_path / "out", executor=name)
    assert not (tmp_path / "out").exists()


class Backwards:
    """An executor of a user, which does the last slide first and fails the others."""

    def run(self, tasks: Sequence[SlideTask], work: Work) -> Generator[SlideResult]:
        """Do the tasks; as `Executor.run`."""
        yield from InProcess().run(tasks[-1:], work)
        for task in tasks[:-1]:
            yield task.fail("the user's executor does one slide alone")


def test_an_executor_of_a_user(tmp_path: Path) -> None:
    slides = white_slides(tmp_path / "slides", "ab")
    run = segment(slides, tmp_path / "out", executor=Backwards())
    assert [(each.name, each.outcome) for each in run.slides] == [("a", "failed"), ("b", "done")]
    assert (tmp_path / "out" / "a" / "failed.json").is_file()
    assert run.slides[1].biopsy.tract_count_total == 0
