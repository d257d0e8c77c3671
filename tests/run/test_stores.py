"""Runs whose slides and results lie on a store give what runs here give, and go on as they do."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glisson.errors import OutputError, SettingsError
from glisson.frames import PixelSize, Size
from glisson.inputs import assign_pseudonyms, list_slides
from glisson.run.executors import Shard
from glisson.run.gather import gather
from glisson.run.segment import segment
from glisson.run.settings import RunSettings
from glisson.storage import Url, store
from glisson_phantom.writing import write_pyramid
from tests.run.secrets import told
from tests.run.test_dask import Start, start
from tests.run.test_shards import outputs
from tests.scenes import biopsy_labels, coloured
from tests.stores import memory, no_waiting, s3, s3_server, stored_keys

__all__ = ["memory", "no_waiting", "s3", "s3_server", "start"]

SCANS, RESULTS = "s3://bucket/scans/", "s3://bucket/results"


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half of the scene at 1 µm/px, which is quicker."""
    rgb = coloured(biopsy_labels()[:, :1200]).astype(int)
    texture = np.random.default_rng(0).normal(0, 9, rgb.shape[:2])[..., None]
    pixels = np.clip(rgb + texture * (rgb[..., 1:2] < 240), 0, 255).astype(np.uint8)
    path = tmp_path_factory.mktemp("scene") / "a.svs"
    write_pyramid(path, pixels, Size(*pixels.shape[1::-1]), PixelSize(1, 1), quality=95)
    return path


@pytest.fixture
def scans(slide: Path, tmp_path: Path, s3: Any) -> Path:
    """Two slides and a broken one, here and on the store."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in "ab":
        shutil.copyfile(slide, folder / f"{name}.svs")
    (folder / "bad.svs").write_bytes(slide.read_bytes()[:3000])
    for path in folder.iterdir():
        s3.upload_file(str(path), "bucket", f"scans/{path.name}")
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> RunSettings:
    return RunSettings(cache=tmp_path / "cache")


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What is read from stores: names and bytes."""
    found: list[tuple[str, int]] = []
    real = store.read

    def read(url: Url, start: int, end: int) -> bytes:
        found.append((url.name, max(0, end - start)))
        return real(url, start, end)

    for module in ("transfer", "range_file", "companions"):
        monkeypatch.setattr(f"glisson.storage.{module}.read", read)

    def identify(url: Url, start: int, end: int) -> bytes:
        found.append((f"identity of {url.name}", max(0, end - start)))
        return real(url, start, end)

    monkeypatch.setattr("glisson.results.identity.read", identify)
    return found


def of_slides(fetched: list[tuple[str, int]]) -> int:
    """Bytes of slides that were read."""
    return sum(size for name, size in fetched if name.endswith(".svs"))


def brought(s3: Any, to: Path, prefix: str = "results/") -> Path:
    for key in stored_keys(s3):
        if key.startswith(prefix):
            path = to / key.removeprefix(prefix)
            path.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file("bucket", key, str(path))
    return to


def outcomes(run: Any) -> list[tuple[str, str]]:
    return [(each.name, each.outcome) for each in run.slides]


def test_a_run_on_a_store_is_the_run_here(
    scans: Path, s3: Any, settings: RunSettings, tmp_path: Path, fetched: list[tuple[str, int]]
) -> None:
    far = segment(SCANS, RESULTS, settings=settings)
    assert outcomes(far) == [("a", "done"), ("b", "done"), ("bad", "failed")]
    assert far.out == Url(RESULTS)
    assert far.slides[0].folder == Url(f"{RESULTS}/a")
    assert "s3://bucket/scans/bad.svs" in (far.slides[2].error or "")
    segment(scans, tmp_path / "here")
    here, there = outputs(tmp_path / "here"), outputs(brought(s3, tmp_path / "there"))
    assert set(here) == set(there)
    del here["failures.csv"], there["failures.csv"]  # each names the slide where it was
    assert here == there
    assert not list((tmp_path / "cache" / "results").iterdir())
    assert not [key for key in stored_keys(s3) if "/." in key]
    images = json.loads((tmp_path / "there" / "qupath" / "project.qpproj").read_text("utf-8"))
    assert images["images"][0]["serverBuilder"]["uri"] == "file:///bucket/scans/a.svs"

    done, fetched[:] = of_slides(fetched), []
    again = segment(SCANS, RESULTS, settings=settings)
    assert outcomes(again) == [("a", "kept"), ("b", "kept"), ("bad", "failed")]
    assert of_slides(fetched) < done  # nothing but the ends, of which a small slide consists
    project = s3.get_object(Bucket="bucket", Key="results/qupath/project.qpproj")["Body"].read()
    assert json.loads(project) == images
    run = json.loads(s3.get_object(Bucket="bucket", Key="results/run.json")["Body"].read())
    assert [each["outcome"] for each in run["slides"]] == ["done", "done", "failed"]


