"""The cache: whole slides or none, within its size, shared by several runs, whatever is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glisson.errors import OutputError, SettingsError, StorageError
from glisson.storage import SlideCache, Url, slide_cache, slide_files
from glisson.storage import download as downloading
from glisson.storage.cache import _LEFT_FREE_BYTES

KB = 1000
SIZES_KB = (3, 5, 8, 13)


def silent(_there: int, _total: int) -> None:
    """Nobody is told."""


def content(name: str, size: int) -> bytes:
    return (name.encode() * size)[:size]


def stored(store: Any, name: str, size: int) -> Url:
    store.pipe(f"/box/{name}.svs", content(name, size))
    return Url(f"memory://box/{name}.svs")


def names_in(cache: Path) -> set[str]:
    return {path.stem for path in (cache / "slides").glob("*/*")}


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Pieces are of 1000 bytes; where each that was asked for began."""
    real, asked = downloading.read, []

    def read(url: Url, start: int, end: int) -> bytes:
        asked.append(start)
        return real(url, start, end)

    monkeypatch.setattr(downloading, "read", read)
    monkeypatch.setattr(downloading, "PIECE_BYTES", KB)
    return asked


def test_a_slide_is_fetched_once_in_pieces(memory: Any, pieces: list[int], tmp_path: Path) -> None:
    slide = slide_files(stored(memory, "a", 2500))
    cache = SlideCache(tmp_path, 10 * KB)
    told: list[tuple[int, int]] = []
    for _ in range(2):
        with cache.held(slide, lambda there, total: told.append((there, total))) as path:
            assert path.name == "a.svs"
            assert path.read_bytes() == content("a", 2500)
    assert pieces == [0, 1000, 2000]
    assert told == [(0, 2500), (1000, 2500), (2000, 2500), (2500, 2500)]


def test_a_changed_slide_is_fetched_again(memory: Any, tmp_path: Path) -> None:
    cache = SlideCache(tmp_path, 10 * KB)
    for name in ("a", "b"):  # of the same size, at the same address
        memory.pipe("/box/a.svs", content(name, 2 * KB))
        with cache.held(slide_files(Url("memory://box/a.svs")), silent) as path:
            assert path.read_bytes() == content(name, 2 * KB)


def test_a_slide_that_changes_while_it_is_fetched_is_not_kept(
    memory: Any, pieces: list[int], tmp_path: Path
) -> None:
    slide = slide_files(stored(memory, "a", 3 * KB))
    cache = SlideCache(tmp_path, 10 * KB)

    def change(there: int, _total: int) -> None:
        if there == KB:
            memory.pipe("/box/a.svs", content("x", 3 * KB))

    with pytest.raises(StorageError, match="changed while"), cache.held(slide, change):
        pass
    assert names_in(tmp_path) == set()
    assert not list((tmp_path / "parts").iterdir())


def test_what_was_damaged_here_is_fetched_again(memory: Any, tmp_path: Path) -> None:
    slide = slide_files(stored(memory, "a", 2 * KB))
    cache = SlideCache(tmp_path, 10 * KB)
    with cache.held(slide, silent) as path:
        pass
    path.write_bytes(b"half")
    with cache.held(slide, silent) as path:
        assert path.read_bytes() == content("a", 2 * KB)


def test_a_slide_larger_than_the_cache_is_said(memory: Any, tmp_path: Path) -> None:
    slide = slide_files(stored(memory, "a", 11 * KB))
    with (
        pytest.raises(StorageError, match="--cache-gb"),
        SlideCache(tmp_path, 10 * KB).held(slide, silent),
    ):
        pass


def test_a_folder_that_cannot_be_written_to_is_an_output_error(memory: Any, tmp_path: Path) -> None:
    slide = slide_files(stored(memory, "a", KB))
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(OutputError, match="--cache"),
        SlideCache(tmp_path / "file", 10 * KB).held(slide, silent),
    ):
        pass


