"""Check the words of the sources and the docs (CONTRIBUTING.md, "The rules for words").

`python scripts/check_words.py` names every finding as `file:line: word: what to say`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

SAY: dict[str, str] = {
    r"\banew\b": "again",
    r"\bwhence\b": "from which",
    r"\bthereof\b": "of it, with its noun",
    r"\b(?:is|are|was|were) gone on with\b": "resume",
    r"\bgo(?:es)? on where\b": "resume",
    r"\bwhoever\b": "name the actor",
    r"\bis told (?:by|of|in)\b": "say who records what",
    r"\bnothing is told\b": "say who records what",
    r"\bof (?:one|it) nothing\b": "turn the sentence round",
    r"\bfetch(?:ed|es|ing)?\b": "download",
    r"\bparts that are none\b": "invalid",
}
"""Home-made words, as patterns, and the field's word or the way out."""


def find_words(root: Path = ROOT) -> Iterator[str]:
    """Yield every home-made word of the sources and the docs."""
    pages = [*root.glob("*.md"), *(root / "docs").rglob("*.md"), *(root / "src").rglob("*.py")]
    for page in pages:
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            for pattern, say in SAY.items():
                if found := re.search(pattern, line, re.IGNORECASE):
                    place = f"{page.relative_to(root).as_posix()}:{number}"
                    yield f"{place}: {found[0]!r}: {say}"


if __name__ == "__main__":
    findings = list(find_words())
    print("\n".join(findings) or "no home-made words")
    sys.exit(bool(findings))
