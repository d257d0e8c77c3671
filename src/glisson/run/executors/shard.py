"""One of several parts of a run, for job arrays."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from glisson.errors import SettingsError
from glisson.model import is_shipped
from glisson.results.record import SlideResult
from glisson.run.executors.base import Executor, Work
from glisson.run.executors.choice import find_executor
from glisson.run.task import SlideTask

Item = TypeVar("Item")


@dataclass(frozen=True)
class Shard:
    """An executor that does one part of the slides; `glisson.gather` makes tables of all parts.

    Attributes:
        number: of the part, from 1.
        count: of parts.
        executor: where the part is done; None as in a run without parts.
    """

    number: int
    count: int
    executor: Executor | str | None = None

    def __post_init__(self) -> None:
        """Reject an invalid shard number."""
        if not 1 <= self.number <= self.count:
            raise SettingsError(
                f"Shard {self.number}/{self.count}: give 1/{self.count} to "
                f"{self.count}/{self.count}."
            )

    @classmethod
    def parse(cls, text: str, executor: Executor | str | None = None) -> Shard:
        """Read a part from a text such as `2/8`.

        Raises:
            SettingsError: the text names no part.
        """
        match = re.fullmatch(r"\s*(\d{1,6})\s*/\s*(\d{1,6})\s*", text)
        if match is None:
            raise SettingsError(f"--shard is '{text}'; give it as 2/8, the second of eight parts.")
        return cls(int(match[1]), int(match[2]), executor)

    def select(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return every `count`-th item, so that large neighbours go to different parts."""
        return items[self.number - 1 :: self.count]

    def run(self, tasks: Sequence[SlideTask], work: Work) -> Generator[SlideResult]:
        """Do the part of the tasks; as `Executor.run`."""
        chosen = find_executor(self.executor, len(tasks), is_shipped(work.bundle))
        yield from chosen.run(self.select(tasks), work)
