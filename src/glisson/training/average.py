"""A running average of a network's weights."""

from __future__ import annotations

import copy

import torch


class WeightAverage:
    """An exponential average over steps; early steps count less than the decay says.

    Args:
        network: the network whose weights to average.
        decay: share of the average that a step keeps.

    Attributes:
        network: a network of the averaged weights.
    """

    def __init__(self, network: torch.nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False)
        self._decay = decay

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def update(self, network: torch.nn.Module, step: int) -> None:
        """Add the weights after a step."""
        decay = min(self._decay, (1 + step) / (10 + step))
        values = network.state_dict()
        for name, mean in self.network.state_dict().items():
            if mean.dtype.is_floating_point:
                mean.lerp_(values[name], 1 - decay)
            else:
                mean.copy_(values[name])
