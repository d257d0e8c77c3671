"""SegFormer b0 to b5 for the three classes, new or from weights that others trained."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from transformers import SegformerConfig, SegformerForSemanticSegmentation

from glisson.classes import CLASSES
from glisson.errors import ModelNotFound
from glisson.model import ModelBundle, list_models, load_bundle
from glisson.model.segformer import fold_decoder
from glisson.model.spec import SPEC_FILE
from glisson.model.torch_runtime import load_segformer

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""The usual image statistics, with which pretrained encoders were trained."""

NVIDIA_LICENCE = (
    "NVIDIA Source Code License for SegFormer: research and evaluation only, no commercial use "
    "(https://github.com/NVlabs/SegFormer). A model that starts from these weights inherits it."
)

_WIDE = {"hidden_sizes": [64, 128, 320, 512], "decoder_hidden_size": 768}
_SIZES: dict[str, dict[str, Any]] = {
    "b0": {},
    "b1": {"hidden_sizes": [64, 128, 320, 512]},
    "b2": {**_WIDE, "depths": [3, 4, 6, 3]},
    "b3": {**_WIDE, "depths": [3, 4, 18, 3]},
    "b4": {**_WIDE, "depths": [3, 8, 27, 3]},
    "b5": {**_WIDE, "depths": [3, 6, 40, 3]},
}
"""Xie et al. 2021, table 6; what is not said is transformers' default, which is b0."""

_NAMES = {c.index: c.name for c in CLASSES}


def new_config(variant: str) -> SegformerConfig:
    """The sizes of b0 to b5, for the three classes."""
    return SegformerConfig(
        num_labels=len(CLASSES),
        id2label=_NAMES,
        label2id={name: index for index, name in _NAMES.items()},
        classifier_dropout_prob=0.0,  # measured: dropout costs a tenth of a step, for nothing
        **_SIZES[variant],
    )


def new_network(variant: str = "b0") -> SegformerForSemanticSegmentation:
    """A SegFormer with random weights."""
    network = SegformerForSemanticSegmentation(new_config(variant))
    network.apply(_start_convolution)
    torch.nn.init.normal_(network.decode_head.classifier.weight, 0.0, 0.02)  # starts undecided
    return fold_decoder(network)


def pretrained_network(weights: str) -> SegformerForSemanticSegmentation:
    """A SegFormer that goes on from given weights, its last layer new where classes differ.

    Args:
        weights: a model that Glisson knows, by name or folder; a folder that transformers saved;
            or a name on the Hugging Face hub such as `nvidia/mit-b0`. `licence_of` tells their
            licence.

    Raises:
        ModelNotFound: no such folder, and the hub does not know or give it.
    """
    if (bundle := _own_bundle(weights)) is not None:
        return load_segformer(bundle)
    try:
        network = SegformerForSemanticSegmentation.from_pretrained(
            weights,
            num_labels=len(CLASSES),
            id2label=_NAMES,
            label2id={name: index for index, name in _NAMES.items()},
            ignore_mismatched_sizes=True,
            use_safetensors=True,
        )
        return fold_decoder(network)
    except (OSError, ValueError) as error:
        raise ModelNotFound(
            f"The weights {weights} cannot be loaded: {str(error).splitlines()[0]} Give a folder "
            "with config.json and model.safetensors, or a name that this machine can download."
        ) from error


def _own_bundle(weights: str) -> ModelBundle | None:
    """A bundle in a folder, or a model of the store; None for weights of other kinds."""
    if (Path(weights) / SPEC_FILE).exists():
        return load_bundle(weights)
    return next((bundle for bundle in list_models() if bundle.spec.name == weights), None)


def variant_of(network: SegformerForSemanticSegmentation) -> str:
    """`b0` to `b5` by the network's sizes, or `other`."""
    own = network.config.depths, network.config.hidden_sizes
    known = {key: new_config(key) for key in _SIZES}
    same = (key for key, config in known.items() if (config.depths, config.hidden_sizes) == own)
    return next(same, "other")


def mpp_of(weights: str) -> float | None:
    """µm/px that a model to start from was trained at; None for weights of other kinds.

    Raises:
        InvalidBundle: a bundle that cannot be read.
    """
    bundle = _own_bundle(weights)
    return bundle.spec.mpp if bundle else None


def licence_of(weights: str) -> str:
    """The licence of weights to start from, which a model trained from them inherits.

    Raises:
        InvalidBundle: a bundle that cannot be read.
    """
    if (bundle := _own_bundle(weights)) is not None:
        return bundle.spec.licence
    if not Path(weights).exists() and weights.startswith("nvidia/"):
        return NVIDIA_LICENCE
    return f"That of {weights}, from which it was trained: see there."


def normalised(images: torch.Tensor) -> torch.Tensor:
    """(N, 3, H, W) in 0 to 1, less the mean and over the deviation."""
    mean = torch.tensor(MEAN, device=images.device).view(1, 3, 1, 1)
    std = torch.tensor(STD, device=images.device).view(1, 3, 1, 1)
    return (images - mean) / std


def _start_convolution(module: torch.nn.Module) -> None:
    """Random weights of a convolution as in the SegFormer paper's code (fan out).

    transformers starts every layer at 0.02, meant for pretrained weights: from there the
    depthwise convolutions pass next to nothing and hundreds of steps are lost.
    """
    if isinstance(module, torch.nn.Conv2d):
        fan_out = module.kernel_size[0] * module.kernel_size[1] * module.out_channels
        torch.nn.init.normal_(module.weight, 0.0, math.sqrt(2.0 * module.groups / fan_out))
