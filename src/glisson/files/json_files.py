"""JSON files: written whole or not at all, read as objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from glisson.files.atomic import atomic_path


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON object as UTF-8, atomically, with its keys in the order given.

    Raises:
        ValueError: a number is NaN or infinite.
        OutputError: as `atomic_path`.
    """
    with atomic_path(path) as unfinished:
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        unfinished.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ValueError: the file holds no JSON object.
        OSError: the file cannot be read.
    """
    return parse_json(path.read_bytes())


def parse_json(data: bytes) -> dict[str, Any]:
    """Parse a JSON object.

    Raises:
        ValueError: `data` is no JSON object.
    """
    try:
        content = json.loads(data)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if not isinstance(content, dict):
        raise ValueError("it is no JSON object")
    return content
