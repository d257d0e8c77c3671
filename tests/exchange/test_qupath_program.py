"""QuPath's program, as a stand-in that says what it was asked."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from glisson.errors import OutputError, SettingsError
from glisson.exchange.qupath.program import find_qupath, import_outlines

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")


def stand_in(folder: Path, body: str) -> str:
    path = folder / "QuPath"
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_the_import_script_is_run_on_the_project(tmp_path: Path) -> None:
    program = find_qupath(stand_in(tmp_path, 'echo "$@" > asked; echo "a.svs: 3 outlines"'))
    body = Path(program).read_text("utf-8").replace("> asked", f"> {tmp_path}/asked")
    Path(program).write_text(body, "utf-8")
    project = tmp_path / "out" / "qupath"
    assert import_outlines(program, project) == ["a.svs: 3 outlines"]
    asked = (tmp_path / "asked").read_text("utf-8").split()
    script = project / "scripts" / "import_glisson.groovy"
    assert asked == ["script", "-s", "-p", str(project / "project.qpproj"), str(script)]


@pytest.mark.parametrize("body", ["echo broken; exit 3", "echo ERROR: no such image; exit 0"])
def test_a_failure_is_said_and_the_results_are_whole(tmp_path: Path, body: str) -> None:
    """QuPath ends well although a script failed on every image."""
    program = find_qupath(stand_in(tmp_path, body))
    with pytest.raises(OutputError, match=r"did not import the outlines.*The results are whole"):
        import_outlines(program, tmp_path)


def test_a_program_that_is_not_there_is_refused() -> None:
    with pytest.raises(SettingsError, match="is no program"):
        find_qupath("no-such-qupath")
