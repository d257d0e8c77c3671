"""Bundles round TorchScript files of others: HOTSPoT's, and any in WSInfer's style."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt, TypeAdapter

from glisson.classes import CLASSES
from glisson.errors import InvalidBundle, UnsafeModel, WrongClasses
from glisson.model.bundle import TORCHSCRIPT_FILE
from glisson.model.networks.tensors import compute_probabilities, find_logits, import_torch
from glisson.model.safety import is_torchscript, read_small
from glisson.model.spec import (
    Architecture,
    ModelFacts,
    Mpp,
    Normalisation,
    Positive,
    WindowPx,
    check_classes,
)
from glisson.model.writing import write_description, write_self_test

_SYNONYMS = {
    "background": ("background", "glass"),
    "lobule": ("lobule", "tissue", "parenchyma", "liver"),
    "portal": ("portal", "portal tract", "portal_tract", "bileduct"),
}
_TRANSFORMS = {
    "Resize": {"size", "interpolation", "antialias"},
    "ToTensor": set[str](),
    "Normalize": {"mean", "std", "inplace"},
}
"""Steps of torchvision that Glisson applies, in this order, with the arguments it knows."""
_CLASS_OF = {synonym: name for name, synonyms in _SYNONYMS.items() for synonym in synonyms}


def read_wsinfer_facts(path: Path, name: str) -> ModelFacts:
    """Read the facts of a model from a WSInfer model zoo `config.json`.

    Where the transform resizes patches, the network sees `spacing_um_px` x patch / size µm/px in
    windows of that size.

    Args:
        path: the file.
        name: name of the model.

    Raises:
        InvalidBundle: the file is no such config, a value is out of range, or Glisson does not
            know a step of the transform.
        WrongClasses: the classes are not background, lobule (tissue), portal.
    """
    try:
        config = json.loads(read_small(path).decode("utf-8"))
        names = tuple(str(each) for each in config["class_names"])
        patch_px = TypeAdapter(PositiveInt).validate_python(config["patch_size_pixels"])
        spacing_um = TypeAdapter(Positive).validate_python(config["spacing_um_px"])
        steps = _list_steps(config.get("transform") or [])
        window_px = _read_window(steps, patch_px)
        facts = ModelFacts(
            name=name,
            mpp=TypeAdapter(Mpp).validate_python(spacing_um * patch_px / window_px),
            window_px=window_px,
            normalisation=_read_normalisation(steps),
            licence=str(config.get("license", "Not stated in the file.")),
            trained_on="Not stated in the file; see its authors' publication.",
            intended_use="As its authors say. For research, not for diagnosis.",
        )
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise InvalidBundle(f"{path} is not a WSInfer config.json: {error!r}") from error
    check_classes(tuple(_CLASS_OF.get(each.casefold(), each) for each in names), str(path))
    return facts


def _list_steps(transform: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the arguments of each step of a transform, by the step's name.

    Raises:
        ValueError: a step, its place or an argument changes pixels in a way Glisson does not.
    """
    names = [step["name"] for step in transform]
    for name in names:
        if name not in _TRANSFORMS:
            raise ValueError(
                f"Glisson does not know the transform {name}; it applies "
                f"{', '.join(_TRANSFORMS)} alone"
            )
    if names != sorted(set(names), key=list(_TRANSFORMS).index):
        raise ValueError(f"Glisson applies {', '.join(_TRANSFORMS)} once and in this order")
    steps = {step["name"]: step.get("arguments") or {} for step in transform}
    for name, arguments in steps.items():
        if unknown := sorted(set(arguments) - _TRANSFORMS[name]):
            raise ValueError(f"Glisson does not know the argument {unknown[0]} of {name}")
    return steps


def _read_window(steps: dict[str, dict[str, Any]], patch_px: int) -> int:
    """Return the side of the network's input: the size of Resize, else that of the patch."""
    size = steps["Resize"]["size"] if "Resize" in steps else patch_px
    sides = size if isinstance(size, list) else [size]
    if len(set(sides)) != 1:
        raise ValueError(f"Resize to {size} makes squares oblong; Glisson needs square windows")
    return TypeAdapter(WindowPx).validate_python(sides[0])


def _read_normalisation(steps: dict[str, dict[str, Any]]) -> Normalisation:
    if "Normalize" not in steps:
        return Normalisation()
    arguments = steps["Normalize"]
    return Normalisation(mean=tuple(arguments["mean"]), std=tuple(arguments["std"]))


def fill_from_torchscript(source: Path, folder: Path, facts: ModelFacts) -> None:
    """Write a bundle round a TorchScript file into an empty folder.

    TorchScript is code. The code runs here once, as it will whenever the model is used; so only
    `models add` accepts it.

    Raises:
        UnsafeModel: the file is a plain pickle, not TorchScript.
        InvalidBundle: the network does not run.
        WrongClasses: the network gives another number of classes.
    """
    if not is_torchscript(source):
        raise UnsafeModel(
            f"{source} is not TorchScript. A checkpoint saved with torch.save is a pickle, which "
            "can run any code when loaded: ask for the traced model, or convert it with "
            "torch.jit.trace where you trust it."
        )
    shutil.copyfile(source, folder / TORCHSCRIPT_FILE)
    tile = draw_probe_tile(facts.window_px)
    expected, stride = _probe(folder / TORCHSCRIPT_FILE, tile, facts.normalisation)
    write_self_test(folder, tile, expected)
    write_description(folder, facts, Architecture(family="torchscript"), stride)


def draw_probe_tile(side_px: int) -> NDArray[np.uint8]:
    """Draw a fixed tile in the colours of glass, liver and nuclei, (N, N, 3)."""
    rng = np.random.default_rng(11)
    y, x = np.mgrid[:side_px, :side_px]
    tile = np.where((x < side_px / 3)[..., None], (244, 243, 246), (205, 140, 175))
    nuclei = (np.hypot(x % 18 - 9, y % 18 - 9) < 3.5) & (x > side_px / 3)
    tile = np.where(nuclei[..., None], (110, 60, 130), tile)
    return np.clip(tile + rng.normal(0, 4, tile.shape), 0, 255).astype(np.uint8)


def _probe(
    path: Path, tile: NDArray[np.uint8], norm: Normalisation
) -> tuple[NDArray[np.float32], Literal[1, 4]]:
    """Run the file on a tile: probabilities at full size, and the stride of its own output."""
    torch = import_torch()
    pixels = torch.from_numpy(norm.normalise(tile[None]))
    try:
        network = torch.jit.load(path, map_location="cpu").eval()
        with torch.inference_mode():
            logits = find_logits(network(pixels)).float()
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise InvalidBundle(
            f"{path.name} does not run on a tile of {tile.shape[0]} px: {error}"
        ) from error
    stride = _find_stride(path.name, tile.shape[0], tuple(logits.shape))
    return compute_probabilities(logits, tile.shape[:2])[0].numpy(), stride


def _find_stride(name: str, side_px: int, shape: tuple[int, ...]) -> Literal[1, 4]:
    if len(shape) != 4 or shape[1] != len(CLASSES):
        raise WrongClasses(
            f"{name} gives an output of shape {shape}; a segmentation into "
            f"{len(CLASSES)} classes (1, {len(CLASSES)}, H, W) is needed."
        )
    if shape[2:] == (side_px, side_px):
        return 1
    if shape[2:] == (side_px // 4, side_px // 4):
        return 4
    raise InvalidBundle(
        f"{name} gives {shape[2:]} for {side_px} x {side_px} px; Glisson takes stride 1 or 4."
    )