def test_slides_here_and_results_there_are_kept_whichever_way(
    scans: Path, s3: Any, settings: RunSettings, tmp_path: Path, fetched: list[tuple[str, int]]
) -> None:
    segment(scans / "a.svs", RESULTS, settings=settings)
    assert of_slides(fetched) == 0
    shutil.rmtree(tmp_path / "cache")
    run = segment(f"{SCANS}a.svs", RESULTS, settings=settings)
    assert outcomes(run) == [("a", "kept")]
    size = (scans / "a.svs").stat().st_size
    assert of_slides(fetched) == min(size, 2 << 20)  # its ends: its identity is made of them
    here = segment(f"{SCANS}a.svs", tmp_path / "out", settings=settings)
    assert outcomes(here) == [("a", "done")]
    again = segment(scans / "a.svs", tmp_path / "out")
    assert outcomes(again) == [("a", "kept")]


def test_shards_on_a_store_joined_are_the_run(
    scans: Path, s3: Any, settings: RunSettings, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="s3://bucket/parts holds no slides"):
        gather("s3://bucket/parts")
    table = "slide,patient\n../scans/b.svs,P7\n"
    s3.put_object(Bucket="bucket", Key="tables/slides.csv", Body=table.encode())
    asked = list_slides(["s3://bucket/scans/*.svs"], "s3://bucket/tables/slides.csv")
    assert [each.patient for each in asked] == [None, "P7", None]
    everything = [each.path for each in list_slides(["s3://bucket/scans"])]
    assert everything == [each.path for each in asked]
    for number in (2, 1):
        segment(asked, "s3://bucket/parts", settings=settings, executor=Shard(number, 2))
    joined = gather("s3://bucket/parts")
    assert outcomes(joined) == [("a", "done"), ("b", "done"), ("bad", "failed")]
    segment(asked, "s3://bucket/whole", settings=settings)
    whole = outputs(brought(s3, tmp_path / "whole", "whole/"))
    parts = outputs(brought(s3, tmp_path / "parts", "parts/"))
    assert whole == parts
    with (tmp_path / "parts" / "biopsies.csv").open(encoding="utf-8", newline="") as file:
        assert [row["patient"] for row in csv.DictReader(file)] == ["", "P7"]


def test_a_changed_slide_or_setting_is_done_again_and_leaves_nothing_old(
    scans: Path, s3: Any, settings: RunSettings
) -> None:
    def again(**changed: Any) -> tuple[str, str | None]:
        run = segment(f"{SCANS}a.svs", RESULTS, settings=RunSettings(settings.mpp, **changed))
        return run.slides[0].outcome, run.slides[0].because

    cache: dict[str, Any] = {"cache": settings.cache}
    assert again(**cache) == ("done", None)
    s3.put_object(Bucket="bucket", Key="results/a/thumbnails/mine.png", Body=b"mine")
    assert again(**cache) == ("kept", None)
    assert again(**cache, interface_width_um=50) == ("done", "changed: settings")
    assert "results/a/thumbnails/mine.png" in stored_keys(s3), "nobody's own file is deleted"
    s3.put_object(Bucket="bucket", Key="results/a/overview.png", Body=b"half")
    assert again(**cache, interface_width_um=50) == ("done", "missing or damaged: overview.png")
    body = (scans / "a.svs").read_bytes() + b" "
    s3.put_object(Bucket="bucket", Key="scans/a.svs", Body=body)
    assert again(**cache, interface_width_um=50) == ("done", "changed: slide")


