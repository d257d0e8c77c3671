"""The picture of the rooms: floors from the layers in pyproject.toml, sentences from the packages.

`scripts/write_generated.py` writes it to `docs/images/rooms.svg`.
"""

from __future__ import annotations

import ast
import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "images" / "rooms.svg"

WIDTH_PX, ROW_PX, GAP_PX, NAME_PX, TOP_PX = 860, 26, 4, 150, 56
GROUPS = (
    ("the command line", "#e8e4f3", {"cli"}),
    ("slides from end to end", "#dfe9f5", {"run", "results", "inputs", "record"}),
    ("studies and training", "#f3e6e0", {"clinical", "evaluation", "training", "dataset"}),
    ("what people read", "#f6efd9", {"report", "exchange", "pages"}),
    ("one slide: the journey", "#e0f0e4", set()),
    ("tools", "#ececec", {"storage", "scores", "masks", "files", "model"}),
    ("ground", "#e0e0e0", {"classes", "frames", "threads", "version", "errors"}),
)
"""Name, colour and rooms; the journey holds all others."""
LEGEND_PX = (WIDTH_PX - 16) // len(GROUPS)


def draw_rooms() -> str:
    """Return the picture as SVG: a row for every room, the highest first."""
    layers = _read_layers()
    rows = [name for layer in layers for name in layer]
    height = len(rows) * (ROW_PX + GAP_PX) + TOP_PX + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {height}" '
        f'width="{WIDTH_PX}" height="{height}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH_PX}" height="{height}" fill="#ffffff"/>',
        '<text x="8" y="18" fill="#555">A room imports only from rooms below it.</text>',
    ]
    for index, (group, colour, _) in enumerate(GROUPS):
        left = 8 + index * LEGEND_PX
        parts += [
            f'<rect x="{left}" y="30" width="{LEGEND_PX - 6}" height="18" rx="4" fill="{colour}"/>',
            f'<text x="{left + 6}" y="43" font-size="10">{group}</text>',
        ]
    for index, name in enumerate(rows):
        top = TOP_PX + index * (ROW_PX + GAP_PX)
        parts += [
            f'<rect x="8" y="{top}" width="{WIDTH_PX - 16}" height="{ROW_PX}" rx="4" '
            f'fill="{_colour_of(name)}"/>',
            f'<text x="18" y="{top + 18}" font-weight="bold">{name}</text>',
            f'<text x="{NAME_PX}" y="{top + 18}">{escape(_purpose_of(name))}</text>',
        ]
    return "\n".join((*parts, "</svg>", ""))


def _read_layers() -> list[list[str]]:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = config["tool"]["importlinter"]["contracts"][0]["layers"]
    return [[room.split(".")[-1].strip() for room in layer.split("|")] for layer in layers]


def _purpose_of(name: str) -> str:
    """Return the first sentence of a package's or module's docstring."""
    home = ROOT / "src" / "glisson" / name
    source = home / "__init__.py" if home.is_dir() else home.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return docstring.splitlines()[0]


def _colour_of(name: str) -> str:
    journey = next(colour for group, colour, _ in GROUPS if group == "one slide: the journey")
    return next((colour for _, colour, rooms in GROUPS if name in rooms), journey)
