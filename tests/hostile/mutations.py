"""Valid files made wrong: bytes flipped, cut and put in; parts of JSON replaced by anything."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

_NUMBERS = [0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1]
_TEXTS = [
    "",
    "\0",
    "\ud800",
    "../../x",
    "/etc/passwd",
    "=1+1",
    "\u202e",
    "<script>",
    "{slide:>99999999}",
    "NaN",
    "1e999",
    "9" * 5000,
    "a" * 300,
]
_ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from([0, -1, 2**31, 2**63, 10**400, 1e308, float("inf"), float("nan"), 0.5])
    | st.sampled_from(_TEXTS),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "a", "id"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def broken_bytes(draw: st.DrawFn, valid: bytes) -> bytes:
    """A valid file with one to six wounds, half of them near its start."""
    data = bytearray(valid)
    for _ in range(draw(st.integers(1, 6))):
        reach = min(len(data), draw(st.sampled_from([64, 512, 1 << 30])))
        place = draw(st.integers(0, max(0, reach - 1)))
        _wound(draw, data, place)
    return bytes(data)


def _wound(draw: st.DrawFn, data: bytearray, place: int) -> None:
    kind = draw(st.sampled_from(["flip", "number", "cut", "out", "in", "twice"]))
    if kind == "flip" and place < len(data):
        data[place] ^= 1 << draw(st.integers(0, 7))
    elif kind == "number":
        number, width = draw(st.sampled_from(_NUMBERS)), draw(st.sampled_from([1, 2, 4, 8]))
        order = draw(st.sampled_from(["little", "big"]))
        data[place : place + width] = (number % (1 << 8 * width)).to_bytes(width, order)
    elif kind == "cut":
        del data[place:]
    elif kind == "out":
        del data[place : place + draw(st.integers(1, 64))]
    elif kind == "in":
        data[place:place] = draw(st.binary(max_size=32))
    else:
        data[place:place] = data[place : place + draw(st.integers(1, 4096))]


@st.composite
def broken_json(draw: st.DrawFn, valid: Any) -> bytes:
    """A document with one to three of its parts replaced, taken out or given twice."""
    document = copy.deepcopy(valid)
    for _ in range(draw(st.integers(1, 3))):
        document = _changed(draw, document)
    return json.dumps(document).encode()


def _changed(draw: st.DrawFn, part: Any) -> Any:
    keys = (
        list(part)
        if isinstance(part, dict)
        else list(range(len(part)))
        if isinstance(part, list)
        else []
    )
    if not keys or draw(st.integers(0, 5)) == 0:
        return draw(_ANYTHING)
    key = draw(st.sampled_from(keys))
    if draw(st.integers(0, 7)) == 0:
        del part[key]
    else:
        part[key] = _changed(draw, part[key])
    return part
