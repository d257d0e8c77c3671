"""No verb asks a server, and none writes outside its output and its cache, in any process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dataset.scene import write_slide
from tests.run.conftest import write_scene

SITE = '''
"""Every Python that starts below logs and refuses each connection that leaves this machine."""
import os, socket, urllib.request

def _log(*what):
    with open(os.environ["GUARD_LOG"], "a", encoding="utf-8") as file:
        print(*what, file=file)

def _refuse(name):
    def refuse(*arguments, **_):
        _log(name, *map(str, arguments))
        raise OSError("no network in this test")
    return refuse

def _guard(name, method):
    def guarded(self, address, *rest):
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] != "127.0.0.1":
            _log(name, address)
            raise OSError("no network in this test")
        return method(self, address, *rest)
    return guarded

urllib.request.urlopen = _refuse("urlopen")
socket.getaddrinfo = _refuse("getaddrinfo")
for _name in ("connect", "connect_ex"):
    setattr(socket.socket, _name, _guard(_name, getattr(socket.socket, _name)))
'''


class Machine:
    """A user's empty home, working directory and temporary folder, watched.

    Attributes:
        work: the working directory, which holds what the verbs write.
    """

    def __init__(self, folder: Path) -> None:
        self.work = folder / "work"
        self._home, self._tmp, self._log = folder / "home", folder / "tmp", folder / "log"
        for each in (self.work, self._home, self._tmp, folder / "site"):
            each.mkdir()
        (folder / "site" / "sitecustomize.py").write_text(SITE, encoding="utf-8")
        path = os.pathsep.join([str(folder / "site"), *filter(None, sys.path)])
        kept = {k: v for k, v in os.environ.items() if k != "CI" and not k.startswith("XDG_")}
        self._environment = kept | {
            "PYTHONPATH": path,
            "HOME": str(self._home),
            "USERPROFILE": str(self._home),
            "TMPDIR": str(self._tmp),
            "GLISSON_CACHE": str(folder / "cache"),
            "GLISSON_MODELS": str(folder / "models"),
            "GUARD_LOG": str(self._log),
        }

    def run(self, command: str) -> None:
        """Run a verb; fail if it asks a server, or leaves files in home or temporary folder."""
        self.run_python("from glisson.cli import main; main()", *command.split())

    def run_python(self, program: str, *arguments: str) -> None:
        """Run a Python program; fail as `run`."""
        command = " ".join(arguments) or program
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=self.work,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        assert not self._log.exists(), f"{command}: {self._log.read_text()}"
        left = [path for folder in (self._home, self._tmp) for path in folder.rglob("*")]
        assert not left, f"{command}: {left}"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_guard_sees_openvino_itself(machine: Machine) -> None:
    """Without Glisson, OpenVINO posts and writes: the guard and the environment let it."""
    with pytest.raises(AssertionError, match=r"google-analytics|intel|urlopen"):
        machine.run_python("import openvino, time; time.sleep(1)")


def test_segmenting_several_slides_asks_no_server(machine: Machine) -> None:
    for name in ("a.svs", "b.svs"):
        write_scene(machine.work / name)
    machine.run("segment a.svs b.svs -o out")  # the second process opens the model
    machine.run("doctor")


@pytest.mark.slow
def test_no_verb_asks_a_server_or_writes_elsewhere(machine: Machine) -> None:
    (machine.work / "study").mkdir()
    for name in "abcdef":
        write_slide(machine.work / "study", name)
    rows = [f"{n}.png,{n},{'Palermo' if n == 'f' else 'Monza'},1" for n in "abcdef"]
    table = "slide,patient,institution,override_mpp\n" + "\n".join(rows) + "\n"
    (machine.work / "study" / "cases.csv").write_text(table, encoding="utf-8")
    for command in (
        "--help",
        "phantom slide p.tif --seed 5 --length-mm 3 --mpp 1.0",
        "phantom cohort cohort --patients 2",
        "segment p.tif -o out",
        "segment study -o out --mpp 1",
        "gather out",
        "measure out --from out/p/tracts.geojson",
        "models list",
        "models info",
        "tiles study -o tiles --at-mpp 2 --size 64 --hold-out Palermo",
        "train tiles/2um -o run --epochs 1 --batch 16",
        "evaluate tiles/2um -m run/model -o evaluation",
        "export run/model -o exported --tiles tiles/2um --format onnx",
        "models add run/model --name mine",
        "demo",
        "doctor",
    ):
        machine.run(command)
