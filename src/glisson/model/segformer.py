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

_CONFIG_KEYS = {
    "id2label", "label2id", "num_labels",
    "attention_probs_dropout_prob", "classifier_dropout_prob", "decoder_hidden_size", "depths",
    "drop_path_rate", "hidden_act", "hidden_dropout_prob", "hidden_sizes", "initializer_range",
    "layer_norm_eps", "mlp_ratios", "num_attention_heads", "num_channels", "num_encoder_blocks",
    "patch_sizes", "reshape_last_stage", "semantic_loss_ignore_index", "sr_ratios", "strides",
}  # fmt: skip
_LARGEST = 4096
"""Of any number in a SegFormer's config: B5's decoder has 768 channels."""


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


def build_segformer(config: dict[str, Any]) -> SegformerForSemanticSegmentation:
    """Build a SegFormer with random weights and the cheaper decoder.

    Raises:
        InvalidBundle: sizes beyond any SegFormer.
    """
    sizes = SegformerConfig.from_dict(segformer_config(config))
    return fold_decoder(SegformerForSemanticSegmentation(sizes))


def describe_segformer(network: SegformerForSemanticSegmentation) -> dict[str, Any]:
    """Return its config as JSON, without where and by what it was saved."""
    config: dict[str, Any] = json.loads(network.config.to_json_string(use_diff=True))
    return {k: v for k, v in config.items() if k not in {"_name_or_path", "transformers_version"}}


def segformer_config(given: dict[str, Any]) -> dict[str, Any]:
    """Keep the parts of a config that say how large a SegFormer is.

    A config may ask transformers for code from elsewhere; such keys are left out.

    Raises:
        InvalidBundle: sizes beyond any SegFormer.
    """
    kept = {key: value for key, value in given.items() if key in _CONFIG_KEYS}
    numbers = [
        each
        for key, value in kept.items()
        for each in (value if isinstance(value, list) else [value])
        if isinstance(each, int | float)
    ]
    if not all(abs(each) <= _LARGEST for each in numbers):
        raise InvalidBundle(f"The architecture's config holds numbers beyond {_LARGEST}.")
    return kept