def test_outlines_corrected_on_the_store_are_kept(
    scans: Path, s3: Any, settings: RunSettings
) -> None:
    segment(f"{SCANS}a.svs", RESULTS, settings=settings)
    key = "results/a/tracts.geojson"
    mine = s3.get_object(Bucket="bucket", Key=key)["Body"].read().replace(b"PT 1", b"mine")
    for number, width_um in ((1, 50), (2, 60)):
        s3.put_object(Bucket="bucket", Key=key, Body=mine)
        (done,) = segment(
            f"{SCANS}a.svs",
            RESULTS,
            settings=RunSettings(cache=settings.cache, interface_width_um=width_um),
        ).slides
        assert done.outcome == "done"
        aside = f"results/a.edited-{number}/tracts.geojson"
        assert s3.get_object(Bucket="bucket", Key=aside)["Body"].read() == mine
        assert b"mine" not in s3.get_object(Bucket="bucket", Key=key)["Body"].read()


@pytest.mark.usefixtures("no_waiting")
def test_a_store_that_fails_while_results_are_written_leaves_the_slide_undone(
    scans: Path, s3: Any, settings: RunSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was written, the next run finds no manifest and does the slide; no `.edited`."""
    import s3fs

    segment(f"{SCANS}a.svs", RESULTS, settings=settings)
    real = s3fs.S3FileSystem._call_s3

    async def failing(self: Any, method: str, *others: Any, **options: Any) -> Any:
        if method == "put_object" and options["Key"].endswith("overview.png"):
            raise ConnectionResetError("the store went away")
        return await real(self, method, *others, **options)

    wider = RunSettings(cache=settings.cache, interface_width_um=50)
    with monkeypatch.context() as patch:
        patch.setattr(s3fs.S3FileSystem, "_call_s3", failing)
        with pytest.raises(OutputError, match="the store went away"):
            segment(f"{SCANS}a.svs", RESULTS, settings=wider)
    assert "results/a/manifest.json" not in stored_keys(s3)
    run = segment(f"{SCANS}a.svs", RESULTS, settings=wider)
    assert outcomes(run) == [("a", "done")]
    keys = stored_keys(s3)
    assert "results/a/manifest.json" in keys
    assert not [key for key in keys if ".edited" in key or "/." in key]
    assert outcomes(segment(f"{SCANS}a.svs", RESULTS, settings=wider)) == [("a", "kept")]


def test_results_that_a_lost_process_did_not_store_are_stored(
    scans: Path, s3: Any, settings: RunSettings, tmp_path: Path
) -> None:
    """Finished here, in the run's working copy, by a process that died before they were written."""
    from glisson.model import find_model
    from glisson.run.execution import do_task
    from glisson.run.observer import SilentObserver
    from glisson.run.task import SlideTask
    from tests.scenes import ColourModel

    here = tmp_path / "working copy"
    segment(scans / "a.svs", here)
    (asked,) = list_slides([scans / "a.svs"])
    task = SlideTask(asked, "a", 1, here, settings, Url(RESULTS))
    done = do_task(task, find_model(None), ColourModel(), SilentObserver())
    assert done.outcome == "done"
    assert "results/a/manifest.json" in stored_keys(s3)


@pytest.mark.parametrize("name", ["m.mrxs", "d"])
def test_results_never_take_the_place_of_a_slides_own_folder(
    name: str, memory: Any, tmp_path: Path
) -> None:
    for key in ("m.mrxs", "m/Data0001.dat", "d/1.dcm"):
        memory.pipe(f"/scans/{key}", b"1")
        (tmp_path / key).parent.mkdir(exist_ok=True)
        (tmp_path / key).write_bytes(b"1")
    for folder in ("memory://scans", str(tmp_path)):
        with pytest.raises(SettingsError, match="part of the slide"):
            segment(f"{folder}/{name}", folder)


@pytest.mark.usefixtures("no_waiting")
def test_a_slide_that_does_not_come_costs_itself(
    scans: Path, s3: Any, settings: RunSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    real = s3fs.S3FileSystem._call_s3

    async def stalling(self: Any, method: str, *others: Any, **options: Any) -> Any:
        if method == "get_object" and options["Key"] == "scans/a.svs":
            raise OSError("no word from the store")
        return await real(self, method, *others, **options)

    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", stalling)
    run = segment(SCANS, tmp_path / "out", settings=settings)
    assert outcomes(run) == [("a", "failed"), ("b", "done"), ("bad", "failed")]
    assert "s3://bucket/scans/a.svs cannot be read: no word from the store" in (
        run.slides[0].error or ""
    )


def test_nothing_there(slide: Path, s3: Any, settings: RunSettings, tmp_path: Path) -> None:
    from glisson.errors import DamagedSlide, StorageError

    with pytest.raises((StorageError, DamagedSlide), match="does not exist"):
        segment("s3://bucket/none.svs", tmp_path / "out", settings=settings)
    s3.put_object(Bucket="bucket", Key="texts/a.txt", Body=b"text")
    with pytest.raises(SettingsError, match="holds no slide"):
        segment("s3://bucket/texts/", tmp_path / "out", settings=settings)
    with pytest.raises(SettingsError, match="at least one"):
        segment("s3://bucket/texts/*.svs", tmp_path / "out", settings=settings)
    with pytest.raises(OutputError, match="nowhere"):
        segment(slide, "s3://nowhere/results", settings=settings)


def test_an_ome_pyramid_is_read_by_range(
    s3: Any,
    settings: RunSettings,
    tmp_path: Path,
    fetched: list[tuple[str, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("glisson.storage.range_file.BLOCK_BYTES", 1 << 16)
    rgb = coloured(biopsy_labels()[:, :1200].repeat(4, 0).repeat(4, 1)).astype(int)
    texture = np.random.default_rng(0).normal(0, 9, rgb.shape[:2])[..., None]
    pixels = np.clip(rgb + texture * (rgb[..., 1:2] < 240), 0, 255).astype(np.uint8)
    path = tmp_path / "o.ome.tif"
    height, width = pixels.shape[:2]
    write_pyramid(path, pixels, Size(width, height), PixelSize(0.25, 0.25), style="ome", quality=95)
    s3.upload_file(str(path), "bucket", "scans/o.ome.tif")
    run = segment("s3://bucket/scans/o.ome.tif", tmp_path / "far", settings=settings)
    read_bytes = sum(size for name, size in fetched if name == "o.ome.tif")
    segment(path, tmp_path / "near")
    assert outcomes(run) == [("o.ome", "done")]
    assert outputs(tmp_path / "far") == outputs(tmp_path / "near")
    assert not (tmp_path / "cache" / "slides").exists()
    assert 0 < read_bytes < path.stat().st_size / 4


@pytest.mark.parametrize("name", ["Mirax2-Fluorescence-2.mrxs", "dicom"])
def test_real_slides_of_several_files(
    name: str, fixtures_dir: Path, s3: Any, settings: RunSettings, tmp_path: Path
) -> None:
    from glisson.run.observer import SilentObserver
    from glisson.run.opening import open_run_slide
    from glisson.slides import open_slide

    source = fixtures_dir / "slides"
    files = [source / name, *(source / Path(name).stem).glob("*")]
    if name == "dicom":
        files = [source / "dicom-sm-50px.dcm"]
    for path in files:
        key = path.relative_to(source).as_posix() if name != "dicom" else f"dicom/{path.name}"
        s3.upload_file(str(path), "bucket", f"scans/{key}")
    there = Url(f"s3://bucket/scans/{name}")
    own = RunSettings(cache=settings.cache, mpp=0.5)
    here = files[0]
    with (
        open_run_slide(there, own, 1.0, SilentObserver(), "a") as (far, _),
        open_slide(here, mpp=0.5) as near,
    ):
        assert far.info.size_l0 == near.info.size_l0
        assert far.info.level_downsamples == near.info.level_downsamples


def cli(*arguments: object, cache: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from glisson.cli import main; main()", *map(str, arguments)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "GLISSON_CACHE": str(cache), "COLUMNS": "80", "NO_COLOR": "1"},
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kills a group of processes")
def test_the_command_line_killed_and_gone_on(scans: Path, s3: Any, tmp_path: Path) -> None:
    """In a process of its own; the first run is killed when a slide is on the store."""
    cache = tmp_path / "cache"
    first = cli("segment", SCANS, "-o", RESULTS, cache=cache)
    while first.poll() is None and "results/a/manifest.json" not in stored_keys(s3):
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    second = cli("-v", "segment", SCANS, "-o", RESULTS, cache=cache)
    out, errors = second.communicate()
    assert second.returncode == 1, errors
    assert "kept a" in errors
    assert f"Results: {RESULTS}" in out
    assert "topsecret" not in out + errors
    assert not list((cache / "results").iterdir())
    assert "results/report.html" in stored_keys(s3)


def test_no_secret_is_left_anywhere(
    slide: Path, tmp_path: Path, settings: RunSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signed address, of a slide that is done and of one that is not there."""
    pytest.importorskip("aiohttp")
    address = serve_ranges(slide.parent, monkeypatch)
    signed = [f"{address}/{name}?X-Amz-Signature=hidden" for name in ("a.svs", "none.svs")]
    run = segment(signed, tmp_path / "out", settings=settings)
    assert outcomes(run) == [("a", "done"), ("none", "failed")]
    segment(signed, tmp_path / "parts", settings=settings, executor=Shard(1, 1))
    assert (tmp_path / "parts" / "none" / "failed.json").is_file()
    assert "hidden" not in repr(run)
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert b"hidden" not in path.read_bytes(), path


def serve_ranges(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A web server that hands out parts of a folder's files; ends with the process."""
    import threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(False)

        def do_GET(self) -> None:
            self.answer(True)

        def answer(self, with_body: bool) -> None:
            path = folder / self.path.lstrip("/").split("?")[0]
            if "hidden" not in self.path or not path.is_file():
                self.send_error(404)
                return
            body, status = path.read_bytes(), 200
            if "Range" in self.headers:
                first, last = self.headers["Range"].removeprefix("bytes=").split("-")
                body, status = body[int(first) : int(last) + 1], 206
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", '"1"')
            self.end_headers()
            if with_body:
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def test_a_run_here_imports_nothing_of_stores(slide: Path) -> None:
    code = (
        "import sys; import glisson.cli; from glisson.inputs import list_slides\n"
        "from glisson.run.settings import RunSettings\n"
        "from glisson.results.identity import read_identity\n"
        "from glisson.run.observer import SilentObserver\n"
        "from glisson.results.remote import open_results\n"
        "from glisson.run.opening import open_run_slide\n"
        f"(asked,) = list_slides([{str(slide)!r}])\n"
        "with open_run_slide(asked.path, RunSettings(), 1.0, SilentObserver(), 'a') as (_, path):\n"
        "    read_identity(path)\n"
        f"with open_results(asked.path.parent / 'out') as results:\n"
        "    results.download_all(); results.upload_run()\n"
        "assert not {'fsspec', 's3fs', 'aiohttp'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_on_a_cluster_every_worker_has_its_cache(
    scans: Path, s3: Any, start: Start, tmp_path: Path
) -> None:
    """The workers share neither the run's folder nor its cache."""
    scheduler, _ = start(2)
    done = cli("segment", SCANS, "-o", RESULTS, "--dask", scheduler, cache=tmp_path / "cache")
    _, errors = done.communicate()
    assert done.returncode == 1, errors
    cli("segment", scans, "-o", tmp_path / "here", cache=tmp_path / "cache").communicate()
    here, there = outputs(tmp_path / "here"), outputs(brought(s3, tmp_path / "there"))
    del here["failures.csv"], there["failures.csv"]
    assert here == there
    again = cli("segment", SCANS, "-o", RESULTS, "--dask", scheduler, cache=tmp_path / "other")
    _, errors = again.communicate()
    assert "kept a" in errors


def test_pseudonyms_hide_a_slide_of_a_store(
    scans: Path, s3: Any, settings: RunSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "Xylander-4711"
    s3.upload_file(str(scans / "a.svs"), "bucket", f"{secret}/{secret}.svs")
    s3.upload_file(str(scans / "bad.svs"), "bucket", f"{secret}/{secret}-2.svs")
    table = tmp_path / "map.csv"
    table.write_text(
        f"slide,pseudonym\ns3://bucket/{secret}/{secret}.svs,case-a\n{secret}-2.svs,case-b\n",
        "utf-8",
    )
    with caplog.at_level("DEBUG", logger="glisson"):
        asked = assign_pseudonyms(list_slides([f"s3://bucket/{secret}/"]), table)
        caplog.clear()  # listing the folder came before
        run = segment(asked, RESULTS, settings=settings)
        assert outcomes(run) == [("case-b", "failed"), ("case-a", "done")]
        again = segment(asked, RESULTS, settings=settings)
        assert outcomes(again) == [("case-b", "failed"), ("case-a", "kept")]
    assert secret not in caplog.text
    assert secret not in str(run.slides)
    assert told(brought(s3, tmp_path / "there"), secret) == []
    segment(f"{SCANS}a.svs", f"{RESULTS}2", settings=settings)
    with pytest.raises(SettingsError, match="without --pseudonyms"):
        segment(asked, f"{RESULTS}2", settings=settings)
