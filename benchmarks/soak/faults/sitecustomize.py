"""Abort in OpenSlide, as on a bug in C, for slides whose names begin with `crash`.

The soak test puts this folder on PYTHONPATH, so only the processes of its runs import the module.
"""

import os
from typing import Any

import openslide

_open = openslide.OpenSlide.__init__


def _open_or_abort(self: Any, filename: Any) -> None:
    if os.path.basename(os.fspath(filename)).startswith("crash"):
        os.abort()
    _open(self, filename)


openslide.OpenSlide.__init__ = _open_or_abort  # type: ignore[method-assign]