def test_no_slide_in_use_makes_room_and_the_wait_for_it_ends(
    memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glisson.storage.cache._LOOK_AGAIN_S", 0.01)
    one, two = (slide_files(stored(memory, name, 6 * KB)) for name in "ab")
    cache = SlideCache(tmp_path, 10 * KB)
    with ExitStack() as using:
        first = using.enter_context(cache.held(one, silent))
        monkeypatch.setattr("glisson.storage.cache._LONGEST_WAIT_S", 0.05)
        with pytest.raises(StorageError, match="other runs use"), cache.held(two, silent):
            pass
        assert first.read_bytes() == content("a", 6 * KB)
        monkeypatch.setattr("glisson.storage.cache._LONGEST_WAIT_S", 60)
        threading.Timer(0.1, using.pop_all().close).start()
        with cache.held(two, silent) as second:
            assert second.read_bytes() == content("b", 6 * KB)
            assert not first.exists()


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, len(SIZES_KB) - 1), st.booleans()), min_size=1, max_size=12
    )
)
def test_least_recently_used_go_first_and_those_in_use_never(
    memory: Any, steps: list[tuple[int, bool]]
) -> None:
    """Against a list: each step uses a slide; a small one may stay in use to the end."""
    limit = 20 * KB
    slides = [
        slide_files(stored(memory, f"s{number}", size * KB)) for number, size in enumerate(SIZES_KB)
    ]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as using:
        cache, expected, in_use = SlideCache(Path(folder), limit), list[int](), set[int]()
        for number, keep in steps:
            with cache.held(slides[number], silent) as path:
                assert path.stat().st_size == SIZES_KB[number] * KB
                present = number in expected
                expected = [each for each in expected if each != number]
                for each in list(expected):
                    room = limit - KB * sum(SIZES_KB[other] for other in expected)
                    if present or room >= SIZES_KB[number] * KB:
                        break
                    if each not in in_use:
                        expected.remove(each)
                expected.append(number)
                assert names_in(Path(folder)) == {f"s{each}" for each in expected}
            if keep and number == 0:  # 3 of 20 kB: leaves room for every other
                using.enter_context(cache.held(slides[0], silent))
                in_use.add(0)
                expected.append(expected.pop(expected.index(0)))
            used = sum(path.stat().st_size for path in Path(folder).glob("slides/*/*"))
            assert used <= limit


@pytest.mark.parametrize("text", ["0", "-1", "much", "nan", "inf"])
def test_an_impossible_size_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLISSON_CACHE_GB", text)
    with pytest.raises(SettingsError, match="--cache-gb"):
        slide_cache()


FETCHER = """
import sys, time
from pathlib import Path
from glisson.storage import SlideCache, Url, slide_files, download
real, pieces = download.read, []
def read(url, start, end):
    if len(pieces) == 3:
        print("three", flush=True)
        time.sleep(600)
    pieces.append(start)
    return real(url, start, end)
download.read, download.PIECE_BYTES = read, 1000
cache = SlideCache(Path(sys.argv[1]), 100_000)
with cache.held(slide_files(Url("s3://bucket/a.svs")), lambda *_: None):
    pass
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills a process")
def test_a_killed_download_is_gone_on_with(s3: Any, pieces: list[int], tmp_path: Path) -> None:
    body = os.urandom(7500)
    s3.put_object(Bucket="bucket", Key="a.svs", Body=body)
    fetcher = subprocess.Popen(
        [sys.executable, "-c", FETCHER, str(tmp_path)], stdout=subprocess.PIPE, env=os.environ
    )
    assert fetcher.stdout is not None
    assert fetcher.stdout.readline() == b"three\n"
    fetcher.send_signal(signal.SIGKILL)
    fetcher.communicate()
    assert not list((tmp_path / "slides").iterdir())
    cache = SlideCache(tmp_path, 100 * KB)
    with cache.held(slide_files(Url("s3://bucket/a.svs")), silent) as path:
        assert path.read_bytes() == body
    assert pieces == [3000, 4000, 5000, 6000, 7000]
    assert not list((tmp_path / "parts").iterdir())


USER = """
import random, sys
from pathlib import Path
from glisson.storage import SlideCache, Url, slide_files, download, cache
download.PIECE_BYTES, cache._LOOK_AGAIN_S = 1500, 0.01
mine, choice = SlideCache(Path(sys.argv[1]), 9000), random.Random(int(sys.argv[2]))
for _ in range(10):
    name = choice.choice("abcd")
    with mine.held(slide_files(Url(f"s3://bucket/{name}.svs")), lambda *_: None) as path:
        for _ in range(20):
            assert path.read_bytes() == name.encode() * 4000, name
