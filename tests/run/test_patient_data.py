"""What a slide says of its patient stays in the slide; with a pseudonym, so does its name."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openslide
import pytest

from glisson.errors import SettingsError, SlideError
from glisson.inputs import SlideEntry, assign_pseudonyms, list_slides
from glisson.run.executors import Shard
from glisson.run.gather import gather
from glisson.run.remeasure import measure
from glisson.run.segment import segment
from tests.run.secrets import told, write_aperio, write_dicom, write_ome

NAME, SECRET = "DoeJohnQ7", "ZebraFinch42"
WRITERS: dict[str, Callable[[Path, str], Path]] = {
    f"{NAME}.svs": write_aperio, f"{NAME}.ome.tif": write_ome, NAME: write_dicom,
}  # fmt: skip


def archive(folder: Path) -> Path:
    """A folder whose name and files tell the patient."""
    place = folder / f"archive of {NAME}"
    place.mkdir(exist_ok=True)
    return place


def pseudonym_table(folder: Path, text: str) -> Path:
    path = folder / "map.csv"
    path.write_text(f"slide,pseudonym\n{text}", encoding="utf-8")
    return path


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.fixture(params=list(WRITERS), ids=["aperio", "ome", "dicom"])
def slide(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if WRITERS[request.param] is write_dicom:
        pytest.importorskip("pydicom")
    return WRITERS[request.param](archive(tmp_path) / request.param, SECRET)


def test_the_search_finds_what_is_there(slide: Path) -> None:
    assert told(slide.parent, SECRET)
    assert told(slide.parent, NAME)


def test_with_a_pseudonym_neither_name_nor_metadata_comes_out(
    slide: Path, tmp_path: Path, logs: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    table = pseudonym_table(slide.parent, f"{slide.name},P-001\n")
    result = segment(assign_pseudonyms(list_slides([slide]), table), tmp_path / "out")
    assert [each.outcome for each in result.slides] == ["done"]
    assert (tmp_path / "out" / "P-001" / "tracts.geojson").is_file()
    for secret in (NAME, SECRET):
        assert told(tmp_path / "out", secret) == []
        assert secret.casefold() not in (logs.text + repr(result) + "".join(capfd.readouterr())
                                         ).casefold()  # fmt: skip
    assert not (tmp_path / "out" / "qupath").exists()


def test_outlines_are_corrected_without_the_name(tmp_path: Path) -> None:
    slide = write_aperio(archive(tmp_path) / f"{NAME}.svs", SECRET)
    segment([SlideEntry(slide, pseudonym="P-001")], tmp_path / "out")
    (tmp_path / "P-001.geojson").write_bytes(
        (tmp_path / "out" / "P-001" / "tracts.geojson").read_bytes()
    )
    (corrected,) = measure(tmp_path / "out", tmp_path / "P-001.geojson").slides
    assert (corrected.name, corrected.error) == ("P-001", None)
    assert told(tmp_path / "out", NAME) + told(tmp_path / "out", SECRET) == []


@pytest.mark.slow
def test_the_command_line_says_no_name(tmp_path: Path) -> None:
    """With a process for the slides, the real model, and every message there is."""
    place = archive(tmp_path)
    write_aperio(place / f"{NAME}.svs", SECRET)
    (place / f"{NAME} b.svs").write_bytes(b"broken")
    table = pseudonym_table(place, f"{NAME}.svs,A\n{NAME} b.svs,B\n")
    command = [sys.executable, "-c", "from glisson.cli import main; main()", "-v", "segment"]
    done = subprocess.run(
        [*command, *sorted(place.glob("*.svs")), "--pseudonyms", table, "-o", tmp_path / "out"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "A" in done.stdout
    for secret in (NAME, SECRET):
        assert secret not in done.stdout + done.stderr
        assert told(tmp_path / "out", secret) == []


def test_without_one_only_the_file_name_and_path_come_out(
    slide: Path, tmp_path: Path, logs: pytest.LogCaptureFixture
) -> None:
    segment(slide, tmp_path / "out")
    assert SECRET.casefold() not in logs.text.casefold()
    where = told(tmp_path / "out", SECRET)
    # The files of a DICOM slide are called by the secret here; one of them is the slide's file.
    assert where == [] or slide.is_dir()
    assert told(tmp_path / "out", NAME)


@pytest.mark.parametrize("keep", [0, 3000, 0.5])
def test_a_damaged_slide_fails_without_its_name(
    keep: float, tmp_path: Path, logs: pytest.LogCaptureFixture
) -> None:
    place = archive(tmp_path)
    for number, name in enumerate((f"{NAME}.svs", f"{NAME}.ome.tif")):
        whole = WRITERS[name](place / f"whole{number}", SECRET)
        data = whole.read_bytes()
        length = int(keep * len(data)) if 0 < keep < 1 else int(keep)
        (place / name).write_bytes(data[:length])
        whole.unlink()
    (place / f"{NAME}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + NAME.encode())
    (place / f"{NAME}.mrxs").write_bytes(b"x")
    rows = [f"{path.name},P{n}\n" for n, path in enumerate(sorted(place.iterdir()))]
    table = pseudonym_table(place, "".join(rows) + f"{NAME}.bif,Q\n")
    slides = sorted(path for path in place.iterdir() if path != table)
    asked = assign_pseudonyms(list_slides([*slides, place / f"{NAME}.bif"]), table)
    assert repr(asked).count(NAME) == 0
    said = ""
    try:
        result = segment(asked, tmp_path / "out")
        said = repr(result)
        assert len(result.failed) >= 3
    except SlideError as error:
        said = repr(error)
    assert NAME not in said + logs.text
    assert SECRET not in said + logs.text
    assert told(tmp_path / "out", NAME) == []


def without_times(out: Path) -> dict[str, Any]:
    """All that a run wrote, but for what tells when and how long."""
    found: dict[str, Any] = {}
    for path in sorted(p for p in out.rglob("*") if p.is_file()):
        data: Any = path.read_bytes()
        if path.suffix in (".json", ".html"):
            data = re.sub(rb'"[a-z_]*(seconds|memory)[a-z_]*": (\{[^}]*\}|[0-9.]+)', b"", data)
            data = re.sub(rb"20\d\d-[\d:T+ -]+|\d+\.\d s\b", b"", data)
            data = re.sub(rb'"biopsy.json": "[0-9a-f]+"', b"", data)
        found[path.relative_to(out).as_posix()] = data
    return found


def test_not_one_byte_depends_on_the_name(tmp_path: Path) -> None:
    """So no hash of it is there either, such as in the outlines' ids."""
    scene = write_aperio(tmp_path / "first name.svs", SECRET)
    other = tmp_path / "elsewhere" / "second.svs"
    other.parent.mkdir()
    other.write_bytes(scene.read_bytes())
    for number, path in enumerate((scene, other)):
        segment([SlideEntry(path, pseudonym="P-001")], tmp_path / f"out{number}")
    one, two = without_times(tmp_path / "out0"), without_times(tmp_path / "out1")
    assert one == two
    assert "P-001/biopsy.json" in one


