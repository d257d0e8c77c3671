"""What every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from glisson_phantom import MadePhantom, PhantomSettings, make_phantom

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "fixtures"


@pytest.fixture(scope="session")
def fixtures_dir() -> Path:
    """Real slides, liver images and GeoJSON, which are not part of the repository."""
    folder = Path(os.environ.get("GLISSON_FIXTURES", _BESIDE))
    if not folder.is_dir():
        pytest.skip(f"no fixtures at {folder}; set GLISSON_FIXTURES to run this test")
    return folder


PHANTOM = PhantomSettings(seed=5, length_mm=4, stage=2, diagnosis="aih", mpp=1.0, artefacts=0)


@pytest.fixture(scope="session")
def shared_phantom(tmp_path_factory: pytest.TempPathFactory) -> MadePhantom:
    """A phantom slide of 4 mm (`PHANTOM`) with all its truth files; tests only read it."""
    return make_phantom(tmp_path_factory.mktemp("phantom") / "p.tif", PHANTOM, "tiff")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Compiled models and fetched slides of tests go to their own place, not to the user's."""
    os.environ["GLISSON_CACHE"] = str(tmp_path_factory.getbasetemp().parent / "glisson-cache")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest test first: begun last, it would leave the other processors idle."""
    items.sort(key=lambda item: "test_reproduce" not in item.nodeid)