"""


def test_several_runs_share_a_cache(s3: Any, tmp_path: Path) -> None:
    """Two slides fit; each of two processes uses one at a time, and reads it whole."""
    for name in "abcd":
        s3.put_object(Bucket="bucket", Key=f"{name}.svs", Body=name.encode() * 4000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONWARNINGS", "ignore")
        users = [
            subprocess.Popen(
                [sys.executable, "-c", USER, str(tmp_path), str(seed)], stderr=subprocess.PIPE
            )
            for seed in range(2)
        ]
    for user in users:
        _, errors = user.communicate(timeout=120)
        assert user.returncode == 0, errors.decode()
    used = sum(path.stat().st_size for path in tmp_path.glob("slides/*/*"))
    assert 0 < used <= 9000


def test_companions_come_along(memory: Any, tmp_path: Path) -> None:
    keys = "m.mrxs m/Slidedat.ini m/Data0001.dat other.mrxs other/Data0001.dat d/1.dcm d/2.dcm "
    keys += "d/readme.txt v_0.jpg v_map.jpg w_0.jpg"
    for key in keys.split():
        memory.pipe(f"/box/{key}", key.encode())
    vms = "[Virtual Microscope Specimen]\nImageFile=v_0.jpg\nMapFile=v_map.jpg\nNoLayers=1\n"
    memory.pipe("/box/v.vms", vms.encode())
    found = {
        name: [file.path for file in slide_files(Url(f"memory://box/{name}")).files]
        for name in ("m.mrxs", "d", "d/2.dcm", "v.vms")
    }
    assert found == {
        "m.mrxs": ["m.mrxs", "m/Data0001.dat", "m/Slidedat.ini"],
        "d": ["d/1.dcm", "d/2.dcm"],
        "d/2.dcm": ["2.dcm", "1.dcm"],
        "v.vms": ["v.vms", "v_0.jpg", "v_map.jpg"],
    }
    cache = SlideCache(tmp_path, 10 * KB)
    with cache.held(slide_files(Url("memory://box/m.mrxs")), silent) as path:
        assert (path.parent / "m" / "Data0001.dat").read_bytes() == b"m/Data0001.dat"
    with cache.held(slide_files(Url("memory://box/d")), silent) as path:
        assert sorted(each.name for each in path.iterdir()) == ["1.dcm", "2.dcm"]


def test_a_dead_process_holds_nothing(memory: Any, tmp_path: Path) -> None:
    """What a process held goes when it dies; its lock file too."""
    one, two = (slide_files(stored(memory, name, 6 * KB)) for name in "ab")
    cache = SlideCache(tmp_path, 10 * KB)
    with cache.held(one, silent) as path:
        key = path.parent.name
    (tmp_path / "held" / f"{key}.dead.lock").write_bytes(b"")
    with cache.held(two, silent):
        assert names_in(tmp_path) == {"b"}
    assert not list((tmp_path / "held").glob("*.dead.lock"))


def test_nothing_goes_for_a_slide_that_the_disk_cannot_hold(
    memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = SlideCache(tmp_path, 10**12)
    small = [slide_files(stored(memory, name, KB)) for name in "abc"]
    paths = []
    for each in small:
        with cache.held(each, silent) as path:
            paths.append(path)
    large = slide_files(stored(memory, "large", 20 * KB))
    usage = shutil.disk_usage(tmp_path)
    nearly_full = usage._replace(free=_LEFT_FREE_BYTES + 10 * KB)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: nearly_full)
    with pytest.raises(StorageError, match="no room"), cache.held(large, silent):
        pass
    assert all(path.exists() for path in paths)


def test_parts_left_by_others_go_when_room_is_needed(memory: Any, tmp_path: Path) -> None:
    cache = SlideCache(tmp_path, 10 * KB)
    left = tmp_path / "parts" / f"{'0' * 32}.{9 * KB}"
    left.mkdir(parents=True)
    time.sleep(0.01)
    with cache.held(slide_files(stored(memory, "a", 6 * KB)), silent):
        assert not left.exists()
