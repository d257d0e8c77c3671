"""The verb `glisson train`: a network from annotated slides or tiles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from glisson.cli.commands import DEVICES, INPUT, OUTPUT, TRAINING
from glisson.cli.console import console, output, warn
from glisson.cli.model_choice import say_which_model
from glisson.cli.options import Out, Seed
from glisson.cli.study_options import (
    Annotations,
    Classes,
    Force,
    HoldOut,
    Size,
    SplitBy,
    TileMpp,
    Validation,
    refuse_beside_tiles,
    refuse_options,
)
from glisson.cli.train_options import (
    Arithmetic,
    Batch,
    Epochs,
    Preset,
    PresetChoice,
    TilesPerEpoch,
    TrainPrecision,
    Weights,
)
from glisson.dataset import (
    ANNOTATIONS,
    AnnotationSettings,
    SplitSettings,
    SplitUnit,
    is_tile_folder,
    parse_meanings,
)
from glisson.dataset.manifest import MANIFEST_FILE
from glisson.errors import SettingsError
from glisson.training import DataSettings, require_extra

if TYPE_CHECKING:
    from glisson.training.progress import TrainObserver


EXAMPLES = """\
glisson train tiles/1.25um -o run --licence CC-BY-4.0
glisson train study/cases.csv -o run --at-mpp 1.25 --hold-out Palermo
glisson train tiles/2um -o run --preset paper --accelerator cuda --devices 4"""

_OF_SLIDES = ("at_mpp", "size", "annotations", "classes", "force", "split", "hold_out")
_OF_MANIFEST = ("mpp", "validation")
_SLIDES_HAVE_MPP = (
    "slides have their own µm per pixel (override_mpp in cases.csv corrects it). Give --at-mpp to "
    "read them at another."
)


def train(
    context: typer.Context,
    data: Annotated[
        Path,
        typer.Argument(
            help="Folder of tiles, or a study of annotated slides.",
            metavar="DATA",
            show_default=False,
        ),
    ],
    out: Out,
    mpp: TileMpp = None,
    at_mpp: Annotated[
        float | None,
        typer.Option(
            metavar="UM",
            help="µm per pixel to read slides at.",
            show_default="that of the weights, or 2",
            rich_help_panel=INPUT,
        ),
    ] = None,
    size: Size = 256,
    annotations: Annotations = None,
    classes: Classes = None,
    force: Force = False,
    split: SplitBy = SplitUnit.PATIENT,
    hold_out: HoldOut = None,
    validation: Validation = 0.2,
    preset: PresetChoice = Preset.GLISSON,
    network: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="segformer-b0 to -b5, efficientnet-lite0 to -lite2, or timm:NAME.",
            show_default="the preset's",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    weights: Weights = None,
    epochs: Epochs = None,
    batch: Batch = None,
    learning_rate: Annotated[
        float | None,
        typer.Option("--lr", metavar="RATE", help="Learning rate.", rich_help_panel=TRAINING),
    ] = None,
    tiles_per_epoch: TilesPerEpoch = None,
    accelerator: Annotated[
        str,
        typer.Option(metavar="KIND", help="cpu, cuda, mps or auto.", rich_help_panel=DEVICES),
    ] = "auto",
    devices: Annotated[
        str,
        typer.Option(
            metavar="N", help="Number of devices, or auto for all.", rich_help_panel=DEVICES
        ),
    ] = "1",
    nodes: Annotated[
        int, typer.Option(metavar="N", help="Number of machines.", rich_help_panel=DEVICES)
    ] = 1,
    precision: Arithmetic = TrainPrecision.AUTO,
    workers: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Extra processes that read tiles.",
            rich_help_panel=DEVICES,
        ),
    ] = 0,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Name of the new model.",
            show_default="that of the folder",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Licence of the new model.", rich_help_panel=OUTPUT),
    ] = None,
    trained_on: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="Description of the training data.", rich_help_panel=OUTPUT
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Resume a run that was stopped.", rich_help_panel=OUTPUT),
    ] = False,
    seed: Seed = 0,
) -> None:
    """Train a network on annotated slides, or on tiles that `glisson tiles` wrote.

    Writes curves, TensorBoard logs, checkpoints, a sheet of augmented tiles to judge, and the
    best epoch as a model that `glisson segment --model OUT/model` takes.
    """
    require_extra()
    from glisson.training.devices import launch_fabric
    from glisson.training.network import find_network_of_weights
    from glisson.training.plan import plan_training
    from glisson.training.recipe import NOT_STATED, TrainSettings, make_recipe

    say_which_model(weights)
    decided = find_network_of_weights(weights) if weights else None
    if network and decided:
        raise SettingsError("The weights to start from decide the network: leave --network out.")
    recipe = make_recipe(
        preset.value,
        network=network or decided,
        epochs=epochs,
        batch=batch,
        learning_rate=learning_rate,
        tiles_per_epoch=tiles_per_epoch,
        seed=seed,
    )
    fabric = launch_fabric(accelerator, devices, nodes, precision.value)
    if not is_tile_folder(data):
        refuse_options(context, ("mpp",), _SLIDES_HAVE_MPP)
    else:
        refuse_beside_tiles(context, _OF_SLIDES, data)
        if (data / MANIFEST_FILE).exists():
            refuse_beside_tiles(context, _OF_MANIFEST, data)
    settings = TrainSettings(
        weights, workers, resume, licence, trained_on or NOT_STATED, name, fabric
    )
    reading = DataSettings(
        at_mpp=at_mpp,
        size_px=size,
        annotations=AnnotationSettings(
            annotations or ANNOTATIONS, parse_meanings(classes or ()), force
        ),
        split=SplitSettings(split, validation, tuple(hold_out or ()), seed),
        tiles_mpp=mpp,
    )
    with console.status("reading annotations") as status:
        plan = plan_training(
            data,
            recipe,
            settings,
            reading,
            lambda name, done, total: status.update(f"slide {done} of {total}: {escape(name)}"),
        )
    for warning in plan.warnings:
        warn(warning)
    for note in plan.notes:
        console.print(note, highlight=False, markup=False, soft_wrap=True)
    with _Bar(out, plan.recipe.epochs) as bar:
        result = plan.run(out, bar.make_record(f"{out.name}: {preset.value}"))
    progress, bundle = result.progress, result.model
    if bundle:  # on the first device
        best = progress.history[progress.best_epoch - 1]
        output.print(
            f"best epoch {progress.best_epoch} of {progress.epoch}: validation Dice "
            f"{best['validation_mean_dice']:.3f}, portal {best['validation_portal_dice']:.3f}; "
            f"{progress.seconds / 60:.1f} min",
            highlight=False,
        )
        output.print(f"model: {bundle.folder}", highlight=False, soft_wrap=True)


class _Bar:
    """A bar of the run, and a line for every finished epoch."""

    def __init__(self, folder: Path, epochs: int) -> None:
        self._folder, self._epochs = folder, epochs
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TimeRemainingColumn(),
            TextColumn("loss {task.fields[loss]:.3f}"),
            console=console,
            transient=True,
        )
        self._task: TaskID = self._progress.add_task("starting", total=None, loss=0.0)

    def make_record(self, title: str) -> TrainObserver:
        """Make the observer that writes the run's files and moves this bar."""
        from glisson.training.record import Record

        return Record(self._folder, title, self._move, self._print_epoch)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _move(self, epoch: int, batch: int, batches: int, loss: float) -> None:
        self._progress.update(
            self._task,
            completed=epoch * batches + batch,
            total=self._epochs * batches,
            loss=loss,
            description=f"epoch {epoch + 1} of {self._epochs}",
        )

    def _print_epoch(self, row: dict[str, float]) -> None:
        console.print(
            f"epoch {row['epoch']:.0f}: loss {row['train_loss']:.4f}, validation loss "
            f"{row['validation_loss']:.4f}, Dice {row['validation_mean_dice']:.3f}, portal "
            f"{row['validation_portal_dice']:.3f}",
            highlight=False,
        )
