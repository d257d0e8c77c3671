"""The paper's model part on three tiny slides, and once more without doing it again."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path

import pytest

from glisson_phantom import Case, plan_cohort
from glisson_phantom.reproduction.reproduce import ReproduceSettings, reproduce

SITES = ("monza-aperio", "hannover-aperio", "palermo-philips")


def _tiny_cases() -> list[Case]:
    cases = {case.site: case for case in plan_cohort("paper", share=0.001, mpp=1.0)}
    return [
        replace(
            cases[site],
            settings=replace(
                cases[site].settings, length_mm=1.2, pieces=1, ribbons=1, stage=3, diagnosis="aih"
            ),
        )
        for site in SITES
    ]


@pytest.mark.slow
def test_it_goes_from_slides_to_the_page_and_does_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module("glisson_phantom.reproduction.reproduce")
    monkeypatch.setattr(module, "plan_cohort", lambda *_: _tiny_cases())
    settings = ReproduceSettings(epochs=1, tiles_per_epoch=16, mpps=(2.0,))
    told: list[str] = []
    page = reproduce(tmp_path, settings, told.append).read_text(encoding="utf-8")
    for title in ("Table 1.", "Table 2.", "Table 3.", "Fig. 1.", "as published", "Training",
                  "Whole portal tracts", "Exported models", "SYNTHETIC"):  # fmt: skip
        assert title in page, title
    assert any("epoch 1" in line for line in told)
    assert (tmp_path / "exported-2um" / "model.pt").exists()
    made = [*tmp_path.glob("cohort/*.svs"), tmp_path / "model-2um" / "best.pt"]
    before = {path: path.stat().st_mtime_ns for path in made}
    told.clear()
    reproduce(tmp_path, settings, told.append)
    assert before == {path: path.stat().st_mtime_ns for path in made}
    assert not any("epoch" in line for line in told)
