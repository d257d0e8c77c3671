"""A cache of compiled graphs on the disk: opening a model again takes half of the processor time.

    compiled/<key>.graph    SHA-256 of the rest, then the export of OpenVINO

The key is a hash of everything that a compiled graph depends on, so that a new model, another
processor or another version of OpenVINO has its own file. A damaged file is compiled again. Where
the folder cannot be written, nothing is cached.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from glisson.errors import OutputError
from glisson.files.atomic import atomic_path
from glisson.model.bundle import ModelBundle
from glisson.model.runtimes.quiet_openvino import openvino
from glisson.storage import get_cache_folder

logger = logging.getLogger(__name__)

_MOST_FILES = 8
"""Files of 14 MB for the shipped model: a file for each number of threads and size of window."""
_DIGEST_BYTES = 32
_GRAPH = 1
"""Version of the graph that Glisson builds round the model's own; raise it with every change."""


def compile_cached(
    core: openvino.Core,
    bundle: ModelBundle,
    side_px: tuple[int, int],
    options: Mapping[str, Any],
    build: Callable[[], openvino.Model],
) -> openvino.CompiledModel:
    """Read the graph for windows of a size from the cache, or compile it and write it there.

    Args:
        core: OpenVINO.
        bundle: the model.
        side_px: height and width of the windows.
        options: of OpenVINO's compiler.
        build: makes the graph of that size.
    """
    parts = {
        "graph": _GRAPH,
        "model": bundle.spec.model_dump(mode="json"),
        "side_px": side_px,
        "options": dict(options),
        "openvino": openvino.__version__,
        "processor": core.get_property("CPU", "FULL_DEVICE_NAME"),
        "computes": sorted(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")),
    }
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
    path = get_cache_folder() / "compiled" / f"{key}.graph"
    cached = _read(core, path, options)
    if cached is not None:
        return cached
    compiled = core.compile_model(build(), "CPU", dict(options))
    _write(path, compiled)
    return compiled


def _read(
    core: openvino.Core, path: Path, options: Mapping[str, Any]
) -> openvino.CompiledModel | None:
    try:
        data = path.read_bytes()
        digest, graph = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
        if hashlib.sha256(graph).digest() != digest:
            logger.info("%s is damaged; OpenVINO compiles the model again.", path)
            return None
        with contextlib.suppress(OSError):  # a read-only cache
            path.touch()
        return core.import_model(graph, "CPU", dict(options))
    except (OSError, RuntimeError) as error:
        logger.debug("no compiled graph at %s: %s", path, error)
        return None


def _write(path: Path, compiled: openvino.CompiledModel) -> None:
    """Write the graph, and remove the files that were not used for longest."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        graph = compiled.export_model().getvalue()
        with atomic_path(path) as unfinished:
            unfinished.write_bytes(hashlib.sha256(graph).digest() + graph)
        files = sorted(path.parent.glob("*.graph"), key=lambda file: file.stat().st_mtime)
        for file in files[:-_MOST_FILES]:
            file.unlink(missing_ok=True)
    except (OSError, OutputError, RuntimeError) as error:
        logger.debug("cannot write the compiled graph to %s: %s", path, error)
