"""Other programs, each in its own environment, on the same slide with the same weights."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Peer:
    """A program to compare with.

    Attributes:
        name: spelling of its authors.
        requirements: packages for pip.
        script: script for its environment, called as `script SLIDE MODEL OUT`.
        writes: description of its output files.
    """

    name: str
    requirements: tuple[str, ...]
    script: str
    writes: str


PEERS = (
    Peer(
        "WSInfer 0.6.1",
        # WSInfer needs zarr 2; tiffslide 3, its other reader, needs zarr 3 and is not used.
        (
            "wsinfer==0.6.1",
            "torch==2.14.1",
            "torchvision==0.29.1",
            "setuptools<81",
            "zarr<3",
            "numcodecs<0.16",
            "openslide-python",
            "openslide-bin",
        ),
        "run_wsinfer.py",
        "one probability a tile (it has no outlines of areas)",
    ),
    Peer(
        "LazySlide 0.13.0",
        ("lazyslide==0.13.0", "torch==2.14.1", "torchvision==0.29.1", "openslide-bin"),
        "run_lazyslide.py",
        "outlines",
    ),
    Peer("TIAToolbox 2.1.3", ("tiatoolbox==2.1.3",), "run_tiatoolbox.py", "outlines"),
)


def install_peer(peer: Peer, folder: Path) -> Path:
    """Install a peer into `folder` unless it exists there; return its Python."""
    home = folder / peer.name.split()[0].lower()
    python = home / "bin" / "python"
    ready = home / ".ready"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *peer.requirements], check=True)
        ready.touch()
    return python
