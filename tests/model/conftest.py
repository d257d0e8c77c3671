"""A tiny SegFormer, made on the spot, as a bundle and as TorchScript."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glisson.model import ModelBundle, ModelFacts, Normalisation, write_bundle

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

NORM = Normalisation(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
TINY = ModelFacts(
    name="tiny",
    version="1",
    mpp=1.0,
    window_px=128,
    normalisation=NORM,
    licence="Apache-2.0",
    trained_on="nothing",
    intended_use="tests",
    card="# tiny",
)


def tiny_segformer(classes: int = 3) -> Any:
    torch.manual_seed(4)
    config = transformers.SegformerConfig(
        num_labels=classes,
        depths=[1, 1, 1, 1],
        hidden_sizes=[8, 8, 16, 16],
        num_attention_heads=[1, 1, 2, 2],
        decoder_hidden_size=16,
    )
    return transformers.SegformerForSemanticSegmentation(config).eval()


@pytest.fixture(scope="session")
def network() -> Any:
    return tiny_segformer()


@pytest.fixture(scope="session")
def bundle(network: Any, tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    tile = np.random.default_rng(0).integers(0, 255, (128, 128, 3)).astype(np.uint8)
    return write_bundle(network, tmp_path_factory.mktemp("bundle") / "tiny", TINY, tile)


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GLISSON_MODELS", str(tmp_path / "store"))
    return tmp_path / "store"
