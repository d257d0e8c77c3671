from __future__ import annotations

import errno
import json
import multiprocessing
import os
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from glisson.dataset import IGNORED
from glisson.errors import OutputError, SettingsError, TrainingError
from glisson.scores import confusion
from glisson.training import loop
from glisson.training.batches import Order
from glisson.training.checkpoint import (
    BEST,
    LAST,
    extract_weights,
    load_checkpoint,
    save_checkpoint,
)
from glisson.training.loop import Trainer
from glisson.training.loss import ignore_border
from glisson.training.recipe import PRESETS, Recipe, TrainSettings, make_recipe
from glisson.training.scoring import count_confusion, predict_classes
from glisson.training.session import train_model
from tests.training.scene import QUICK, ColourTiles, tiny_network

LONG = replace(QUICK, epochs=8)
SERVER = multiprocessing.get_context("forkserver")
"""Processes of their own, which share one import of torch."""
SERVER.set_forkserver_preload(["tests.training.test_loop"])


def trained(folder: Path, recipe: Recipe = QUICK, source: ColourTiles | None = None) -> Trainer:
    trainer = Trainer(tiny_network(), source or ColourTiles(), recipe, folder)
    trainer.run()
    return trainer


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Trainer:
    """A finished run of `QUICK`; tests only read it."""
    return trained(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def _one_epoch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    trained(folder, replace(QUICK, epochs=1))
    return folder


@pytest.fixture
def one_epoch(_one_epoch: Path, tmp_path: Path) -> Path:
    """A copy of a run of one epoch."""
    return shutil.copytree(_one_epoch, tmp_path / "one")


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


def test_counts_on_the_device_are_those_of_the_scores() -> None:
    draw = torch.Generator().manual_seed(3)
    logits = torch.randn((2, 3, 8, 8), generator=draw)
    labels = torch.randint(0, 4, (2, 32, 32), generator=draw, dtype=torch.uint8)
    labels[labels == 3] = IGNORED
    expected = confusion(labels.numpy(), predict_classes(logits, (32, 32)).numpy().astype(np.uint8))
    assert np.array_equal(count_confusion(logits, labels), expected)


@pytest.mark.slow
def test_it_learns(tmp_path: Path) -> None:
    recipe = replace(QUICK, epochs=25, augmentation="none")
    history = trained(tmp_path, recipe).progress.history
    assert len(history) == 25
    assert history[-1]["validation_loss"] < 0.6 * history[0]["validation_loss"]
    assert history[-1]["validation_mean_dice"] > 0.8


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_runs(tmp_path: Path, name: str) -> None:
    history = trained(tmp_path, make_recipe(name, epochs=1, batch=8)).progress.history
    assert np.isfinite(history[0]["validation_loss"])


def test_resuming_after_any_step_gives_the_same_weights(
    tmp_path: Path, whole: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(Exception):
        pass

    class StopAt:
        def __init__(self, step: int) -> None:
            self.left = step

        def step_done(self, *_: object) -> None:
            self.left -= 1
            if not self.left:
                raise Stopped

        def epoch_done(self, *_: object) -> None:
            pass

    folder = tmp_path / "cut"
    for step in (2, 3):
        trainer = Trainer(tiny_network(), ColourTiles(), QUICK, folder)
        monkeypatch.setattr("glisson.training.loop._CHECKPOINT_SECONDS", -1.0)
        with pytest.raises(Stopped):
            trainer.run(StopAt(step))
        monkeypatch.undo()
    resumed = Trainer(tiny_network(), ColourTiles(), QUICK, folder)
    resumed.run()
    assert same(whole.network.state_dict(), resumed.network.state_dict())
    assert same(whole.validation_network.state_dict(), resumed.validation_network.state_dict())
    assert whole.progress.history == resumed.progress.history


def train_long(folder: Path) -> None:
    loop._CHECKPOINT_SECONDS = 0.05
    Trainer(tiny_network(), ColourTiles(), LONG, folder).run()


def test_resume_after_kill_9(tmp_path: Path) -> None:
    """A real process, really killed, twice."""
    whole = trained(tmp_path / "whole", LONG)
    folder = tmp_path / "killed"
    for _ in range(2):
        before = (folder / LAST).stat().st_mtime_ns if (folder / LAST).exists() else 0
        process = SERVER.Process(target=train_long, args=(folder,))
        process.start()
        until = time.monotonic() + 120
        while process.is_alive() and time.monotonic() < until:
            if (folder / LAST).exists() and (folder / LAST).stat().st_mtime_ns > before:
                break
            time.sleep(0.005)
        process.kill()
        process.join()
    assert load_checkpoint(folder / LAST)["progress"]["step"] < 3 * LONG.epochs, (
        "killed before its end"
    )
    resumed = trained(folder, LONG)
    assert same(whole.network.state_dict(), resumed.network.state_dict())
    assert whole.progress.history == resumed.progress.history


@pytest.mark.slow
def test_best_is_the_epoch_of_the_lowest_validation_loss(tmp_path: Path) -> None:
    trainer = trained(tmp_path, replace(QUICK, learning_rate=0.03, epochs=8))
    losses = [row["validation_loss"] for row in trainer.progress.history]
    state = load_checkpoint(tmp_path / BEST)
    assert state["progress"]["best_epoch"] == int(np.argmin(losses)) + 1
    assert trainer.progress.best_loss == min(losses)


def test_early_stopping_and_plateau(tmp_path: Path) -> None:
    recipe = replace(
        PRESETS["paper"], batch=8, epochs=60, learning_rate=1e-9, stop_patience=7,
        plateau_patience=2, augmentation="none",
    )  # fmt: skip
    trainer = trained(tmp_path, recipe)
    progress = trainer.progress
    assert progress.epoch < 60
    assert progress.epoch - progress.best_epoch == 7
    assert progress.rate_factor == pytest.approx(0.01)


def test_no_number_for_a_loss_stops_with_the_last_checkpoint_whole(one_epoch: Path) -> None:
    network = tiny_network()
    torch.nn.init.constant_(network.decode_head.classifier.weight, float("nan"))
    with pytest.raises(TrainingError, match="loss of step 1 is nan"):
        Trainer(network, ColourTiles(), QUICK, one_epoch).run(resume=False)
    assert load_checkpoint(one_epoch / LAST)["progress"]["epoch"] == 1


def test_gradients_that_are_no_numbers_never_reach_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer(tiny_network(), ColourTiles(), QUICK, tmp_path)
    before = {name: each.clone() for name, each in trainer.network.module.named_parameters()}
    backward = trainer.fabric.backward

    def broken(loss: torch.Tensor) -> None:
        backward(loss)
        next(trainer.network.module.parameters()).grad[:] = float("inf")

    monkeypatch.setattr(trainer.fabric, "backward", broken)
    with pytest.raises(TrainingError, match=r"gradient of step 1 .*another folder"):
        trainer.run()
    assert same(before, dict(trainer.network.module.named_parameters()))
    assert not (tmp_path / LAST).exists()


def test_a_validation_loss_that_is_no_number_is_not_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer(tiny_network(), ColourTiles(), replace(QUICK, ema_decay=0.5), tmp_path)

    def poisoned() -> None:
        torch.nn.init.constant_(
            trainer.validation_network.decode_head.classifier.bias, float("nan")
        )

    monkeypatch.setattr(trainer, "_share_statistics", poisoned)
    with pytest.raises(TrainingError, match="validation loss"):
        trainer.run()
    assert not (tmp_path / LAST).exists()


def test_gradients_are_clipped_by_their_norm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    norms = []
    trainer = Trainer(tiny_network(), ColourTiles(), replace(QUICK, clip_norm=0.01), tmp_path)
    step = trainer.optimizer.step

    def noted() -> None:
        grads = [p.grad.norm() for p in trainer.network.module.parameters() if p.grad is not None]
        norms.append(float(torch.stack(grads).norm()))
        step()

    monkeypatch.setattr(trainer.optimizer, "step", noted)
    trainer.run()
    assert max(norms) <= 0.0101


@pytest.mark.parametrize("mpp", [0.5, 1.0, 2.0])
def test_the_ignored_border_is_as_wide_as_stated(mpp: float) -> None:
    labels = np.ones((80, 80), np.uint8)
    labels[:, 40:] = 2
    blind = ignore_border(labels, 4.0 / mpp) == IGNORED
    assert blind.sum(axis=1)[40] == 2 * round(4.0 / mpp)
    assert blind[40, 40 - round(4.0 / mpp) : 40 + round(4.0 / mpp)].all()


def test_another_recipe_does_not_go_on(one_epoch: Path) -> None:
    with pytest.raises(TrainingError, match=r"another run .*batch"):
        trained(one_epoch, replace(QUICK, epochs=1, batch=4))


def test_other_tiles_do_not_go_on(one_epoch: Path) -> None:
    with pytest.raises(TrainingError, match=r"another run .*splits"):
        trained(one_epoch, replace(QUICK, epochs=1), ColourTiles(training=23, validation=9))


def test_other_first_weights_do_not_go_on_and_spoil_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glisson.training.session.write_best_epoch", lambda *_: None)
    recipe, source = replace(QUICK, epochs=1, tiles_per_epoch=8), ColourTiles()
    weights = tmp_path / "weights"
    tiny_network().save_pretrained(weights)
    run = tmp_path / "run"
    train_model(source, recipe, run, TrainSettings(str(weights)))
    before = (run / "train.json").read_bytes()
    with pytest.raises(TrainingError, match=r"another run .*weights"):
        train_model(
            source, replace(recipe, network="segformer-b0"), run, TrainSettings(resume=True)
        )
    assert (run / "train.json").read_bytes() == before
    assert json.loads(before)["recipe"]["network"] == "segformer-other"


def die_while_saving(path: Path) -> None:
    def write_half(_: object, unfinished: Path) -> None:
        unfinished.write_bytes(b"half of it")
        os.kill(os.getpid(), signal.SIGKILL)

    torch.save = write_half
    save_checkpoint(path, {})


def test_killed_while_it_writes_a_checkpoint(one_epoch: Path) -> None:
    before = (one_epoch / LAST).read_bytes()
    process = SERVER.Process(target=die_while_saving, args=(one_epoch / LAST,))
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    assert (one_epoch / LAST).read_bytes() == before
    assert trained(one_epoch, replace(QUICK, epochs=1)).progress.epoch == 1


def test_a_full_disk_keeps_the_checkpoint_before(
    one_epoch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (one_epoch / LAST).read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OutputError, match=r"[Ss]pace"):
        save_checkpoint(one_epoch / LAST, {})
    assert (one_epoch / LAST).read_bytes() == before
    assert sorted(p.name for p in one_epoch.iterdir()) == [BEST, LAST]


@pytest.mark.parametrize("damage", ["cut", "pickle"])
def test_damaged_checkpoints_are_refused(one_epoch: Path, damage: str) -> None:
    path = one_epoch / LAST
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    else:
        torch.save({"network": Path("/"), "recipe": 1, "progress": 2}, path)
    with pytest.raises(TrainingError, match="no checkpoint of Glisson"):
        load_checkpoint(path)


def test_the_weights_of_a_checkpoint_are_the_average(whole: Trainer) -> None:
    state = load_checkpoint(whole.folder / LAST)
    assert same(extract_weights(state), whole.validation_network.state_dict())
    assert not same(extract_weights(state), state["network"])


def test_a_split_without_portal_is_refused_before_work(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no portal"):
        Trainer(tiny_network(), ColourTiles(portal=False), QUICK, tmp_path)


@pytest.mark.parametrize("wrong", [{"augmentation": "x"}, {"batch": 0}])
def test_recipes_that_cannot_be(wrong: dict) -> None:
    with pytest.raises(SettingsError):
        make_recipe("paper", **wrong)


def test_every_tile_is_seen_once_an_epoch_over_all_devices() -> None:
    orders = [Order(24, 0, 8, rank, 2, seed=1) for rank in range(2)]
    seen = sorted(position for order in orders for batch in order for position in batch)
    assert seen == list(range(24))
    first = list(orders[0])
    orders[0].start_at(0, 2)
    assert list(orders[0]) == first[2:]
    orders[0].start_at(1)
    assert list(orders[0]) != first


def test_rare_tiles_come_as_often_as_asked() -> None:
    rare = [3, 17]
    order = Order(40, 0, 8, seed=1, favoured=rare, share=0.5)
    seen = [position for batch in order for position in batch]
    assert len(seen) == 40
    assert [seen.count(position) for position in rare] == [10, 10]
    assert max(seen.count(position) for position in set(range(40)) - set(rare)) == 1
    frequent = Order(40, 0, 8, seed=1, favoured=range(30), share=0.5)
    assert sorted(p for batch in frequent for p in batch) == list(range(40))


def test_few_tiles_fill_a_batch_by_coming_again() -> None:
    (batch,) = list(Order(5, 0, 8, seed=1))
    assert len(batch) == 8
    assert set(batch) == set(range(5))
