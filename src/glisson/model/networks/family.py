"""The interface of a family of networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Family:
    """Networks that a module builds.

    Attributes:
        network: class of the networks.
        build: from a bundle's config to a network with random weights.
        describe: from a network to that config.
        simplify: from a network to the network that a bundle holds, of the same weights.
    """

    network: type
    build: Callable[[dict[str, Any]], Any]
    describe: Callable[[Any], dict[str, Any]]
    simplify: Callable[[Any], Any]
