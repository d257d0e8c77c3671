"""A bundle that was changed, or that could run code, is refused before it is used."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glisson.errors import (
    InvalidBundle,
    ModelNotFound,
    OutputError,
    SettingsError,
    UnsafeModel,
    WrongClasses,
)
from glisson.model import (
    ModelBundle,
    add_model,
    find_hidden_folder,
    find_model,
    list_models,
    load_bundle,
    open_runtime,
    write_bundle,
)
from tests.model.conftest import TINY, tiny_segformer, torch
from tests.model.scripts import write_script
from tests.model.web import stand_in


@pytest.fixture
def copy(bundle: ModelBundle, tmp_path: Path) -> Path:
    shutil.copytree(bundle.folder, tmp_path / "copy")
    return tmp_path / "copy"


def rewrite(folder: Path, **changes: Any) -> None:
    spec = json.loads((folder / "model.json").read_text())
    spec.update(changes)
    (folder / "model.json").write_text(json.dumps(spec))


def test_no_model_file_names_the_machine_that_wrote_it(bundle: ModelBundle) -> None:
    for each in (bundle, find_model(None)):
        data = (each.folder / "model.onnx").read_bytes()
        assert b".py" not in data
        assert b"site-packages" not in data


def test_loads(bundle: ModelBundle) -> None:
    assert load_bundle(bundle.folder).spec == bundle.spec


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        load_bundle(tmp_path / "none")


@pytest.mark.parametrize(
    "name", ["model.safetensors", "model.onnx", "model.json", "self_test_expected.npy"]
)
def test_missing_file(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(InvalidBundle, match=name):
        load_bundle(copy)


@pytest.mark.parametrize("name", ["model.safetensors", "model.onnx", "MODEL_CARD.md"])
def test_changed_file(copy: Path, name: str) -> None:
    data = bytearray((copy / name).read_bytes())
    data[-1] ^= 1
    (copy / name).write_bytes(bytes(data))
    with pytest.raises(InvalidBundle, match=name):
        load_bundle(copy)


@pytest.mark.parametrize("name", ["weights.pth", "extra.pkl", "harmless.txt"])
def test_a_pickle_inside(copy: Path, name: str) -> None:
    (copy / name).write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(UnsafeModel, match=name):
        load_bundle(copy)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../b", "C:\\x"])
def test_names_that_lead_out(copy: Path, name: str) -> None:
    files = json.loads((copy / "model.json").read_text())["files"]
    rewrite(copy, files={**files, name: "0" * 64})
    with pytest.raises(UnsafeModel):
        load_bundle(copy)


def test_a_link_that_leads_out(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("x")
    (copy / "MODEL_CARD.md").unlink()
    (copy / "MODEL_CARD.md").symlink_to(tmp_path / "outside")
    with pytest.raises(UnsafeModel):
        load_bundle(copy)


@pytest.mark.parametrize(
    "classes",
    [["background", "portal", "lobule"], ["background", "lobule"], ["a", "b", "c", "d"], []],
)
def test_wrong_classes(copy: Path, classes: list[str]) -> None:
    rewrite(copy, classes=classes)
    with pytest.raises(WrongClasses, match="background, lobule, portal"):
        load_bundle(copy)


@pytest.mark.parametrize(
    "change", [{"mpp": -1}, {"mpp": 400}, {"surprise": 1}, {"files": {}}, {"format_version": 9}]
)
def test_nonsense_in_model_json(copy: Path, change: dict[str, Any]) -> None:
    rewrite(copy, **change)
    with pytest.raises(InvalidBundle, match=r"model\.json"):
        load_bundle(copy)


def test_a_bundle_is_not_overwritten_unasked(bundle: ModelBundle, network: Any) -> None:
    with pytest.raises(OutputError, match="exists"):
        _write(network, bundle.folder)


def test_four_classes_are_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(WrongClasses, match="4"):
        _write(tiny_segformer(4), tmp_path / "four")
    assert not (tmp_path / "four").exists()


def _write(network: Any, folder: Path) -> None:
    write_bundle(network, folder, TINY, np.zeros((128, 128, 3), np.uint8))


def test_added_by_folder_and_by_zip(tmp_path: Path) -> None:
    shipped = find_model()
    renamed = shipped.spec.model_copy(update={"name": "first", "original_name": shipped.spec.name})
    assert add_model(shipped.folder, name="first").spec == renamed
    archive = shutil.make_archive(str(tmp_path / "zipped"), "zip", shipped.folder)
    added = add_model(archive, name="second")
    assert find_model("second").folder == added.folder
    assert {b.folder.name for b in list_models()} >= {"first", "second"}


def test_a_name_that_was_given_is_the_models_everywhere(tmp_path: Path) -> None:
    """In the file too, so that whoever copies it on finds the same name; its hashes hold."""
    add_model(find_model().folder, name="first")
    added = find_model("first")
    assert load_bundle(added.folder).spec == added.spec
    assert (added.spec.name, added.spec.original_name) == ("first", find_model().spec.name)
    assert [bundle.spec.name for bundle in list_models()] == [find_model().spec.name, "first"]
    again = add_model(added.folder, name="second")
    assert again.spec.original_name == find_model().spec.name
    with pytest.raises(ModelNotFound, match="first, second"):
        find_model("third")


def test_two_models_of_a_name_cannot_be(own_store: Path) -> None:
    shipped = find_model()
    add_model(shipped.folder, name="liver")
    before = (own_store / "liver" / "model.json").read_bytes()
    for name in ("liver", "Liver"):
        with pytest.raises(OutputError, match=r"model liver already, .*--name.*--overwrite"):
            add_model(shipped.folder, name=name)
    with pytest.raises(OutputError, match="liver already"):
        add_model(shipped.folder, name="LIVER", overwrite=True)
    for name in (None, shipped.spec.name.upper()):
        with pytest.raises(OutputError, match="shipped model"):
            add_model(shipped.folder, name=name)
    assert (own_store / "liver" / "model.json").read_bytes() == before
    shutil.copytree(shipped.folder, own_store.parent / "other")
    rewrite(own_store.parent / "other", version="9")
    assert add_model(own_store.parent / "other", name="liver", overwrite=True).spec.version == "9"


def test_a_folder_that_was_copied_into_the_store_has_its_folders_name(own_store: Path) -> None:
    for name in ("one", "two", "no name"):
        shutil.copytree(find_model().folder, own_store / name)
    names = [bundle.spec.name for bundle in list_models()]
    assert names == [find_model().spec.name, "one", "two"]
    assert find_model("two").spec.original_name == find_model().spec.name


@pytest.mark.parametrize("name", ["my model", "../x", ".x", "Überlingen", ""])
def test_names_that_cannot_be_are_not_changed_in_silence(name: str) -> None:
    with pytest.raises(SettingsError, match="name is of letters"):
        add_model(find_model().folder, name=name)


def test_an_added_model_comes_before_a_folder_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(find_model().folder, tmp_path / "liver")
    rewrite(tmp_path / "liver", version="the folder's")
    assert find_model("liver").spec.version == "the folder's"
    assert find_hidden_folder("liver") is None
    added = add_model(find_model().folder, name="liver")
    assert find_model("liver").folder == added.folder
    assert find_hidden_folder("liver") == (tmp_path / "liver").resolve()
    for path in ("./liver", str(tmp_path / "liver"), Path("liver")):
        assert find_model(path).spec.version == "the folder's"
        assert find_hidden_folder(path) is None
    assert find_model(Path("liver").name).spec == added.spec
    (tmp_path / "liver" / "model.json").unlink()
    assert find_hidden_folder("liver") is None


def test_a_broken_added_model_gives_way_to_no_folder(
    tmp_path: Path, own_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    add_model(find_model().folder, name="liver")
    shutil.copytree(own_store / "liver", tmp_path / "liver")
    (own_store / "liver" / "model.onnx").unlink()
    with pytest.raises(InvalidBundle, match=r"model\.onnx"):
        find_model("liver")


def test_zip_slip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("../evil.txt", "x")
        archive.writestr("model.json", "{}")
    with pytest.raises(UnsafeModel, match="evil"):
        add_model(tmp_path / "bad.zip")


def test_unknown_model_names_the_known(bundle: ModelBundle) -> None:
    add_model(bundle.folder, name="tiny")
    with pytest.raises(ModelNotFound, match="tiny"):
        find_model("unheard-of")


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound):
        add_model(tmp_path / "none.pt")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("stride", [1, 4])
def test_hotspot_torchscript(
    network: Any, tmp_path: Path, stride: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file of a known model needs no config: its content says what it is."""
    file = write_script(tmp_path / "segformer_PT.pt", stride)
    with pytest.raises(SettingsError, match=r"does not say what it is.*config\.json"):
        add_model(file)
    entry = stand_in(file, "https://host/segformer_PT.pt")
    catalogue = "glisson.model.store.catalogue.read_known_models"
    monkeypatch.setattr(catalogue, lambda: {"hotspot": entry})
    added = add_model(file)
    assert (added.spec.name, added.spec.output_stride) == ("segformer_PT", stride)
    assert entry.licence.text in (added.folder / "MODEL_CARD.md").read_text("utf-8")
    assert added.spec.mpp == 1.0
    assert "research use only" in added.spec.licence
    runtime = open_runtime(added)
    image = np.random.default_rng(1).integers(0, 255, (1, 256, 256, 3)).astype(np.uint8)
    pixels = torch.from_numpy((image / 255).astype(np.float32).transpose(0, 3, 1, 2).copy())
    with torch.no_grad():
        logits = network(pixel_values=pixels).logits
        full = torch.nn.functional.interpolate(logits, (256, 256), mode="bilinear")
    assert np.abs(runtime.predict(image) - full.softmax(1).numpy()).max() < 1e-4