def test_shards_resumed_and_joined_keep_to_pseudonyms(tmp_path: Path) -> None:
    place = archive(tmp_path)
    for number in (1, 2):
        write_aperio(place / f"{NAME} {number}.svs", SECRET)
    table = pseudonym_table(tmp_path, f"{place.name}/{NAME} 1.svs,A\n{place.name}/{NAME} 2.svs,B\n")
    asked = assign_pseudonyms(list_slides([place]), table)
    for number in (1, 2, 3, 1):  # the third has nothing to do
        part = segment(asked, tmp_path / "out", executor=Shard(number, 3))
    assert [each.outcome for each in part.slides] == ["kept"]
    joined = gather(tmp_path / "out")
    assert [(each.name, each.slide) for each in joined.slides] == [
        ("A", Path("A")), ("B", Path("B")),
    ]  # fmt: skip
    assert told(tmp_path / "out", NAME) == []
    assert not (tmp_path / "out" / "qupath").exists()


def test_a_folder_that_names_slides_is_not_mixed_with_one_that_does_not(
    tmp_path: Path,
) -> None:
    slide = write_aperio(tmp_path / "slide.svs", SECRET)
    segment(slide, tmp_path / "out")
    with pytest.raises(SettingsError, match="without --pseudonyms"):
        segment([SlideEntry(slide, pseudonym="P-001")], tmp_path / "out")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("a.svs,P1\n", "number 2"),
        ("a.svs,P1\nb-long.svs,P1\n", "lines 2 and 3: the same pseudonym"),
        ("a.svs,p1\nb-long.svs,P1\n", "lines 2 and 3: the same pseudonym"),
        ("a.svs,P1\na.svs,P2\n", "lines 2 and 3: the same slide"),
        ("a.svs,P1\nb-long.svs,\n", "line 3: pseudonym is empty"),
        ("a.svs,P1\nb-long.svs,../x\n", "line 3"),
        ("a.svs,P1\nb-long.svs,x/y\n", "line 3"),
        ("a.svs,P1\nb-long.svs,NUL\n", "line 3"),
        ("a.svs,P1\nb-long.svs,qupath\n", "line 3"),
        ("a.svs,P1\nb-long.svs,=1+1\n", "line 3"),
        ("a.svs,P1\nb-long.svs,x b-long y\n", "line 3"),
        ("a.svs,P1\nb-long.svs,B-LONG\n", "line 3.*own name"),
        ("a.svs,P1\nb-long.svs,xB-LONG\n", "line 3.*own name"),
        ("a.svs,P1\nb-long.svs,-long\n", "line 3"),
        ("a.svs,P1\nb-long.svs,b-lon\n", "line 3.*own name"),
        ("a.svs,P1\nb-long.svs,P2,x\n", "line 3"),
        ("", "lists no slide"),
    ],
)
def test_a_wrong_table_of_pseudonyms_is_refused_before_any_work(
    tmp_path: Path, lines: str, said: str
) -> None:
    for name in ("a.svs", "b-long.svs"):
        (tmp_path / name).touch()
    asked = list_slides([tmp_path])
    with pytest.raises(SettingsError, match=said) as raised:
        assign_pseudonyms(asked, pseudonym_table(tmp_path, lines))
    assert "b-long" not in str(raised.value)


