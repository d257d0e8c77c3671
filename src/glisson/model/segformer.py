"""SegFormer with a cheaper decoder: the same weights, the same answer, half of the work.

Imports torch and transformers; the rest of the room imports it only where it needs both.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn import functional
from transformers import SegformerForSemanticSegmentation
from transformers.models.segformer.modeling_segformer import SegformerDecodeHead


class FoldedDecodeHead(SegformerDecodeHead):  # type: ignore[misc]  # transformers: untyped
    """The decoder of Xie et al. 2021 with its two linear layers multiplied out.

    It projects the features of each stage to one width, enlarges them to the first stage's size,
    and mixes the four by a convolution of 1 x 1. Nothing between the two layers bends, and
    enlarging commutes with a mix of channels, so projection and mix are one small matrix a stage,
    applied before enlarging: no four-fold stack at the largest size. Parameters keep their names.
    """

    def forward(self, encoder_hidden_states: tuple[Tensor, ...], **_: Any) -> Tensor:
        """Logits (N, classes, H / 4, W / 4) from the features of four stages."""
        size = encoder_hidden_states[0].shape[2:]
        # the stock decoder stacks the last stage first
        mixes = self.linear_fuse.weight[:, :, 0, 0].chunk(len(encoder_hidden_states), dim=1)[::-1]
        stages = zip(encoder_hidden_states, self.linear_projections, mixes, strict=True)
        parts = [self._part(*stage, size) for stage in stages]
        mixed = self.activation(self.batch_norm(sum(parts[1:], start=parts[0])))
        logits: Tensor = self.classifier(self.dropout(mixed))
        return logits

    @staticmethod
    def _part(features: Tensor, projection: Any, mix: Tensor, size: Any) -> Tensor:
        weight = mix @ projection.proj.weight
        part = functional.conv2d(features, weight[:, :, None, None], mix @ projection.proj.bias)
        return functional.interpolate(part, size=size, mode="bilinear", align_corners=False)


def fold_decoder(network: SegformerForSemanticSegmentation) -> SegformerForSemanticSegmentation:
    """The network, with its decoder exchanged in place; its mode and weights stay."""
    stock = network.decode_head
    folded = FoldedDecodeHead(network.config).train(stock.training)
    folded.load_state_dict(stock.state_dict())
    network.decode_head = folded.to(stock.classifier.weight)
    return network
