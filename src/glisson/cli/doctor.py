"""The verb `glisson doctor`: versions, formats, and a test of the shipped model."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
from importlib import metadata
from pathlib import Path
from typing import Literal

import typer
from rich.markup import escape
from rich.table import Table

from glisson.cli.console import output
from glisson.errors import GlissonError
from glisson.model import (
    check_self_test,
    find_model,
    find_store_folder,
    measure_background_on_glass,
    open_runtime,
)
from glisson.version import __version__

EXAMPLES = "glisson doctor"

_PACKAGES = (
    "openslide-python",
    "openslide-bin",
    "tifffile",
    "openvino",
    "shapely",
    "torch",
    "transformers",
    "s3fs",
)
_FORMATS = (
    "Aperio .svs, Hamamatsu .ndpi .vms, MIRAX .mrxs, Leica .scn, Ventana .bif, Philips .tiff, "
    "Trestle .tif, Sakura .svslide, DICOM .dcm, Zeiss .czi, generic tiled .tif (OpenSlide); "
    "OME-TIFF (tifffile); PNG, JPEG, TIFF with --mpp"
)
_GLASS_LEAST = 0.9


def doctor() -> None:
    """Say what is installed, which slides can be read, and test the shipped model."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    free_gb = shutil.disk_usage(Path.cwd()).free / 1e9
    rows = (
        ("glisson", __version__),
        ("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        ("processor", f"{os.cpu_count()} core(s)"),
        ("disk", f"{free_gb:.0f} GB free here"),
        ("models", str(find_store_folder())),
        *((name, _read_version(name)) for name in _PACKAGES),
        ("slides", _FORMATS),
    )
    for name, text in rows:
        table.add_row(name, escape(text))
    failures = 0
    for kind in ("openvino", "torch") if importlib.util.find_spec("torch") else ("openvino",):
        try:
            text = _test_model(kind)
        except GlissonError as error:
            failures += 1
            text = f"[red]failed[/]: {escape(str(error))}"
        table.add_row(f"model on {kind}", text)
    output.print(table)
    if failures:
        raise typer.Exit(1)


def _read_version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        extra = "cloud" if name == "s3fs" else "train"
        return f"not installed (optional: pip install 'glisson[{extra}]')"


def _test_model(kind: Literal["openvino", "torch"]) -> str:
    bundle = find_model()
    runtime = open_runtime(bundle, kind)
    worst = check_self_test(bundle, runtime)
    glass = measure_background_on_glass(bundle, runtime)
    verdict = "[green]works[/]" if glass >= _GLASS_LEAST else "[red]takes glass for tissue[/]"
    return (
        f"{verdict}: {bundle.spec.name} {bundle.spec.version} on {runtime.name}, self-test "
        f"differs by {worst:.1g}, glass is background with {glass:.2f}"
    )
