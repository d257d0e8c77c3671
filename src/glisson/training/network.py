"""Networks for the three classes, new or from weights that others trained."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from transformers import SegformerConfig, SegformerForSemanticSegmentation

from glisson.classes import CLASSES
from glisson.errors import ModelNotFound, SettingsError
from glisson.model import Normalisation, find_bundle
from glisson.model.networks.encoder_decoder import (
    LITE_NAMES,
    TIMM_PREFIX,
    EncoderDecoder,
    EncoderDecoderConfig,
    build_encoder_decoder,
    read_timm_normalisation,
)
from glisson.model.networks.families import load_network
from glisson.model.networks.segformer import fold_decoder
from glisson.training.imagenet import LITE_LICENCE, load_imagenet_weights

_USUAL = Normalisation(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
"""The statistics of ImageNet, with which most encoders were pretrained."""

_LITE = Normalisation(mean=(127 / 255,) * 3, std=(128 / 255,) * 3)
"""TensorFlow's for EfficientNet-Lite: (x - 127) / 128."""

NVIDIA_LICENCE = (
    "NVIDIA Source Code License for SegFormer: research and evaluation only, no commercial use "
    "(https://github.com/NVlabs/SegFormer). A model that starts from these weights inherits it."
)

IMAGENET, RANDOM = "imagenet", "random"
"""First weights that are neither a model nor on the hub."""

_WIDE = {"hidden_sizes": [64, 128, 320, 512], "decoder_hidden_size": 768}
_SEGFORMER = "segformer-"
_SEGFORMERS: dict[str, dict[str, Any]] = {
    "segformer-b0": {},
    "segformer-b1": {"hidden_sizes": [64, 128, 320, 512]},
    "segformer-b2": {**_WIDE, "depths": [3, 4, 6, 3]},
    "segformer-b3": {**_WIDE, "depths": [3, 4, 18, 3]},
    "segformer-b4": {**_WIDE, "depths": [3, 8, 27, 3]},
    "segformer-b5": {**_WIDE, "depths": [3, 6, 40, 3]},
}
"""Xie et al. 2021, table 6, where b1 to b5 differ from transformers' default, which is b0."""

_CLASSES = {
    "num_labels": len(CLASSES),
    "id2label": {c.index: c.name for c in CLASSES},
    "label2id": {c.name: c.index for c in CLASSES},
}


def find_default_weights(network: str) -> str:
    """Name the weights that a network starts from unless others are given."""
    return RANDOM if network.startswith(_SEGFORMER) else IMAGENET


def create_network(name: str, weights: str | None = None) -> torch.nn.Module:
    """Create the network that a training starts from.

    Args:
        name: `segformer-b0` to `b5`, `efficientnet-lite0` to `2`, or `timm:NAME`; the weights of
            a model decide the network instead.
        weights: `imagenet` for a pretrained encoder, `random`, a model's name or folder, or a name
            on the hub; None for `find_default_weights`.

    Raises:
        SettingsError: no such network, or the network has no ImageNet weights.
        ModelNotFound: no such weights.
    """
    weights = weights or find_default_weights(name)
    if weights == RANDOM:
        return create_random_network(name)
    if weights != IMAGENET:
        return load_pretrained(weights)
    if name in _SEGFORMERS:
        raise SettingsError(
            f"There are no free ImageNet weights for {name}. Give --weights nvidia/mit-"
            f"{name.removeprefix(_SEGFORMER)} (research only), or --weights random."
        )
    network = build_encoder_decoder(_make_config(name), pretrained=True)
    if name in LITE_NAMES:
        load_imagenet_weights(network.encoder, name)
    return network


def create_random_network(name: str = "segformer-b0") -> torch.nn.Module:
    """Create a network with random weights.

    Raises:
        SettingsError: no such network.
    """
    if name not in _SEGFORMERS:
        return build_encoder_decoder(_make_config(name))
    network = SegformerForSemanticSegmentation(make_segformer_config(name))
    network.apply(_start_convolution)
    torch.nn.init.normal_(network.decode_head.classifier.weight, 0.0, 0.02)  # starts undecided
    return fold_decoder(network)


def make_segformer_config(name: str) -> SegformerConfig:
    """Return the sizes of b0 to b5, for the three classes."""
    return SegformerConfig(
        **_CLASSES,
        classifier_dropout_prob=0.0,  # measured: dropout costs a tenth of a step, for nothing
        **_SEGFORMERS[name],
    )


