"""Three tiny slides (SYNTHETIC), one of them broken, and the files of one plain run of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_cli import glisson
from tests.run.conftest import write_series
from tests.run.test_shards import outputs

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="session")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_series(tmp_path_factory.mktemp("scans"))


@pytest.fixture(scope="session")
def plain(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one run writes, but for times."""
    out = tmp_path_factory.mktemp("plain")
    assert glisson("segment", scans, "-o", out, "--threads", 2).returncode == 1
    return outputs(out)


def shell(command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command as an engine starts it, with `glisson` on its path."""
    return run(["/bin/sh", "-c", command], variables)


def run(
    command: list[str], variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, **(variables or {}), "PATH": path, "NO_COLOR": "1"}
    return subprocess.run(
        command, env=environment, text=True, check=False, capture_output=True, timeout=600
    )
