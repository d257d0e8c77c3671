"""A file read by range is the file; of a pyramid little is fetched."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glisson.errors import StorageError
from glisson.frames import PixelSize, RegionUm, Size
from glisson.slides import open_ome_pyramid, open_slide
from glisson.storage import Url, range_file, stat_url
from glisson.storage.range_file import RangeFile
from glisson_phantom.writing import write_pyramid


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    content=st.binary(max_size=300),
    block=st.integers(1, 64),
    steps=st.lists(
        st.tuples(st.sampled_from([0, 1, 2]), st.integers(-50, 320), st.integers(-1, 90)),
        max_size=12,
    ),
)
def test_it_reads_as_a_file_does(
    memory: Any, content: bytes, block: int, steps: list[tuple[int, int, int]]
) -> None:
    memory.pipe("/box/a.tif", content)
    plain, ranged = io.BytesIO(content), RangeFile(stat_url(Url("memory://box/a.tif")), block)
    for whence, offset, size in steps:
        base = (0, plain.tell(), len(content))[whence]
        offset = max(offset, -base)
        assert ranged.seek(offset, whence) == plain.seek(offset, whence)
        assert ranged.read(size) == plain.read(size)
        assert ranged.tell() == plain.tell()


@pytest.fixture(scope="module")
def pyramid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ome") / "p.ome.tif"
    pixels = np.random.default_rng(0).integers(0, 255, (1500, 2200, 3), np.uint8)
    write_pyramid(path, pixels, Size(2200, 1500), PixelSize(0.5, 0.5), style="ome", quality=95)
    return path


def test_of_a_pyramid_only_the_level_that_is_read_is_downloaded(
    pyramid: Path, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe("/box/p.ome.tif", pyramid.read_bytes())
    real, sizes = range_file.read, []

    def read(url: Url, start: int, end: int) -> bytes:
        sizes.append(end - start)
        return real(url, start, end)

    monkeypatch.setattr(range_file, "read", read)
    file = RangeFile(stat_url(Url("memory://box/p.ome.tif")), 1 << 14)
    region = RegionUm(0, 0, 1100, 750)
    assert open_ome_pyramid(file, Path("p.ome.tif"), None, 1) is None  # its finest is needed
    with open_ome_pyramid(file, Path("p.ome.tif"), None, 2) as far, open_slide(pyramid) as near:
        assert far.info.name == near.info.name
        for mpp in (8, 4, 2):
            assert np.array_equal(far.read(region, mpp).rgb, near.read(region, mpp).rgb)
    assert 0 < sum(sizes) < 0.4 * pyramid.stat().st_size


def test_a_store_that_stops_answering_is_no_damage(
    pyramid: Path, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe("/box/p.ome.tif", pyramid.read_bytes())
    file = RangeFile(stat_url(Url("memory://box/p.ome.tif")), 1 << 14)
    with open_ome_pyramid(file, Path("p.ome.tif"), None, 2) as slide:

        def stalled(*_: Any, **__: Any) -> bytes:
            raise TimeoutError("stalled")

        monkeypatch.setattr(type(memory), "cat_file", stalled)
        with pytest.raises(StorageError, match="stalled"):
            slide.read(RegionUm(0, 0, 1100, 750), 1)
        assert slide.damaged_l0 == ()