@pytest.mark.filterwarnings("ignore")
def test_wsinfer_config(tmp_path: Path) -> None:
    path = write_script(tmp_path / "torchscript_model.pt")
    config = {
        "spec_version": "1.0", "architecture": "segformer", "num_classes": 3,
        "class_names": ["Background", "Tissue", "Portal"], "patch_size_pixels": 256,
        "spacing_um_px": 2.0,
        "transform": [
            {"name": "ToTensor"},
            {"name": "Normalize", "arguments": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}},
        ],
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    added = add_model(path, name="zoo")
    assert added.spec.mpp == 2.0
    assert added.spec.normalisation.mean == (0.5, 0.5, 0.5)
    open_runtime(added)


def write_zoo_config(folder: Path, **changes: Any) -> None:
    config = {
        "class_names": ["background", "tissue", "portal"],
        "patch_size_pixels": 256,
        "spacing_um_px": 1.0,
        "transform": [{"name": "ToTensor"}],
    } | changes
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("size", [256, [256, 256]])
def test_wsinfer_patches_that_are_resized(size: object, tmp_path: Path) -> None:
    """The network sees fewer pixels of more µm each than the patch has."""
    resize = {"name": "Resize", "arguments": {"size": size, "antialias": True}}
    write_zoo_config(
        tmp_path,
        patch_size_pixels=350,
        spacing_um_px=0.75,
        transform=[resize, {"name": "ToTensor"}],
    )
    spec = add_model(write_script(tmp_path / "model.pt"), name="zoo").spec
    assert spec.window_px == 256
    assert spec.mpp == pytest.approx(0.75 * 350 / 256)


