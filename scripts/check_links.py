"""Check that every local link in the Markdown files leads to a file."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def broken_links() -> list[str]:
    """Return every link that leads nowhere, as `file: target`."""
    below = [ROOT / name for name in ("docs", "research", "examples")]
    pages = [*ROOT.glob("*.md"), *(page for folder in below for page in folder.rglob("*.md"))]
    return [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]


if __name__ == "__main__":
    found = broken_links()
    print("\n".join(found) or "all links lead somewhere")
    sys.exit(bool(found))