def test_a_patient_that_the_name_tells_is_refused(tmp_path: Path) -> None:
    (tmp_path / "S21-1234_A.svs").touch()
    asked = [SlideEntry(tmp_path / "S21-1234_A.svs", patient="S21-1234")]
    with pytest.raises(SettingsError, match=r"line 2.*patient"):
        assign_pseudonyms(asked, pseudonym_table(tmp_path, "S21-1234_A.svs,P1\n"))


def test_one_name_for_two_slides_is_refused(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.svs").touch()
    asked = list_slides([tmp_path / "*" / "same.svs"])
    with pytest.raises(SettingsError, match=r"line 2: several slides"):
        assign_pseudonyms(asked, pseudonym_table(tmp_path, "same.svs,P1\n"))


@pytest.fixture
def no_associated_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever decodes a label, a macro or a thumbnail fails."""

    def refuse(*_: Any) -> Any:
        raise AssertionError("an associated image was read")

    for name in (
        "read_associated_image",
        "read_associated_image_icc_profile",
        "get_associated_image_names",
        "get_associated_image_dimensions",
    ):
        monkeypatch.setattr(openslide.lowlevel, name, refuse)
    monkeypatch.setattr(openslide.OpenSlide, "associated_images", property(refuse))


def test_labels_and_macros_are_never_read(
    slide: Path, tmp_path: Path, no_associated_images: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tifffile

    decode = tifffile.TiffPage.decode.func

    def only_the_slide(page: Any) -> Any:
        assert page.imagewidth > 300, "a label was decoded"
        return decode(page)

    if slide.name.endswith(".ome.tif"):
        monkeypatch.setattr(tifffile.TiffPage, "decode", property(only_the_slide))
    (result,) = segment(slide, tmp_path / "out").slides
    assert result.outcome == "done"
    images = json.loads((tmp_path / "out" / "qupath" / "project.qpproj").read_text())["images"]
    assert len(images) == 1
    assert not list((tmp_path / "out" / "qupath").rglob("*.jpg"))


def test_the_trap_for_associated_images_works(tmp_path: Path, no_associated_images: None) -> None:
    path = write_aperio(tmp_path / "a.svs", SECRET)
    with openslide.OpenSlide(path) as handle, pytest.raises(AssertionError):
        handle.associated_images  # noqa: B018


def test_a_real_slide_with_a_label_is_read_without_it(
    fixtures_dir: Path, no_associated_images: None
) -> None:
    from glisson.slides import open_slide
    from glisson.tissue import find_tissue

    with open_slide(fixtures_dir / "slides" / "aperio-cmu1-small-region.svs") as slide:
        find_tissue(slide)