@pytest.mark.parametrize(
    ("transform", "reason"),
    [
        ([{"name": "CenterCrop", "arguments": {"size": 224}}, {"name": "ToTensor"}], "CenterCrop"),
        ([{"name": "Resize", "arguments": {"size": [256, 128]}}], "oblong"),
        ([{"name": "Resize", "arguments": {"size": 256, "max_size": 300}}], "max_size"),
        ([{"name": "Resize", "arguments": {}}], "size"),
        ([{"name": "ToTensor"}, {"name": "Resize", "arguments": {"size": 256}}], "order"),
        ([{"name": "ToTensor"}, {"name": "ToTensor"}], "once"),
        ([{"name": "Resize", "arguments": {"size": 256}}] * 2, "once"),
        (
            [{"name": "Normalize", "arguments": {"mean": [float("nan")] * 3, "std": [1] * 3}}],
            "mean",
        ),
        ([{"name": "Normalize", "arguments": {"mean": [0] * 3, "std": [0, 1, 1]}}], "std"),
        (["ToTensor"], "config"),
    ],
)
def test_wsinfer_transforms_that_glisson_does_not_apply(
    transform: list[Any], reason: str, tmp_path: Path
) -> None:
    write_zoo_config(tmp_path, transform=transform)
    with pytest.raises(InvalidBundle, match=reason):
        add_model(write_script(tmp_path / "model.pt"))


