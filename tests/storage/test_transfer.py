"""Downloads: whole slides with their companions, in pieces, into a folder that is deleted."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from glisson.errors import OutputError, StorageError
from glisson.storage import Url, download_slide, find_slide_files, transfer
from glisson.storage.transfer import _SPARE_BYTES

KB = 1000


def ignore_progress(_done_bytes: int, _all_bytes: int) -> None:
    """Do nothing."""


def content(name: str, size: int) -> bytes:
    return (name.encode() * size)[:size]


def stored(store: Any, name: str, size: int) -> Url:
    store.pipe(f"/box/{name}.svs", content(name, size))
    return Url(f"memory://box/{name}.svs")


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Make pieces of 1000 bytes; return where every requested piece began."""
    real, starts = transfer.read, []

    def read(url: Url, start: int, end: int) -> bytes:
        starts.append(start)
        return real(url, start, end)

    monkeypatch.setattr(transfer, "read", read)
    monkeypatch.setattr(transfer, "PIECE_BYTES", KB)
    return starts


def test_a_slide_is_downloaded_in_pieces_and_deleted(
    memory: Any, pieces: list[int], tmp_path: Path
) -> None:
    slide = find_slide_files(stored(memory, "a", 2500))
    calls: list[tuple[int, int]] = []
    with download_slide(slide, tmp_path, lambda done, total: calls.append((done, total))) as path:
        assert path.name == "a.svs"
        assert path.read_bytes() == content("a", 2500)
    assert pieces == [0, 1000, 2000]
    assert calls == [(0, 2500), (1000, 2500), (2000, 2500), (2500, 2500)]
    assert list(tmp_path.iterdir()) == []


def test_a_slide_that_changes_during_its_download_is_rejected(
    memory: Any, pieces: list[int], tmp_path: Path
) -> None:
    slide = find_slide_files(stored(memory, "a", 3 * KB))

    def change(done_bytes: int, _all_bytes: int) -> None:
        if done_bytes == KB:
            memory.pipe("/box/a.svs", content("x", 3 * KB))

    with (
        pytest.raises(StorageError, match="changed during"),
        download_slide(slide, tmp_path, change),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_an_output_error(memory: Any, tmp_path: Path) -> None:
    slide = find_slide_files(stored(memory, "a", KB))
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(OutputError, match="--cache"),
        download_slide(slide, tmp_path / "file", ignore_progress),
    ):
        pass


def test_a_slide_that_the_disk_cannot_hold_is_not_downloaded(
    memory: Any, pieces: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slide = find_slide_files(stored(memory, "large", 20 * KB))
    nearly_full = shutil.disk_usage(tmp_path)._replace(free=_SPARE_BYTES + 10 * KB)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: nearly_full)
    with (
        pytest.raises(StorageError, match="no room"),
        download_slide(slide, tmp_path, ignore_progress),
    ):
        pass
    assert pieces == []


def test_companions_come_along(memory: Any, tmp_path: Path) -> None:
    keys = "m.mrxs m/Slidedat.ini m/Data0001.dat other.mrxs other/Data0001.dat d/1.dcm d/2.dcm "
    keys += "d/readme.txt v_0.jpg v_map.jpg w_0.jpg"
    for key in keys.split():
        memory.pipe(f"/box/{key}", key.encode())
    vms = "[Virtual Microscope Specimen]\nImageFile=v_0.jpg\nMapFile=v_map.jpg\nNoLayers=1\n"
    memory.pipe("/box/v.vms", vms.encode())
    found = {
        name: [file.path for file in find_slide_files(Url(f"memory://box/{name}")).files]
        for name in ("m.mrxs", "d", "d/2.dcm", "v.vms")
    }
    assert found == {
        "m.mrxs": ["m.mrxs", "m/Data0001.dat", "m/Slidedat.ini"],
        "d": ["d/1.dcm", "d/2.dcm"],
        "d/2.dcm": ["2.dcm", "1.dcm"],
        "v.vms": ["v.vms", "v_0.jpg", "v_map.jpg"],
    }
    for name, path in (("m.mrxs", "m/Data0001.dat"), ("d", "d/1.dcm")):
        slide = find_slide_files(Url(f"memory://box/{name}"))
        with download_slide(slide, tmp_path, ignore_progress) as opened:
            assert (opened.parent / path).read_bytes() == path.encode()
            files = [each for each in opened.parent.rglob("*") if each.is_file()]
            assert len(files) == len(slide.files)


DOWNLOADER = """
import sys, time
from pathlib import Path
import fsspec
from glisson.storage import Url, download_slide, find_slide_files, transfer
transfer.PIECE_BYTES = 1000
fsspec.filesystem("memory").pipe("/box/a.svs", b"1" * 7500)
def stop(done_bytes, all_bytes):
    if done_bytes == 3000:
        print("three", flush=True)
        time.sleep(600)
with download_slide(find_slide_files(Url("memory://box/a.svs")), Path(sys.argv[1]), stop):
    pass
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process")
def test_the_next_download_deletes_what_a_killed_one_left(memory: Any, tmp_path: Path) -> None:
    killed = subprocess.Popen(
        [sys.executable, "-c", DOWNLOADER, str(tmp_path)], stdout=subprocess.PIPE
    )
    assert killed.stdout is not None
    assert killed.stdout.readline() == b"three\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert len(list(tmp_path.iterdir())) == 1
    slide = find_slide_files(stored(memory, "a", 7500))
    with download_slide(slide, tmp_path, ignore_progress) as path:
        assert path.read_bytes() == content("a", 7500)
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []
