"""The sentence that marks a drawn slide, in its own file, as no patient's."""

from __future__ import annotations

from collections.abc import Iterable

SYNTHETIC = "SYNTHETIC: drawn by Glisson's phantom, no patient"


def is_synthetic(texts: Iterable[str]) -> bool:
    """Return whether any of a file's descriptions holds the sentence."""
    return any(SYNTHETIC in text for text in texts)
