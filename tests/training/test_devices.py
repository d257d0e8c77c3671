"""Training on two processes, as on two graphics cards."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from glisson.errors import SettingsError
from glisson.training.batches import Order
from glisson.training.checkpoint import LAST, load_checkpoint
from glisson.training.devices import launch_fabric

SCRIPT = """
import sys
from pathlib import Path
import torch
from glisson.training.devices import launch_fabric
from glisson.training.loop import Trainer
from glisson.training.recipe import TrainSettings
from glisson.training.record import Record
from tests.training.scene import QUICK, ColourTiles, tiny_network

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    fabric = launch_fabric("cpu", "2", precision="f32")
    settings = TrainSettings(fabric=fabric)
    trainer = Trainer(tiny_network(), ColourTiles(validation=9), QUICK, folder, settings)
    trainer.run(Record(folder, "two"))
    torch.save(trainer.network.module.state_dict(), folder / f"rank-{fabric.global_rank}.pt")
"""


@pytest.mark.slow
def test_two_processes_train_one_network(tmp_path: Path) -> None:
    script = tmp_path / "train_on_two.py"
    script.write_text(SCRIPT, encoding="utf-8")
    folder = tmp_path / "run"
    paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    subprocess.run([sys.executable, script, folder], env=environment, check=True, timeout=300)
    state = load_checkpoint(folder / LAST)
    ranks = [torch.load(folder / f"rank-{rank}.pt", weights_only=True) for rank in (0, 1)]
    for name, value in state["network"].items():
        assert torch.equal(value, ranks[0][name]), name
        assert torch.equal(value, ranks[1][name]), name
    rows = list(csv.DictReader((folder / "history.csv").read_text().splitlines()))
    assert [row["epoch"] for row in rows] == ["1.0", "2.0", "3.0", "4.0"]
    assert float(rows[-1]["train_loss"]) < float(rows[0]["train_loss"])
    assert state["progress"]["step"] == 4 * 3, "24 tiles, 8 a step over both"


def test_the_last_tiles_of_a_validation_may_be_fewer_than_the_devices() -> None:
    orders = [Order(9, 0, 8, rank, 2, is_shuffled=False) for rank in (0, 1)]
    assert [list(order) for order in orders] == [[[0, 2, 4, 6], [8]], [[1, 3, 5, 7]]]


@pytest.mark.parametrize(
    "wrong", [{"accelerator": "cuda"}, {"precision": "8"}, {"devices": "none"}]
)
def test_devices_that_are_not_there(wrong: dict[str, str]) -> None:
    if wrong.get("accelerator") == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has one")
    with pytest.raises(SettingsError):
        launch_fabric(**wrong)
