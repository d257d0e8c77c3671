"""The Snakefile, run by Snakemake: the files of one run."""

from __future__ import annotations

import csv
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.examples.conftest import EXAMPLES, run
from tests.run.test_shards import outputs

_OWN = Path(sys.prefix) / "snakemake" / "bin" / "snakemake"
"""Where `make` puts it: its dependencies hold back some of ours."""


@pytest.fixture
def snakemake() -> str:
    found = str(_OWN) if _OWN.exists() else shutil.which("snakemake")
    if found is None:
        pytest.skip(f"no snakemake at {_OWN} or on the path; `make` installs it")
    return found


def test_shards_as_snakemake_jobs_are_the_run(
    snakemake: str, scans: Path, plain: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = [
        snakemake, "-s", str(EXAMPLES / "snakemake" / "Snakefile"), "--cores", "2",
        "--directory", str(tmp_path), "--config", f"slides={scans}", f"out={out}", "shards=2",
    ]  # fmt: skip
    done = run(command)
    assert done.returncode == 0, done.stderr
    assert outputs(out) == plain
    with (out / "failures.csv").open(encoding="utf-8", newline="") as file:
        assert [row["slide"] for row in csv.DictReader(file)] == ["broken"]
    again = run([*command, "--dry-run"])
    assert "Nothing to be done" in again.stdout + again.stderr