def test_windows_that_the_network_cannot_halve_are_refused(copy: Path, tmp_path: Path) -> None:
    write_zoo_config(tmp_path, patch_size_pixels=250)
    with pytest.raises(InvalidBundle, match=r"250 px .* halves .* 224 or 256 px"):
        add_model(write_script(tmp_path / "model.pt"))
    rewrite(copy, windows={"side_px": 300, "overlap_px": 32})
    with pytest.raises(InvalidBundle, match="300 px"):
        add_model(copy)
    assert not (tmp_path / "store").exists()


def test_windows_that_take_too_much_memory_are_refused(copy: Path) -> None:
    rewrite(copy, windows={"side_px": 8192, "overlap_px": 32})
    with pytest.raises(InvalidBundle, match=r"side_px.*2048"):
        load_bundle(copy)


def test_an_added_model_does_not_hide_the_shipped_one(copy: Path, tmp_path: Path) -> None:
    name = find_model().spec.name
    rewrite(copy, name=name)
    shutil.copytree(copy, tmp_path / "store" / name)
    assert find_model(name).folder == find_model().folder
    assert [each.folder for each in list_models()] == [find_model().folder]


def test_a_file_in_a_subfolder_of_a_bundle_is_added_too(copy: Path, tmp_path: Path) -> None:
    (copy / "licences").mkdir()
    (copy / "licences" / "data.txt").write_text("CC BY 4.0")
    files = json.loads((copy / "model.json").read_text())["files"]
    digest = hashlib.sha256(b"CC BY 4.0").hexdigest()
    rewrite(copy, files=files | {"licences/data.txt": digest})
    added = add_model(copy)
    assert (added.folder / "licences" / "data.txt").read_text() == "CC BY 4.0"
    assert load_bundle(added.folder).spec.files == added.spec.files


@pytest.mark.filterwarnings("ignore")
def test_wsinfer_classes_of_something_else(tmp_path: Path) -> None:
    path = write_script(tmp_path / "model.pt")
    config = {
        "class_names": ["other", "tumor"], "patch_size_pixels": 256, "spacing_um_px": 1.0
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(WrongClasses, match="tumor"):
        add_model(path)


@pytest.mark.filterwarnings("ignore")
def test_torchscript_of_four_classes(tmp_path: Path) -> None:
    config = {
        "class_names": ["background", "tissue", "portal"],
        "patch_size_pixels": 256,
        "spacing_um_px": 1.0,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(WrongClasses, match="4"):
        add_model(write_script(tmp_path / "four.pt", classes=4))
    assert not (tmp_path / "store" / "four").exists()


def test_a_plain_checkpoint_is_refused(network: Any, tmp_path: Path) -> None:
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    with pytest.raises(UnsafeModel, match="pickle"):
        add_model(tmp_path / "weights.pt")