def _make_config(name: str) -> EncoderDecoderConfig:
    if name not in LITE_NAMES and not name.startswith(TIMM_PREFIX):
        raise SettingsError(
            f"There is no network {name}. Use one of {', '.join((*_SEGFORMERS, *LITE_NAMES))}, or "
            f"{TIMM_PREFIX}NAME."
        )
    return EncoderDecoderConfig(encoder=name)


def load_pretrained(weights: str) -> torch.nn.Module:
    """Load a network from given weights, with a new last layer where classes differ.

    Args:
        weights: a model's name or folder, as `find_bundle` takes it; a folder with a SegFormer
            that transformers saved; or the name of one on the Hugging Face hub such as
            `nvidia/mit-b0`. `find_licence` returns their licence.

    Raises:
        ModelNotFound: no such folder, and the hub does not know or give it.
        ModelError: the model cannot be used.
    """
    if (bundle := find_bundle(weights)) is not None:
        network: torch.nn.Module = load_network(bundle)
        return network
    try:
        segformer = SegformerForSemanticSegmentation.from_pretrained(
            weights, **_CLASSES, ignore_mismatched_sizes=True, use_safetensors=True
        )
        return fold_decoder(segformer)
    except (OSError, ValueError) as error:
        raise ModelNotFound(
            f"The weights {weights} cannot be loaded: {str(error).splitlines()[0]} Give a folder "
            "with config.json and model.safetensors, or a name that this machine can download."
        ) from error


def name_network(network: Any) -> str:
    """Name a network by its sizes: as `--network` does, or `segformer-other`."""
    if isinstance(network, EncoderDecoder):
        return network.config.encoder
    own = network.config.depths, network.config.hidden_sizes
    configs = {name: make_segformer_config(name) for name in _SEGFORMERS}
    same = (name for name, c in configs.items() if (c.depths, c.hidden_sizes) == own)
    return next(same, f"{_SEGFORMER}other")


def find_normalisation(network: Any) -> Normalisation:
    """Return the normalisation that a network's encoder was pretrained with."""
    name = name_network(network)
    if name in LITE_NAMES:
        return _LITE
    if name.startswith(TIMM_PREFIX):
        return read_timm_normalisation(network.encoder)
    return _USUAL


def find_network_of_weights(weights: str) -> str | None:
    """Name the network that weights decide; None for `imagenet` and `random`.

    Raises:
        ModelError: the model cannot be used.
    """
    if weights in (IMAGENET, RANDOM):
        return None
    bundle = find_bundle(weights)
    return (bundle and bundle.spec.architecture.config.get("encoder")) or f"{_SEGFORMER}other"


def find_mpp(weights: str) -> float | None:
    """Return the µm/px of a model to start from; None for other weights.

    Raises:
        ModelError: the model cannot be used.
    """
    bundle = find_bundle(weights)
    return bundle.spec.mpp if bundle else None


def find_licence(weights: str, network: str = "segformer-b0") -> str:
    """Return the licence of first weights, which a model trained from them inherits.

    Raises:
        ModelError: the model cannot be used.
    """
    if weights == IMAGENET and network in LITE_NAMES:
        return LITE_LICENCE
    if (bundle := find_bundle(weights)) is not None:
        return bundle.spec.licence
    if not Path(weights).exists() and weights.startswith("nvidia/"):
        return NVIDIA_LICENCE
    origin = network if weights == IMAGENET else weights
    return f"That of {origin}, from which it was trained: see there."


class Normalise:
    """Normalisation of (N, 3, H, W) images in 0 to 1 to a network's input."""

    def __init__(self, normalisation: Normalisation) -> None:
        # bundles scale bytes; images in 0 to 1 are those over 255
        self._factor = 255 * normalisation.scale
        self._mean = torch.tensor(normalisation.mean).view(1, 3, 1, 1)
        self._std = torch.tensor(normalisation.std).view(1, 3, 1, 1)

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Normalise on the images' device."""
        mean, std = self._mean.to(images.device), self._std.to(images.device)
        return (images * self._factor - mean) / std


def _start_convolution(module: torch.nn.Module) -> None:
    """Draw the weights of a convolution as in the SegFormer paper's code (fan out).

    transformers starts every layer at 0.02, meant for pretrained weights: from there the
    depthwise convolutions pass next to nothing and hundreds of steps are lost.
    """
    if isinstance(module, torch.nn.Conv2d):
        fan_out = module.kernel_size[0] * module.kernel_size[1] * module.out_channels
        torch.nn.init.normal_(module.weight, 0.0, math.sqrt(2.0 * module.groups / fan_out))
