"""model.json: the description of a model, its input, and its self-test."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from glisson.classes import CLASSES
from glisson.errors import InvalidBundle, WrongClasses

FORMAT_VERSION: Final = 1
SPEC_FILE = "model.json"
CLASS_NAMES = tuple(c.name for c in CLASSES)

Finite = Annotated[float, Field(allow_inf_nan=False)]
Triple = tuple[Finite, Finite, Finite]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Mpp = Annotated[float, Field(ge=0.05, le=5)]
WindowPx = Annotated[int, Field(ge=32, le=2048)]
"""Memory grows with the area of a window: 8192 px took over 6 GB."""
WINDOW_MULTIPLE = 32
"""Networks halve the side of a window five times."""


class Frozen(BaseModel):
    """A record that rejects unknown keys and never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Normalisation(Frozen):
    """RGB bytes to the network's input: (value * scale - mean) / std, per channel."""

    scale: Positive = 1 / 255
    mean: Triple = (0.0, 0.0, 0.0)
    std: tuple[Positive, Positive, Positive] = (1.0, 1.0, 1.0)

    def normalise(self, tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the network's input, (N, 3, H, W), of (N, H, W, 3) RGB bytes."""
        values = (tiles.astype(np.float32) * self.scale - self.mean) / self.std
        return np.ascontiguousarray(values.transpose(0, 3, 1, 2), np.float32)


class Architecture(Frozen):
    """The network: a family of `FAMILIES` with its config, or a TorchScript archive."""

    family: Literal["segformer", "encoder-decoder", "torchscript"]
    config: dict[str, Any] = Field(default_factory=dict)

    @property
    def is_torchscript(self) -> bool:
        """Return True if the network is a TorchScript archive, which is code."""
        return self.family == "torchscript"


class SelfTest(Frozen):
    """A tile, and the probabilities that the model gave for it.

    Attributes:
        input: file of (H, W, 3) uint8.
        expected: file of (C, H, W) probabilities.
        tolerance: largest difference allowed at full (f32) precision.
        reduced_tolerance: largest difference allowed at bf16 or fp16.
    """

    input: str
    expected: str
    tolerance: Positive = 2e-3
    reduced_tolerance: Positive = 0.05


class Windows(Frozen):
    """Windows that whole slides are cut into.

    Attributes:
        side_px: side of a window.
        overlap_px: overlap of neighbouring windows.
    """

    side_px: WindowPx
    overlap_px: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _limit_overlap(self) -> Windows:
        if self.overlap_px > 0.75 * self.side_px:
            raise ValueError("overlap_px is more than three quarters of side_px")
        return self


class TractEvidence(Frozen):
    """Evidence that makes a portal area a tract, beside `min_tract_probability`.

    Attributes:
        sure_probability: portal probability from which a pixel is evidence of a tract.
        min_sure_area_um2: portal areas of less evidence are no tracts; 0 sets no limit.
        probability_spread: how much a probability differs when the same pixels lie elsewhere on
            the slide, are turned or mirrored (`benchmarks/placements.py` measures it).
    """

    sure_probability: Annotated[float, Field(ge=0, lt=1)] = 0.5
    min_sure_area_um2: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    probability_spread: Annotated[float, Field(ge=0, le=0.5)] = 0.1


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """Facts that the makers of a model state, because its files do not contain them.

    Attributes:
        name: what `--model` calls the model.
        version: of the weights; empty for the first digits of their SHA-256.
        mpp: µm/px of the input.
        window_px: side of the windows that the model was trained on.
        normalisation: bytes to the network's input.
        licence: of the weights.
        trained_on: the training data, in words.
        intended_use: the use, in words.
        card: the model card, Markdown; empty for none.
        windows: windows that were measured best on whole slides; None for those of training.
        min_tract_probability: portal areas of a lower mean probability are no tracts.
        tract_evidence: further evidence that makes a portal area a tract.
    """

    name: str
    version: str = ""
    mpp: float
    window_px: int
    normalisation: Normalisation = field(default_factory=Normalisation)
    licence: str
    trained_on: str
    intended_use: str
    card: str = ""
    windows: Windows | None = None
    min_tract_probability: float = 0.0
    tract_evidence: TractEvidence = field(default_factory=TractEvidence)


class ModelSpec(Frozen):
    """The contents of model.json.

    Attributes:
        original_name: the makers' name, where the model was added under another name.
        classes: names in the order of the output's channels.
        mpp: µm/px of the input.
        window_px: side of the windows that the model was trained on.
        windows: windows that were measured best on whole slides; None for `window_px` with a
            quarter of overlap.
        output_stride: input pixels per pixel of the network's own output.
        min_tract_probability: portal areas of a lower mean probability are no tracts.
        tract_evidence: further evidence that makes a portal area a tract.
        files: SHA-256 of every other file of the bundle.
    """

    format_version: Literal[1] = FORMAT_VERSION
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    original_name: str | None = None
    version: str = Field(min_length=1)
    classes: tuple[str, ...]
    mpp: Mpp
    window_px: WindowPx
    windows: Windows | None = None
    normalisation: Normalisation = Normalisation()
    architecture: Architecture
    output_stride: Literal[1, 4]
    min_tract_probability: Annotated[float, Field(ge=0, le=1)] = 0.0
    tract_evidence: TractEvidence = TractEvidence()
    licence: str
    trained_on: str
    intended_use: str
    created: str
    files: dict[str, Sha256]
    self_test: SelfTest

    @field_validator("classes", mode="before")
    @classmethod
    def _order_names(cls, value: Any) -> Any:
        """Accept [{"index": 0, "name": ...}] as well as names in order."""
        if isinstance(value, list | tuple) and all(isinstance(v, dict) for v in value):
            return tuple(v.get("name") for v in sorted(value, key=lambda v: v.get("index", -1)))
        return value


def parse_spec(text: str | bytes, where: str) -> ModelSpec:
    """Read model.json.

    Raises:
        InvalidBundle: the text does not parse; the message names each invalid field.
        WrongClasses: the classes are not Glisson's, in Glisson's order.
    """
    try:
        spec = ModelSpec.model_validate_json(text)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors()
        )
        raise InvalidBundle(f"{where} is not a valid model.json: {problems}") from error
    check_classes(spec.classes, where)
    return spec


def check_classes(names: tuple[str, ...], where: str) -> None:
    """Reject classes other than Glisson's, or in another order.

    Raises:
        WrongClasses: the message names both lists of classes.
    """
    if tuple(names) != CLASS_NAMES:
        raise WrongClasses(
            f"{where}: classes are {', '.join(map(str, names)) or 'none'}; "
            f"Glisson needs {', '.join(CLASS_NAMES)}, in that order."
        )


def check_windows(window_px: int, windows: Windows | None, where: str) -> None:
    """Reject windows whose side the network cannot halve five times.

    Raises:
        InvalidBundle: names the side and its nearest multiples of 32.
    """
    for side_px in (window_px, windows.side_px if windows is not None else window_px):
        if side_px % WINDOW_MULTIPLE:
            lower = max(side_px // WINDOW_MULTIPLE, 1) * WINDOW_MULTIPLE
            raise InvalidBundle(
                f"{where}: windows of {side_px} px are no multiple of {WINDOW_MULTIPLE} px. The "
                f"network halves their side five times, so Glisson would pad every window with "
                f"pixels that the model was not trained on. Take {lower} or "
                f"{lower + WINDOW_MULTIPLE} px, or ask its makers."
            )


def make_safe_name(text: str) -> str:
    """Make a model's name out of any text, such as a file name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:100] or "model"
