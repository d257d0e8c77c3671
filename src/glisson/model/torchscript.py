"""TorchScript files of others as bundles: HOTSPoT's, and any in WSInfer's style."""

from __future__ import annotations

import datetime
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from glisson.classes import CLASSES
from glisson.errors import InvalidBundle, UnsafeModel, WrongClasses
from glisson.model.bundle import CARD_FILE, EXPECTED_FILE, INPUT_FILE, TORCHSCRIPT_FILE
from glisson.model.export import hashes
from glisson.model.safety import is_torchscript, read_small
from glisson.model.spec import (
    CLASS_NAMES,
    SPEC_FILE,
    Architecture,
    ModelSpec,
    Normalisation,
    SelfTest,
    check_classes,
    safe_name,
)
from glisson.model.torch_runtime import import_torch, logits_of

_SYNONYMS = {
    "background": "background", "glass": "background",
    "lobule": "lobule", "tissue": "lobule", "parenchyma": "lobule", "liver": "lobule",
    "portal": "portal", "portal tract": "portal", "portal_tract": "portal", "bileduct": "portal",
}  # fmt: skip
_HOTSPOT_LICENCE = (
    "As its authors say: research use only, no commercial and no clinical use "
    "(https://github.com/Gizmopath/HOTSPoT)."
)


@dataclass(frozen=True)
class ScriptFacts:
    """What a TorchScript file does not say of itself.

    The defaults are those of the published HOTSPoT file: RGB / 255 without mean or deviation,
    256 px at 1 µm/px; background, tissue, portal in that order. `card` is the text of a model
    card, if there is one.
    """

    mpp: float = 1.0
    window_px: int = 256
    normalisation: Normalisation = field(default_factory=Normalisation)
    licence: str = _HOTSPOT_LICENCE
    trained_on: str = "Not stated in the file; see its authors' publication."
    intended_use: str = "As its authors say. For research, not for diagnosis."
    card: str = ""


def facts_from_wsinfer(path: Path) -> ScriptFacts:
    """Facts from a WSInfer model zoo `config.json`.

    Raises:
        InvalidBundle: not such a file.
        WrongClasses: its classes are not background, lobule (tissue), portal.
    """
    try:
        config = json.loads(read_small(path).decode("utf-8"))
        names = tuple(str(name) for name in config["class_names"])
        facts = ScriptFacts(
            mpp=float(config["spacing_um_px"]),
            window_px=int(config["patch_size_pixels"]),
            normalisation=_normalisation(config.get("transform", [])),
            licence=str(config.get("license", "Not stated in the file.")),
        )
        _check_facts(facts)
    except (
        OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError
    ) as error:  # fmt: skip
        raise InvalidBundle(f"{path} is not a WSInfer config.json: {error!r}") from error
    known = tuple(_SYNONYMS.get(name.casefold(), name) for name in names)
    check_classes(known, str(path))
    return facts


def _check_facts(facts: ScriptFacts) -> None:
    """Refuse what `model.json` would refuse, before a tile of that size is made."""
    if not 32 <= facts.window_px <= 8192:
        raise ValueError(f"patch_size_pixels is {facts.window_px}, not 32 to 8192")
    if not 0.05 <= facts.mpp <= 5:
        raise ValueError(f"spacing_um_px is {facts.mpp}, not 0.05 to 5")


def _normalisation(transform: list[dict[str, Any]]) -> Normalisation:
    for step in transform:
        if step.get("name") == "Normalize":
            arguments = step["arguments"]
            return Normalisation(mean=tuple(arguments["mean"]), std=tuple(arguments["std"]))
    return Normalisation()


