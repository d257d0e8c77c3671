"""Makes OpenSlide abort, as it would on a bug in C, for slides whose names begin with `crash`.

Put on PYTHONPATH by the soak test, so that it is in every process of a run and in none of others.
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
