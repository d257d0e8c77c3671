"""The sentence by which a drawn slide says, in its own file, that it is no patient's."""

from __future__ import annotations

from collections.abc import Iterable

SYNTHETIC = "SYNTHETIC: drawn by Glisson's phantom, no patient"


def says_synthetic(texts: Iterable[str]) -> bool:
    """Whether any of a file's own descriptions holds the sentence."""
    return any(SYNTHETIC in text for text in texts)