def fill_from_torchscript(source: Path, folder: Path, name: str | None, facts: ScriptFacts) -> None:
    """Write a bundle round a TorchScript file into an empty folder.

    TorchScript is code: it is run here once, as it will be whenever the model is used, which
    is why only `models add` lets it in.

    Raises:
        UnsafeModel: a plain pickle, not TorchScript.
        InvalidBundle: it does not run.
        WrongClasses: it gives another number of classes.
    """
    if not is_torchscript(source):
        raise UnsafeModel(
            f"{source} is not TorchScript. A checkpoint saved with torch.save is a pickle, which "
            "can run any code when loaded: ask for the traced model, or convert it with "
            "torch.jit.trace where you trust it."
        )
    shutil.copyfile(source, folder / TORCHSCRIPT_FILE)
    tile = probe_tile(facts.window_px)
    expected, stride = _probe(folder / TORCHSCRIPT_FILE, tile, facts)
    np.save(folder / INPUT_FILE, tile, allow_pickle=False)
    np.save(folder / EXPECTED_FILE, expected.astype(np.float16), allow_pickle=False)
    if facts.card:
        (folder / CARD_FILE).write_text(facts.card, encoding="utf-8")
    spec = ModelSpec(
        name=safe_name(name or source.stem),
        version=hashes(folder)[TORCHSCRIPT_FILE][:12],
        classes=CLASS_NAMES,
        mpp=facts.mpp,
        window_px=facts.window_px,
        normalisation=facts.normalisation,
        architecture=Architecture(family="torchscript"),
        output_stride=stride,
        licence=facts.licence,
        trained_on=facts.trained_on,
        intended_use=facts.intended_use,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        files=hashes(folder),
        self_test=SelfTest(input=INPUT_FILE, expected=EXPECTED_FILE),
    )
    (folder / SPEC_FILE).write_text(spec.model_dump_json(indent=2) + "\n", encoding="utf-8")


def probe_tile(side_px: int) -> NDArray[np.uint8]:
    """A fixed tile in the colours of glass, liver and nuclei, (N, N, 3)."""
    rng = np.random.default_rng(11)
    y, x = np.mgrid[:side_px, :side_px]
    tile = np.where((x < side_px / 3)[..., None], (244, 243, 246), (205, 140, 175))
    nuclei = (np.hypot(x % 18 - 9, y % 18 - 9) < 3.5) & (x > side_px / 3)
    tile = np.where(nuclei[..., None], (110, 60, 130), tile)
    return np.clip(tile + rng.normal(0, 4, tile.shape), 0, 255).astype(np.uint8)


def _probe(
    path: Path, tile: NDArray[np.uint8], facts: ScriptFacts
) -> tuple[NDArray[np.float32], Literal[1, 4]]:
    """Probabilities at full size, and the stride of the network's own output."""
    torch = import_torch()
    norm = facts.normalisation
    values = (tile.astype(np.float32) * norm.scale - norm.mean) / norm.std
    pixels = torch.from_numpy(values.astype(np.float32).transpose(2, 0, 1)[None].copy())
    try:
        network = torch.jit.load(path, map_location="cpu").eval()
        with torch.inference_mode():
            logits = logits_of(network(pixels)).float()
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise InvalidBundle(
            f"{path.name} does not run on a tile of {tile.shape[0]} px: {error}"
        ) from error
    stride = _stride(path, tile, tuple(logits.shape))
    full = torch.nn.functional.interpolate(
        logits, tile.shape[:2], mode="bilinear", align_corners=False
    )
    return full.softmax(dim=1)[0].numpy(), stride


def _stride(path: Path, tile: NDArray[np.uint8], shape: tuple[int, ...]) -> Literal[1, 4]:
    if len(shape) != 4 or shape[1] != len(CLASSES):
        raise WrongClasses(
            f"{path.name} gives an output of shape {shape}; a segmentation into "
            f"{len(CLASSES)} classes (1, {len(CLASSES)}, H, W) is needed."
        )
    if shape[2:] == tile.shape[:2]:
        return 1
    if shape[2:] == (tile.shape[0] // 4, tile.shape[1] // 4):
        return 4
    raise InvalidBundle(
        f"{path.name} gives {shape[2:]} for {tile.shape[:2]}; stride 1 or 4 is known."
    )
