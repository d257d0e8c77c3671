"""The families of networks; a bundle names its family and the config of its network."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final, Literal

from glisson.errors import InvalidBundle, MissingExtra
from glisson.model.bundle import WEIGHTS_FILE, ModelBundle
from glisson.model.networks.family import Family
from glisson.model.spec import Architecture

FamilyName = Literal["encoder-decoder", "segformer"]


FAMILIES: Final[dict[FamilyName, str]] = {
    "encoder-decoder": "glisson.model.networks.encoder_decoder",
    "segformer": "glisson.model.networks.segformer",
}
"""Modules that define `FAMILY`, imported on first use. A TorchScript file describes itself, so
TorchScript has no module."""


def find_family(network: Any) -> tuple[FamilyName, Family]:
    """Find the family of a network.

    Raises:
        InvalidBundle: the network belongs to no family.
    """
    for name, module in FAMILIES.items():
        family: Family = import_module(module).FAMILY
        if isinstance(network, family.network):
            return name, family
    raise InvalidBundle(
        f"A bundle cannot describe {type(network).__name__}: give a network of the families "
        f"{', '.join(FAMILIES)}."
    )


def describe_network(network: Any) -> Architecture:
    """Describe a network so that `build_network` makes another of the same sizes."""
    name, family = find_family(network)
    return Architecture(family=name, config=family.describe(network))


def build_network(architecture: Architecture) -> Any:
    """Build a network with random weights.

    Raises:
        InvalidBundle: the description is of TorchScript, or its sizes are beyond reason.
        MissingExtra: a package that the family needs is not installed.
    """
    if architecture.family not in FAMILIES:
        raise InvalidBundle(f"A network cannot be built from {architecture.family}.")
    try:
        family: Family = import_module(FAMILIES[architecture.family]).FAMILY
        return family.build(architecture.config)
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
