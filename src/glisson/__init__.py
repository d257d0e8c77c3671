"""Glisson: portal tracts of H&E liver biopsies, found, outlined, counted and measured.

The verbs of the command line that work on slides, results and models are functions here:

    import glisson

    result = glisson.segment("biopsy.svs", "results")
    print(result.slides[0].biopsy.tract_count_total)

Importing this package is quick: what a function needs is imported when it is first used. The public
names and their homes are listed in `__init__.pyi`, which type checkers and editors read too.
"""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from typing import Any


def _read_homes() -> dict[str, tuple[str, str]]:
    """Return the module of each public name, and the name there."""
    stub = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    return {
        alias.asname or alias.name: (node.module or "", alias.name)
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


_HOMES = _read_homes()

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'glisson' has no attribute {name!r}")
    module, own_name = _HOMES[name]
    globals()[name] = found = getattr(import_module(module), own_name)
    return found


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return __all__
