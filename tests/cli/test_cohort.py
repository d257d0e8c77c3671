"""Many slides on the command line: a table, parts, and the parts joined."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.cli.test_cli import glisson
from tests.run.conftest import write_series


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_series(tmp_path_factory.mktemp("scans"))


def test_parts_of_a_folder_with_a_table(scans: Path, tmp_path: Path) -> None:
    table = tmp_path / "slides.csv"
    table.write_text(f"slide,patient\n{scans / 'two.svs'},P2\n", encoding="utf-8")
    out = tmp_path / "out"
    parts = [
        glisson("segment", scans, "-o", out, "--manifest", table, "--shard", f"{n}/2")
        for n in (1, 2)
    ]
    assert [each.returncode for each in parts] == [1, 0]  # the broken slide is in the first part
    for number, part in enumerate(parts, 1):
        assert f"Shard {number} of 2. When all have ended, report.html and qupath/" in part.stdout
        assert f"glisson gather {out}\n" in part.stdout
        assert "in any browser" not in part.stdout
    joined = glisson("gather", out)
    assert joined.returncode == 1
    assert "report.html      the run on one page, in any browser" in joined.stdout
    assert "broken" in joined.stderr
    with (out / "biopsies.csv").open(encoding="utf-8", newline="") as file:
        assert [(row["slide"], row["patient"]) for row in csv.DictReader(file)] == [
            ("one", ""), ("two", "P2"),
        ]  # fmt: skip
    assert (out / "report.html").is_file()


def test_the_log_of_a_series_tells_how_far_it_is(scans: Path, tmp_path: Path) -> None:
    done = glisson("segment", scans / "*.svs", "-o", tmp_path / "out")
    assert done.returncode == 1
    lines = [" ".join(line.split()) for line in done.stderr.splitlines()]
    assert any("failed broken (1 of 3, 1 failed" in line for line in lines)
    assert any("done two (3 of 3, 1 failed" in line for line in lines)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--shard", "5/2"), "Shard 5/2"),
        (("--shard", "all"), "2/8"),
        (("--manifest", "none.csv"), "none.csv"),
        ((), "name at least one slide"),
    ],
)
def test_what_cannot_be_asked(
    scans: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    slides = [scans] if arguments else []
    done = glisson("segment", *slides, "-o", tmp_path / "out", *arguments)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert not (tmp_path / "out").exists()


def test_a_second_run_adds_to_the_folder_or_refuses_other_settings(
    scans: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert glisson("segment", scans / "one.svs", "-o", out).returncode == 0
    second = glisson("segment", scans / "two.svs", "-o", out)
    assert second.returncode == 0, second.stderr
    assert "Tables and report hold all 2 slides of the folder" in second.stdout
    assert "Warning" not in second.stderr
    wider = ("--interface-width", 50)
    refused = glisson("segment", scans / "one.svs", "-o", out, *wider)
    assert refused.returncode == 2
    assert "--keep-old keeps them" in " ".join(refused.stderr.split())
