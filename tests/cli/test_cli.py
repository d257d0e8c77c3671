"""The command line as its user meets it: exit codes, messages, tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from glisson.measurement import BiopsyMeasurements, Tables, list_shown
from tests.records import content, record
from tests.run.conftest import write_scene


def glisson(
    *arguments: object, cwd: Path | None = None, encoding: str = "utf-8"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from glisson.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        encoding=encoding,
        check=False,
        cwd=cwd,
        env=os.environ | {"COLUMNS": "80", "NO_COLOR": "1", "PYTHONIOENCODING": encoding},
    )


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scene(tmp_path_factory.mktemp("slides") / "case 1.svs")


def test_segment_with_the_shipped_model(scene: Path, tmp_path: Path) -> None:
    done = glisson("segment", scene, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "case 1" in done.stdout
    assert "For research, not for diagnosis." in done.stdout
    assert max(len(line) for line in done.stdout.splitlines() if "Results" not in line) <= 80
    record = json.loads((tmp_path / "out" / "case 1" / "biopsy.json").read_text("utf-8"))
    assert record["model"]["name"] == "glisson-lite0"


def test_some_failed_is_1(scene: Path, tmp_path: Path) -> None:
    bad = tmp_path / "no slide.svs"
    bad.write_text("{}")
    done = glisson("segment", bad, scene, "-o", tmp_path / "out", encoding="cp932")
    assert done.returncode == 1
    assert "no slide" in done.stderr
    assert "case 1" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.svs",), "does not exist"),
        (("table.json",), "is not a slide"),
        (("plain.png",), "--mpp"),
        (("plain.png", "--mpp", "352.9"), "352.9"),
        (("plain.png", "--mpp", "0.5", "--model", "unheard-of"), "no model"),
        (("plain.png", "--mpp", "0.5", "--overlap", "2"), "--overlap"),
        (("plain.png", "--mpp", "0.5", "-o", "table.json"), "is a file"),
    ],
)
def test_wrong_input_is_2_and_says_what_to_do(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    from PIL import Image

    Image.new("RGB", (60, 50), (230, 200, 220)).save(tmp_path / "plain.png")
    (tmp_path / "table.json").write_text("{}")
    out = () if "-o" in arguments else ("-o", "out")
    done = glisson("segment", *arguments, *out, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_phantom_writes_slide_and_truth(tmp_path: Path) -> None:
    path = tmp_path / "p.svs"
    done = glisson("phantom", "slide", path, "--length-mm", "1", "--seed", "3", "--stage", "1")
    assert done.returncode == 0, done.stderr
    assert "SYNTHETIC" in done.stdout
    truth = json.loads((tmp_path / "p.truth.json").read_text("utf-8"))
    assert truth["synthetic"] is True
    for suffix in ("truth.geojson", "features.geojson", "reader-1.geojson"):
        found = json.loads((tmp_path / f"p.{suffix}").read_text("utf-8"))
        assert found["features"], suffix
    assert (tmp_path / "p.truth.ome.tif").is_file()


def test_phantom_of_an_unknown_kind(tmp_path: Path) -> None:
    assert glisson("phantom", "slide", tmp_path / "p.jpg").returncode == 2


def test_models_and_doctor(tmp_path: Path) -> None:
    listed = glisson("models", "list")
    assert "glisson-lite0" in listed.stdout.replace("\n", "")
    shown = glisson("models", "info")
    assert "not for diagnosis" in shown.stdout.replace("\n", " ").lower()
    (tmp_path / "weights.pt").write_bytes(b"\x80\x02}q\x00.")
    added = glisson("models", "add", tmp_path / "weights.pt")
    assert added.returncode == 2
    assert "pickle" in added.stderr
    healthy = glisson("doctor")
    assert healthy.returncode == 0, healthy.stdout
    assert "works" in healthy.stdout


def test_version() -> None:
    from glisson.version import __version__

    assert __version__ in glisson("--version").stderr


def test_square_brackets_in_messages_survive(tmp_path: Path) -> None:
    done = glisson("phantom", "slide", tmp_path / "a[phantom].jpg")
    assert done.returncode == 2
    assert "a[phantom].jpg" in done.stderr


def test_measure_again_from_corrected_outlines(scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert glisson("segment", scene, "-o", out, "--sections", "1").returncode == 0
    missing = glisson("measure", out)
    assert missing.returncode == 2
    assert "export_glisson" in missing.stderr
    document = json.loads((out / "case 1" / "tracts.geojson").read_text("utf-8"))
    document["features"] = document["features"][:1]
    drawn = tmp_path / "drawn"
    drawn.mkdir()
    (drawn / "case 1.svs.geojson").write_text(json.dumps(document), encoding="utf-8")
    done = glisson("measure", out, "--from", drawn)
    assert done.returncode == 0, done.stderr
    assert "0 added" in done.stdout
    assert "AASLD 2009 not assessable" in done.stdout  # the flat scene is no tissue to the model
    assert max(len(line) for line in done.stdout.splitlines() if "Results" not in line) <= 80
    (drawn / "bad.geojson").write_text("{")
    assert glisson("measure", out, "--from", drawn).returncode == 1


@pytest.mark.parametrize(
    ("percent", "uncertainty", "shown"),
    [(4.52, 0.38, "4.5 ± 0.4"), (4.52, None, "4.5"), (None, None, "–")],
)
def test_portal_percent_is_shown_with_its_uncertainty(
    percent: float | None, uncertainty: float | None, shown: str
) -> None:
    found = content()
    found["biopsy"] |= {"portal_percent": percent, "portal_percent_uncertainty": uncertainty}
    rows = {row.key: row for row in list_shown(BiopsyMeasurements, Tables.SUMMARY)}
    assert rows["portal_percent"].text_of(record(found).biopsy) == shown
