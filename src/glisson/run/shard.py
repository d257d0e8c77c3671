"""Parts of a run for job arrays, and the run put together again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from glisson.errors import SettingsError
from glisson.run.folder import read_json

FOLDER = "shards"

Item = TypeVar("Item")


@dataclass(frozen=True)
class Shard:
    """One of several parts of a run: `number` counts from 1."""

    number: int
    count: int

    def __post_init__(self) -> None:
        """Refuse parts that are none."""
        if not 1 <= self.number <= self.count:
            raise SettingsError(
                f"Shard {self.number}/{self.count}: give 1/{self.count} to "
                f"{self.count}/{self.count}."
            )

    @classmethod
    def parse(cls, text: str) -> Shard:
        """From `2/8`."""
        match = re.fullmatch(r"\s*(\d{1,6})\s*/\s*(\d{1,6})\s*", text)
        if match is None:
            raise SettingsError(f"--shard is '{text}'; give it as 2/8, the second of eight parts.")
        return cls(int(match[1]), int(match[2]))

    def of(self, items: Sequence[Item]) -> Sequence[Item]:
        """Every `count`-th item, so that large slides that lie together are dealt out."""
        return items[self.number - 1 :: self.count]

    def summary_path(self, out: Path) -> Path:
        """Where its part of `run.json` goes."""
        width = len(str(self.count))
        return out / FOLDER / f"run-{self.number:0{width}d}-of-{self.count}.json"


def read_shards(out: Path, named: object = None) -> list[dict[str, Any]]:
    """What every shard of a run wrote, in order.

    Args:
        out: the folder of the run.
        named: what errors call it; the same if left out.

    Raises:
        SettingsError: there are none, some are missing, or they are of different runs.
    """
    named = out if named is None else named
    paths = sorted((out / FOLDER).glob("run-*-of-*.json"))
    if not paths:
        raise SettingsError(
            f"{named} holds no shards. Run `glisson segment ... -o {named} --shard 1/N` to N/N "
            "first."
        )
    found = sorted((read_json(path) for path in paths), key=lambda each: each["shard"]["number"])
    _check_whole(named, found)
    return found


def _check_whole(out: object, shards: Sequence[dict[str, Any]]) -> None:
    counts = {each["shard"]["count"] for each in shards}
    if len(counts) > 1:
        several = ", ".join(map(str, sorted(counts)))
        raise SettingsError(
            f"{out}/{FOLDER} holds parts of runs of {several} shards. Delete those of the older."
        )
    missing = set(range(1, counts.pop() + 1)) - {each["shard"]["number"] for each in shards}
    if missing:
        numbers = ", ".join(map(str, sorted(missing)[:20]))
        raise SettingsError(f"{out}: {len(missing)} shard(s) have not been run: {numbers}.")
    stopped = [each["shard"]["number"] for each in shards if each["status"] != "finished"]
    if stopped:
        numbers = ", ".join(map(str, stopped[:20]))
        raise SettingsError(f"{out}: shard(s) {numbers} were interrupted. Run them again.")
    if len({(each["model"]["name"], each["model"]["version"]) for each in shards}) > 1:
        raise SettingsError(f"{out}: the shards were run with different models.")
