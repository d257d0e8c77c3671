"""model.json: what a model is, what it expects and how to check it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from glisson.classes import CLASSES
from glisson.errors import InvalidBundle, WrongClasses

FORMAT_VERSION: Final = 1
SPEC_FILE = "model.json"
CLASS_NAMES = tuple(c.name for c in CLASSES)

Triple = tuple[float, float, float]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Normalisation(_Frozen):
    """RGB bytes to the network's input: (value * scale - mean) / std, per channel."""

    scale: Positive = 1 / 255
    mean: Triple = (0.0, 0.0, 0.0)
    std: tuple[Positive, Positive, Positive] = (1.0, 1.0, 1.0)


class Architecture(_Frozen):
    """The network: one of `FAMILIES` with its config, or a TorchScript archive."""

    family: Literal["segformer", "encoder-decoder", "torchscript"]
    config: dict[str, Any] = Field(default_factory=dict)


class SelfTest(_Frozen):
    """One tile and the probabilities the model gave for it.

    Attributes:
        input: file of (H, W, 3) uint8.
        expected: file of (C, H, W) probabilities.
        tolerance: largest difference allowed at full (f32) precision.
        reduced_tolerance: the same at bf16 or fp16.
    """

    input: str
    expected: str
    tolerance: Positive = 2e-3
    reduced_tolerance: Positive = 0.05


class Windows(_Frozen):
    """How whole slides are cut into windows.

    Attributes:
        side_px: side of a window.
        overlap_px: what it has in common with the next.
    """

    side_px: Annotated[int, Field(ge=32, le=8192)]
    overlap_px: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _can_cover(self) -> Windows:
        if self.overlap_px > 0.75 * self.side_px:
            raise ValueError("overlap_px is more than three quarters of side_px")
        return self


class TractEvidence(_Frozen):
    """What makes a portal area a tract, beside `min_tract_probability`.

    Attributes:
        sure_probability: portal probability from which a pixel is evidence of a tract.
        min_sure_area_um2: portal areas of less evidence are no tracts; 0 asks for none.
        probability_spread: how much a probability differs when the same pixels lie elsewhere on
            the slide, are turned or mirrored (`benchmarks/placements.py` measures it).
    """

    sure_probability: Annotated[float, Field(ge=0, lt=1)] = 0.5
    min_sure_area_um2: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    probability_spread: Annotated[float, Field(ge=0, le=0.5)] = 0.1


class ModelSpec(_Frozen):
    """The contents of model.json.

    Attributes:
        original_name: what its makers call it, where it was added under another name.
        classes: names in the order of the output's channels.
        mpp: µm/px of the input.
        window_px: side of the windows it was trained on.
        windows: those that were measured best on whole slides; None for `window_px` with a
            quarter of overlap.
        output_stride: input pixels per pixel of the network's own output.
        min_tract_probability: portal areas of a lower mean probability are no tracts.
        tract_evidence: what else makes a portal area a tract.
        files: SHA-256 of every other file of the bundle.
    """

    format_version: Literal[1] = FORMAT_VERSION
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    original_name: str | None = None
    version: str = Field(min_length=1)
    classes: tuple[str, ...]
    mpp: Annotated[float, Field(ge=0.05, le=5)]
    window_px: Annotated[int, Field(ge=32, le=8192)]
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
    def _names_in_order(cls, value: Any) -> Any:
        """Accept [{"index": 0, "name": ...}] as well as names in order."""
        if isinstance(value, list | tuple) and all(isinstance(v, dict) for v in value):
            return tuple(v.get("name") for v in sorted(value, key=lambda v: v.get("index", -1)))
        return value


def parse_spec(text: str | bytes, where: str) -> ModelSpec:
    """Read model.json.

    Raises:
        InvalidBundle: it does not parse; the message names each field that is wrong.
        WrongClasses: the classes are not ours, in our order.
    """
    try:
        spec = ModelSpec.model_validate_json(text)
    except ValidationError as error:
        raise InvalidBundle(f"{where} is not a valid model.json: {_problems(error)}") from error
    check_classes(spec.classes, where)
    return spec


def check_classes(names: tuple[str, ...], where: str) -> None:
    """Refuse classes other than ours, in our order.

    Raises:
        WrongClasses: names what was found and what is needed.
    """
    if tuple(names) != CLASS_NAMES:
        raise WrongClasses(
            f"{where}: classes are {', '.join(map(str, names)) or 'none'}; "
            f"Glisson needs {', '.join(CLASS_NAMES)}, in that order."
        )


def safe_name(text: str) -> str:
    """A model's name out of any text, such as a file name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:100] or "model"


def _problems(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors()
    )
