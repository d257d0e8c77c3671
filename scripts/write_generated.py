"""Write the files that follow from the code: schemas, tables of docs/measure.md, the rooms."""

from __future__ import annotations

import json
import re
from pathlib import Path

from draw_rooms import PICTURE, draw_rooms

from glisson.measurement import (
    BiopsyMeasurements,
    CandidateMeasurements,
    FragmentMeasurements,
    TractMeasurements,
    measurements_of,
)
from glisson.record.schema import RECORDS, make_schema, schema_name

ROOT = Path(__file__).resolve().parents[1]
SCHEMAS = ROOT / "src" / "glisson" / "record" / "schemas"
MEASURE = ROOT / "docs" / "measure.md"
BLOCKS = {
    "biopsy": BiopsyMeasurements,
    "fragments": FragmentMeasurements,
    "tracts": TractMeasurements,
    "candidates": CandidateMeasurements,
}


def generated_files() -> dict[Path, str]:
    """Return the content of every generated file, by path."""
    files = {
        SCHEMAS / schema_name(record): json.dumps(make_schema(record), indent=2, ensure_ascii=False)
        + "\n"
        for record in RECORDS
    }
    text = MEASURE.read_text(encoding="utf-8")
    for name, block in BLOCKS.items():
        text = _replace_table(text, name, block)
    return files | {MEASURE: text, PICTURE: draw_rooms()}


def _replace_table(text: str, name: str, block: type) -> str:
    """Replace a block's table between its two comments."""
    start, end = f"<!-- measurements: {name} -->", "<!-- end of measurements -->"
    rows = [f"| `{row.key}` | {row.description} |" for row in measurements_of(block)]
    table = "\n".join((start, "", "| key | what it is |", "|---|---|", *rows, "", end))
    found, count = re.subn(
        re.escape(start) + ".*?" + re.escape(end), lambda _: table, text, flags=re.DOTALL
    )
    if count != 1:
        raise SystemExit(f"{MEASURE} needs one pair of comments for {name}: {start} and {end}")
    return found


if __name__ == "__main__":
    for path, content in generated_files().items():
        path.write_text(content, encoding="utf-8")
        print(path.relative_to(ROOT))
