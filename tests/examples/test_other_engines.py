"""Examples whose engines are not here: their files are valid, and their commands are the run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.examples.conftest import EXAMPLES, run, shell
from tests.run.test_shards import outputs

KUBERNETES = EXAMPLES / "kubernetes"
NEXTFLOW = EXAMPLES / "nextflow" / "main.nf"
SLURM = EXAMPLES / "slurm"


def resources(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text("utf-8")))


@pytest.mark.parametrize("path", sorted(KUBERNETES.glob("*.yaml")), ids=lambda path: path.name)
def test_kubernetes_would_take_it(path: Path) -> None:
    validate = pytest.importorskip("kubernetes_validate")
    for resource in resources(path):
        validate.validate(resource, validate.latest_version(), strict=True)


def test_the_parts_of_the_kubernetes_job_are_all_parts() -> None:
    (job,) = resources(KUBERNETES / "shards.yaml")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    shards = {each["name"]: each["value"] for each in container["env"]}["SHARDS"]
    assert job["spec"]["completions"] == int(shards)


def kubernetes_command(file: str) -> str:
    (job,) = resources(KUBERNETES / file)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["/bin/sh", "-c"]
    (command,) = container["args"]
    return str(command)


def by_kubernetes(scans: Path, out: Path) -> None:
    def placed(file: str) -> str:
        command = kubernetes_command(file)
        return command.replace("/slides", str(scans)).replace("/results", str(out))

    for index in range(2):
        done = shell(placed("shards.yaml"), JOB_COMPLETION_INDEX=str(index), SHARDS="2")
        assert done.returncode == 0, done.stderr
    done = shell(placed("gather.yaml"))
    assert done.returncode == 0, done.stderr


def nextflow_scripts() -> list[str]:
    return re.findall(r'"""\n(.*?)"""', NEXTFLOW.read_text("utf-8"), re.DOTALL)


def by_nextflow(scans: Path, out: Path) -> None:
    segment, gather = nextflow_scripts()

    def filled(script: str, number: int = 0) -> str:
        values = {
            "slides": scans, "out": out, "number": number, "count": 2, "task.cpus": 2,
            "params.options": "",
        }  # fmt: skip
        filled = re.sub(r"(?<!\\)\$\{([\w.]+)\}", lambda match: str(values[match[1]]), script)
        return filled.replace("\\$", "$")

    for number in (1, 2):
        done = shell(filled(segment, number))
        assert done.returncode == 0, done.stderr
    done = shell(filled(gather))
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("do", [by_kubernetes, by_nextflow])
def test_the_commands_are_the_run(
    do: Callable[[Path, Path], None], scans: Path, plain: dict[str, Any], tmp_path: Path
) -> None:
    do(scans, tmp_path / "out")
    assert outputs(tmp_path / "out") == plain


@pytest.mark.parametrize("file", ["shards.yaml", "gather.yaml"])
def test_wrong_input_keeps_its_exit_code(file: str, tmp_path: Path) -> None:
    """By which the Job is told from one that is worth another try."""
    command = kubernetes_command(file).replace("/slides", str(tmp_path / "none"))
    command = command.replace("/results", str(tmp_path / "out"))
    done = shell(command, JOB_COMPLETION_INDEX="0", SHARDS="2")
    assert done.returncode == 2, done.stderr


def test_nextflow_is_groovy() -> None:
    groovy = shutil.which("groovy")
    java = shutil.which("java")
    if groovy is None or java is None:
        pytest.skip("no groovy; Debian's package groovy has it")
    parse = (
        "import org.codehaus.groovy.control.*; "
        f"def unit = new CompilationUnit(); unit.addSource(new File('{NEXTFLOW}')); "
        "unit.compile(Phases.CONVERSION)"
    )
    home = Path(java).resolve().parents[1]
    done = run([groovy, "-e", parse], {"JAVA_HOME": str(home)})
    assert done.returncode == 0, done.stderr


@pytest.fixture
def slurm() -> None:
    """A Slurm that answers and has a node that takes jobs."""
    if shutil.which("sinfo") is None:
        pytest.skip("no Slurm; Debian's packages slurmctld, slurmd and munge have it")
    told = subprocess.run(["sinfo", "-h", "-t", "idle,mix,alloc"], capture_output=True, text=True,
                          check=False, timeout=60)  # fmt: skip
    if told.returncode or not told.stdout.strip():
        pytest.skip("Slurm has no node that takes jobs")


def submitted(*arguments: str, folder: Path) -> str:
    done = run(["sbatch", "--parsable", f"--output={folder}/%x-%A-%a.log", *arguments])
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def wait_for(job: str) -> None:
    deadline = time.monotonic() + 300
    while run(["squeue", "-h", "-j", job]).stdout.strip():
        assert time.monotonic() < deadline, f"job {job} does not end"
        time.sleep(0.5)


@pytest.mark.slow
@pytest.mark.usefixtures("slurm")
def test_a_slurm_array_is_the_run(scans: Path, plain: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "out"
    parts = submitted("--array=1-2", str(SLURM / "array.sh"), str(scans), str(out), folder=tmp_path)
    joined = submitted(f"--dependency=afterany:{parts}", "--wrap", f"glisson gather {out}",
                       folder=tmp_path)  # fmt: skip
    wait_for(parts)
    wait_for(joined)
    logs = "\n".join(log.read_text("utf-8") for log in tmp_path.glob("*.log"))
    assert outputs(out) == plain, logs


@pytest.mark.slow
@pytest.mark.usefixtures("slurm")
def test_dask_workers_as_slurm_jobs_are_the_run(
    scans: Path, plain: dict[str, Any], tmp_path: Path
) -> None:
    pytest.importorskip("dask_jobqueue")
    done = run([sys.executable, str(SLURM / "dask_cluster.py"), str(scans), str(tmp_path / "out"),
                "--jobs", "1", "--logs", str(tmp_path / "logs")])  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert outputs(tmp_path / "out") == plain
