"""The page in a real browser: on a phone, a laptop and paper, in light and in dark."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.records import record as typed
from tests.report.test_page import HOSTILE, RUN, ReportSlide, record, write_report

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--virtual-time-budget=3000",
)  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> str:
    for name in _BROWSERS:
        if found := shutil.which(name):
            return found
    pytest.skip(f"no browser: none of {', '.join(_BROWSERS)} is installed")


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    slides = [ReportSlide(f"core {k}", typed(record(30)), None, None) for k in range(6)]
    write_report(path, RUN, [*slides, ReportSlide(HOSTILE, typed(record()), None, None)])
    return path


def run(browser: str, report: Path, *flags: str) -> str:
    folder = f"--user-data-dir={report.parent / 'browser'}"
    command = [browser, *_FLAGS, folder, *flags, report.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=240, check=True)
    return done.stdout.decode()


def screenshot(browser: str, report: Path, width: int, *flags: str) -> np.ndarray:
    path = report.parent / "shot.png"
    run(browser, report, f"--screenshot={path}", f"--window-size={width},900", *flags)
    return np.asarray(Image.open(path).convert("L"))


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
def test_light_and_dark(browser: str, report: Path, width: int) -> None:
    light = screenshot(browser, report, width)
    dark = screenshot(browser, report, width, "--blink-settings=preferredColorScheme=0")
    assert np.median(light) > 240
    assert np.median(dark) < 40
    for picture in (light, dark):
        assert (np.abs(picture.astype(int) - np.median(picture)) > 60).mean() > 0.01


@pytest.mark.slow
def test_the_script_runs_under_the_policy_and_no_other(browser: str, report: Path) -> None:
    document = run(browser, report, "--dump-dom")
    assert document.count('<button type="button">') > 9  # headings became buttons
    assert "onerror" not in document.replace("&lt;img src=x onerror=alert(1)&gt;", "")


@pytest.mark.slow
def test_print_unfolds_every_slide_on_pages_of_its_own(browser: str, report: Path) -> None:
    path = report.parent / "report.pdf"
    run(browser, report, f"--print-to-pdf={path}", "--no-pdf-header-footer")
    pages = path.read_bytes().count(b"/Type /Page\n")
    assert pages >= 8  # the cohort and seven slides
