"""Compiled graphs on the disk: opening a model again takes half of the processor's time.

    compiled/<key>.graph    SHA-256 of the rest, then what OpenVINO exports

The key names all that a compiled graph depends on, so that a new model, another processor or
another version of OpenVINO has a file of its own. What is broken is made again; where nothing can
be written, nothing is kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import openvino

from glisson.errors import OutputError
from glisson.files.atomic import atomic_path
from glisson.model.bundle import ModelBundle
from glisson.storage import get_cache_folder

logger = logging.getLogger(__name__)

_MOST_KEPT = 8
"""Files of 14 MB for the shipped model: one for each number of threads and size of window."""
_DIGEST_BYTES = 32
_GRAPH = 1
"""Raise it with every change of what is built round the model's own graph."""


def compiled_graph(
    core: openvino.Core,
    bundle: ModelBundle,
    side_px: tuple[int, int],
    options: Mapping[str, Any],
    graph: Callable[[], openvino.Model],
) -> openvino.CompiledModel:
    """The graph for windows of one size, read from the cache or else compiled and kept there.

    Args:
        core: OpenVINO.
        bundle: the model.
        side_px: height and width of the windows.
        options: how it is compiled.
        graph: makes what is compiled, of that size.
    """
    path = get_cache_folder() / "compiled" / f"{_key(core, bundle, side_px, options)}.graph"
    known = _read(core, path, options)
    if known is not None:
        return known
    compiled = core.compile_model(graph(), "CPU", dict(options))
    _keep(path, compiled)
    return compiled


def _key(
    core: openvino.Core,
    bundle: ModelBundle,
    side_px: tuple[int, int],
    options: Mapping[str, Any],
) -> str:
    parts = {
        "graph": _GRAPH,
        "model": bundle.spec.model_dump(mode="json"),
        "side_px": side_px,
        "options": dict(options),
        "openvino": openvino.__version__,
        "processor": core.get_property("CPU", "FULL_DEVICE_NAME"),
        "computes": sorted(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _read(
    core: openvino.Core, path: Path, options: Mapping[str, Any]
) -> openvino.CompiledModel | None:
    try:
        kept = path.read_bytes()
        digest, graph = kept[:_DIGEST_BYTES], kept[_DIGEST_BYTES:]
        if hashlib.sha256(graph).digest() != digest:
            logger.info("%s is damaged; the model is compiled again.", path)
            return None
        with contextlib.suppress(OSError):  # a cache that may only be read
            path.touch()
        return core.import_model(graph, "CPU", dict(options))
    except (OSError, RuntimeError) as error:
        logger.debug("no compiled graph at %s: %s", path, error)
        return None


def _keep(path: Path, compiled: openvino.CompiledModel) -> None:
    """Write it, and remove those that were not used for longest."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        graph = compiled.export_model().getvalue()
        with atomic_path(path) as unfinished:
            unfinished.write_bytes(hashlib.sha256(graph).digest() + graph)
        kept = sorted(path.parent.glob("*.graph"), key=lambda each: each.stat().st_mtime)
        for each in kept[:-_MOST_KEPT]:
            each.unlink(missing_ok=True)
    except (OSError, OutputError, RuntimeError) as error:
        logger.debug("the compiled graph is not kept at %s: %s", path, error)
