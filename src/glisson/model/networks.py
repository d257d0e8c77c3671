"""Families of networks: how a bundle describes each, and how it is rebuilt from that.

Nothing here imports torch until a network is built.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from glisson.errors import InvalidBundle, MissingExtra
from glisson.model.bundle import WEIGHTS_FILE, ModelBundle
from glisson.model.spec import Architecture


def _build_segformer(config: dict[str, Any]) -> Any:
    from glisson.model.segformer import build_segformer

    return build_segformer(config)


def _describe_segformer(network: Any) -> dict[str, Any]:
    from glisson.model.segformer import describe_segformer

    return describe_segformer(network)


def _build_encoder_decoder(config: dict[str, Any]) -> Any:
    from glisson.model.encoder_decoder import build_encoder_decoder, parse_config

    return build_encoder_decoder(parse_config(config))


def _describe_encoder_decoder(network: Any) -> dict[str, Any]:
    config: dict[str, Any] = network.config.model_dump(mode="json")
    return config


@dataclass(frozen=True)
class Family:
    """Networks that one piece of code builds.

    Attributes:
        build: from a bundle's config to a network with random weights.
        describe: from a network to that config.
    """

    build: Callable[[dict[str, Any]], Any]
    describe: Callable[[Any], dict[str, Any]]


FAMILIES = {
    "segformer": Family(_build_segformer, _describe_segformer),
    "encoder-decoder": Family(_build_encoder_decoder, _describe_encoder_decoder),
}
"""Every family but TorchScript, whose file is its own description."""


def describe_network(network: Any) -> Architecture:
    """Describe a network so that `build_network` makes one of the same sizes."""
    is_ours = type(network).__name__ == "EncoderDecoder"
    family: Literal["encoder-decoder", "segformer"] = "encoder-decoder" if is_ours else "segformer"
    return Architecture(family=family, config=FAMILIES[family].describe(network))


def build_network(architecture: Architecture) -> Any:
    """Build a network with random weights.

    Raises:
        InvalidBundle: the description is of TorchScript, or its sizes are beyond reason.
        MissingExtra: a package that the family needs is not installed.
    """
    if architecture.family not in FAMILIES:
        raise InvalidBundle(f"A network cannot be built from {architecture.family}.")
    try:
        return FAMILIES[architecture.family].build(architecture.config)
    except ImportError as error:
        raise MissingExtra(
            f"This model needs {error.name}: pip install 'glisson[train]'"
        ) from error


def load_network(bundle: ModelBundle) -> Any:
    """Build the bundle's network in eval mode, its weights in f32.

    Raises:
        InvalidBundle: the weights do not fit the described network.
        MissingExtra: a package that the family needs is not installed.
    """
    network = build_network(bundle.spec.architecture)
    from safetensors.torch import load_file

    weights = load_file(bundle.folder / WEIGHTS_FILE)
    try:
        network.load_state_dict(
            {k: v.float() if v.is_floating_point() else v for k, v in weights.items()}
        )
    except RuntimeError as error:
        raise InvalidBundle(
            f"{bundle.folder}: the weights are not of the network that model.json describes."
        ) from error
    return network.eval()
