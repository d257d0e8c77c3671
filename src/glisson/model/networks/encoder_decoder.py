"""A pretrained encoder and a light decoder for the three classes."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from pydantic import Field, ValidationError
from torch import Tensor, nn
from torch.nn import functional

from glisson.classes import CLASSES
from glisson.errors import InvalidBundle, MissingExtra, ModelNotFound
from glisson.model.networks.efficientnet_lite import SIZES, EfficientNetLite
from glisson.model.networks.family import Family
from glisson.model.spec import Frozen, Normalisation

LITE_PREFIX = "efficientnet-lite"
TIMM_PREFIX = "timm:"
LITE_NAMES = tuple(f"{LITE_PREFIX}{size}" for size in SIZES)
_STRIDES = (4, 8, 16, 32)


class Segmented(NamedTuple):
    """Output of a network.

    Attributes:
        logits: (N, classes, H / 4, W / 4).
    """

    logits: Tensor


class EncoderDecoderConfig(Frozen):
    """Settings that rebuild the network without its weights.

    Attributes:
        encoder: `efficientnet-lite0` to `2`, or `timm:NAME`.
        width: channels of the decoder.
        num_labels: classes.
    """

    # no address and no path: timm would download what a bundle names
    encoder: str = Field(pattern=r"^(efficientnet-lite[0-2]|timm:[A-Za-z0-9_.-]{1,100})$")
    width: Annotated[int, Field(ge=8, le=1024)] = 96
    num_labels: Annotated[int, Field(ge=1, le=100)] = len(CLASSES)


class EncoderDecoder(nn.Module):  # type: ignore[misc]  # torch has no types here
    """Features of four strides, projected to one width, enlarged, added and mixed.

    The encoder's batch norm keeps the statistics of its pretraining: a few tiles of one stain
    estimate them no better.

    Attributes:
        config: settings that rebuild the network.
    """

    def __init__(self, config: EncoderDecoderConfig, encoder: Any) -> None:
        super().__init__()
        width = config.width
        self.config = config
        self.encoder = encoder
        info = getattr(encoder, "feature_info", None)  # timm's
        self.project = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, width, 1, bias=False), nn.BatchNorm2d(width))
            for channels in (encoder.channels if info is None else info.channels())
        )
        self.mix = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(width, width, 5, padding=2, groups=width, bias=False),
            nn.Conv2d(width, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )
        self.classify = nn.Conv2d(width, config.num_labels, 1)

    def forward(self, pixel_values: Tensor) -> Segmented:
        """Compute logits of normalised (N, 3, H, W) pixels, H and W multiples of 32."""
        features = self.encoder(pixel_values)
        size = features[0].shape[-2:]
        parts = [
            functional.interpolate(project(each), size, mode="bilinear", align_corners=False)
            for project, each in zip(self.project, features, strict=True)
        ]
        return Segmented(self.classify(self.mix(sum(parts[1:], start=parts[0]))))

    def train(self, mode: bool = True) -> EncoderDecoder:
        """Set training mode, but not for the encoder's batch norm."""
        super().train(mode)
        for module in self.encoder.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
        return self


def build_encoder_decoder(config: EncoderDecoderConfig, pretrained: bool = False) -> EncoderDecoder:
    """Build the network, with random weights unless timm loads its own.

    Args:
        config: encoder and sizes.
        pretrained: let timm load its weights for the encoder; ignored for Lite encoders.

    Raises:
        ModelNotFound: the encoder does not exist.
        MissingExtra: the encoder needs timm, which is not installed.
    """
    name = config.encoder
    if name in LITE_NAMES:
        return EncoderDecoder(config, EfficientNetLite(int(name.removeprefix(LITE_PREFIX))))
    if name.startswith(TIMM_PREFIX):
        encoder = _create_timm_encoder(name.removeprefix(TIMM_PREFIX), pretrained)
        return EncoderDecoder(config, encoder)
    raise ModelNotFound(
        f"There is no encoder {name}. Use one of {', '.join(LITE_NAMES)}, or {TIMM_PREFIX}NAME."
    )


def parse_config(config: dict[str, Any]) -> EncoderDecoderConfig:
    """Read the config of a bundle.

    Raises:
        InvalidBundle: unknown keys, or sizes beyond reason.
    """
    try:
        return EncoderDecoderConfig.model_validate(config)
    except ValidationError as error:
        raise InvalidBundle(f"The architecture's config is not valid: {error}") from error


def _create_timm_encoder(name: str, pretrained: bool) -> Any:
    try:
        import timm
    except (ImportError, RuntimeError) as error:  # RuntimeError: torchvision of another torch
        raise MissingExtra(
            f"The encoder timm:{name} needs timm, which does not import here ({error}). Install "
            "timm and a torchvision that fits your torch, or use an efficientnet-lite encoder."
        ) from error
    try:
        encoder = timm.create_model(
            name, pretrained=pretrained, features_only=True, out_indices=(-4, -3, -2, -1)
        )
    except Exception as error:  # timm and the hub raise RuntimeError, OSError, and their own
        raise ModelNotFound(
            f"timm cannot make the encoder {name}: {str(error).splitlines()[0]} "
            "`timm.list_models()` lists the names."
        ) from error
    strides = tuple(encoder.feature_info.reduction())
    if strides != _STRIDES:
        raise ModelNotFound(
            f"The encoder {name} gives features of strides {strides}, and the decoder needs "
            f"{_STRIDES}. Choose another encoder."
        )
    return encoder


def read_timm_normalisation(encoder: Any) -> Normalisation:
    """Return the mean and deviation that a timm encoder was pretrained with."""
    facts = encoder.pretrained_cfg if hasattr(encoder, "pretrained_cfg") else encoder.default_cfg
    return Normalisation(mean=tuple(facts["mean"]), std=tuple(facts["std"]))


FAMILY = Family(
    network=EncoderDecoder,
    build=lambda config: build_encoder_decoder(parse_config(config)),
    describe=lambda network: network.config.model_dump(mode="json"),
    simplify=lambda network: network,
)
