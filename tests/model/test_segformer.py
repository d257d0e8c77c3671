"""The folded decoder against transformers' own."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from glisson.model.networks.segformer import FoldedDecodeHead, fold_decoder  # noqa: E402
from glisson.training.network import create_random_network  # noqa: E402


def _stock_and_folded(training: bool) -> tuple:
    from transformers import SegformerForSemanticSegmentation

    torch.manual_seed(0)
    folded = create_random_network("segformer-b0").train(training)
    stock = SegformerForSemanticSegmentation(folded.config).train(training)
    stock.load_state_dict(folded.state_dict())
    return stock, folded


@pytest.mark.parametrize("size", [(64, 64), (96, 160)])
def test_the_same_logits(size: tuple[int, int]) -> None:
    stock, folded = _stock_and_folded(training=False)
    assert isinstance(folded.decode_head, FoldedDecodeHead)
    assert not isinstance(stock.decode_head, FoldedDecodeHead)
    pixels = torch.randn(2, 3, *size)
    with torch.no_grad():
        expected, found = stock(pixel_values=pixels).logits, folded(pixel_values=pixels).logits
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_the_same_gradients_and_statistics() -> None:
    stock, folded = _stock_and_folded(training=True)
    pixels = torch.randn(2, 3, 64, 64)
    for network in (stock, folded):
        for module in network.modules():
            if isinstance(module, torch.nn.Dropout) or hasattr(module, "drop_prob"):
                module.eval()
        network(pixel_values=pixels).logits.square().mean().backward()
    for (name, one), (_, other) in zip(
        stock.named_parameters(), folded.named_parameters(), strict=True
    ):
        torch.testing.assert_close(
            other.grad, one.grad, rtol=2e-3, atol=1e-6,
            msg=lambda text, name=name: f"{name}: {text}",
        )  # fmt: skip
    for key in ("running_mean", "running_var"):
        mine, theirs = (getattr(n.decode_head.batch_norm, key) for n in (folded, stock))
        torch.testing.assert_close(mine, theirs)


def test_folding_keeps_mode_and_weights() -> None:
    stock, _ = _stock_and_folded(training=False)
    before = copy.deepcopy(stock.state_dict())
    after = fold_decoder(stock).state_dict()
    assert not stock.decode_head.training
    assert list(before) == list(after)
    assert all(torch.equal(before[key], after[key]) for key in before)
