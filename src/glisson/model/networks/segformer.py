"""SegFormer with a cheaper decoder: the same weights, the same answer, half of the work.

Imports torch and transformers; the rest of the room imports it only where it needs both.
"""

from __future__ import annotations

import json
from typing import Any

from torch import Tensor
from torch.nn import functional
from transformers import SegformerConfig, SegformerForSemanticSegmentation
from transformers.models.segformer.modeling_segformer import SegformerDecodeHead

from glisson.errors import InvalidBundle
from glisson.model.networks.family import Family

_CONFIG_KEYS = {
    "attention_probs_dropout_prob",
    "classifier_dropout_prob",
    "decoder_hidden_size",
    "depths",
    "drop_path_rate",
    "hidden_act",
    "hidden_dropout_prob",
    "hidden_sizes",
    "id2label",
    "initializer_range",
    "label2id",
    "layer_norm_eps",
    "mlp_ratios",
    "num_attention_heads",
    "num_channels",
    "num_encoder_blocks",
    "num_labels",
    "patch_sizes",
    "reshape_last_stage",
    "semantic_loss_ignore_index",
    "sr_ratios",
    "strides",
}
_LARGEST = 4096
"""Limit of any number in a SegFormer's config: B5's decoder has 768 channels."""


class FoldedDecodeHead(SegformerDecodeHead):  # type: ignore[misc]  # transformers: untyped
    """The decoder of Xie et al. 2021 with its two linear layers multiplied out.

    The published decoder projects the features of each stage to one width, enlarges them to the
    first stage's size, and mixes the four by a convolution of 1 x 1. Both layers are linear, and
    enlarging commutes with a mix of channels. So one small matrix a stage does both, before
    enlarging: no four-fold stack at the largest size. Parameters keep their names.
    """

    def forward(self, encoder_hidden_states: tuple[Tensor, ...], **_: Any) -> Tensor:
        """Compute logits (N, classes, H / 4, W / 4) from the features of four stages."""
        size = encoder_hidden_states[0].shape[2:]
        # the stock decoder stacks the last stage first
        mixes = self.linear_fuse.weight[:, :, 0, 0].chunk(len(encoder_hidden_states), dim=1)[::-1]
        stages = zip(encoder_hidden_states, self.linear_projections, mixes, strict=True)
        parts = []
        for features, projection, mix in stages:
            weight = (mix @ projection.proj.weight)[:, :, None, None]
            part = functional.conv2d(features, weight, mix @ projection.proj.bias)
            parts.append(
                functional.interpolate(part, size=size, mode="bilinear", align_corners=False)
            )
        mixed = self.activation(self.batch_norm(sum(parts[1:], start=parts[0])))
        logits: Tensor = self.classifier(self.dropout(mixed))
        return logits


def fold_decoder(network: SegformerForSemanticSegmentation) -> SegformerForSemanticSegmentation:
    """Exchange the network's decoder in place, keep its mode and weights, and return it."""
    stock = network.decode_head
    folded = FoldedDecodeHead(network.config).train(stock.training)
    folded.load_state_dict(stock.state_dict())
    network.decode_head = folded.to(stock.classifier.weight)
    return network


def build_segformer(config: dict[str, Any]) -> SegformerForSemanticSegmentation:
    """Build a SegFormer with random weights and the cheaper decoder.

    Raises:
        InvalidBundle: sizes beyond any SegFormer.
    """
    sizes = SegformerConfig.from_dict(select_sizes(config))
    return fold_decoder(SegformerForSemanticSegmentation(sizes))


def describe_segformer(network: SegformerForSemanticSegmentation) -> dict[str, Any]:
    """Return the config as JSON, without the place and version of its saving."""
    config: dict[str, Any] = json.loads(network.config.to_json_string(use_diff=True))
    return {k: v for k, v in config.items() if k not in {"_name_or_path", "transformers_version"}}


def select_sizes(config: dict[str, Any]) -> dict[str, Any]:
    """Select the sizes of a SegFormer from a config.

    A config may make transformers load code from elsewhere; this function drops such keys.

    Raises:
        InvalidBundle: sizes beyond any SegFormer.
    """
    selected = {key: value for key, value in config.items() if key in _CONFIG_KEYS}
    values = (v if isinstance(v, list) else [v] for v in selected.values())
    numbers = [number for row in values for number in row if isinstance(number, int | float)]
    if not all(abs(number) <= _LARGEST for number in numbers):
        raise InvalidBundle(f"The architecture's config holds numbers beyond {_LARGEST}.")
    return selected


FAMILY = Family(
    network=SegformerForSemanticSegmentation,
    build=build_segformer,
    describe=describe_segformer,
    simplify=fold_decoder,
)
