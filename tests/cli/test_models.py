"""`glisson models` as its users type it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from glisson.cli.app import app
from glisson.errors import ModelNotFound, NotStored, SettingsError
from glisson.model import KnownModel, find_model, read_known_models
from tests.model.web import Web, served, stand_in

pytest.importorskip("torch")
pytest.importorskip("transformers")

pytestmark = pytest.mark.filterwarnings("ignore")
runner = CliRunner()
NAME = "segformer_PT.pt"


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch")
    from tests.model.scripts import write_script

    return write_script(tmp_path_factory.mktemp("script") / NAME)


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GLISSON_MODELS", str(tmp_path / "store"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "store"


@pytest.fixture
def web(script: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    with served() as web:
        web.files[NAME] = script.read_bytes()
        entry = stand_in(script, f"{web.address}/files/{NAME}")

        def known() -> dict[str, KnownModel]:
            return {"hotspot": entry}

        monkeypatch.setattr("glisson.model.store.catalogue.read_known_models", known)
        monkeypatch.setattr("glisson.cli.models.read_known_models", known)
        yield web


def call(*arguments: str, keys: str | None = None) -> tuple[int, str, BaseException | None]:
    result = runner.invoke(app, ["models", *arguments], input=keys)
    return result.exit_code, " ".join(result.output.split()), result.exception


def test_known_models_are_listed_until_they_are_added(web: Web) -> None:
    entry = read_known_models()["hotspot"]
    _, text, _ = call("list")
    assert "To add: glisson models add hotspot" in text
    assert entry.licence.summary in text
    assert call("add", "hotspot", "--accept-licence")[0] == 0
    _, text, _ = call("list")
    assert "To add" not in text
    assert "hotspot" in text
    assert len(web.asked) == 1  # by `add`, not by `list`


def test_it_says_what_was_added_and_how_to_use_it(web: Web) -> None:
    entry = read_known_models()["hotspot"]
    code, text, _ = call("add", "hotspot", "--accept-licence")
    assert code == 0
    assert "No Clinical Use" in text
    for said in (entry.title, entry.purpose, entry.licence.summary, entry.citation):
        assert said in text
    assert "glisson segment SLIDE -o results --model hotspot" in text
    code, text, _ = call("add", "hotspot")
    assert code == 0
    assert "added before" in text
    assert "--model hotspot" in text
    assert len(web.asked) == 1


def test_without_a_terminal_nobody_is_asked(web: Web, own_store: Path) -> None:
    _, text, error = call("add", "hotspot", keys="y\n")
    assert isinstance(error, SettingsError)
    assert "--accept-licence" in str(error)
    assert "No Commercial Use" in text
    assert not web.asked
    assert not own_store.exists()


@pytest.mark.parametrize("answer", ["n", ""])
def test_who_says_no_gets_nothing(
    web: Web, own_store: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr("glisson.cli.models._has_terminal", lambda: True)
    _, text, error = call("add", "hotspot", keys=f"{answer}\n")
    assert "Do you accept this licence of hotspot? [y/N]" in text
    assert isinstance(error, SettingsError)
    assert not web.asked
    assert not own_store.exists()


def test_who_says_yes_gets_it(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glisson.cli.models._has_terminal", lambda: True)
    assert call("add", "hotspot", keys="y\n")[0] == 0
    assert find_model("hotspot").spec.name == "hotspot"


def test_without_network_a_file_does(web: Web, script: Path) -> None:
    _, _, error = call(
        "add", "hotspot", "--accept-licence", "--from", f"{web.address}/status404/{NAME}"
    )
    assert isinstance(error, NotStored)
    assert call("add", "hotspot", "--accept-licence", "--from", str(script))[0] == 0
    assert len(web.asked) == 1


@pytest.mark.parametrize("option", [("--name", "x"), ("--config", "c.json"), ("--overwrite",)])
def test_a_known_models_settings_are_known(option: tuple[str, ...]) -> None:
    _, _, error = call("add", "hotspot", "--accept-licence", *option)
    assert isinstance(error, SettingsError)
    assert option[0] in str(error)


@pytest.mark.parametrize("option", [("--accept-licence",), ("--from", "https://host/a.pt")])
def test_other_models_have_no_licence_to_accept(option: tuple[str, ...]) -> None:
    _, _, error = call("add", str(find_model().folder), *option)
    assert isinstance(error, SettingsError)
    assert "hotspot" in str(error)


def test_a_file_of_a_known_models_name_is_not_taken_for_it(web: Web) -> None:
    shutil.copytree(find_model().folder, "hotspot")
    _, text, _ = call("add", "hotspot", "--accept-licence")
    assert "Glisson takes the known model hotspot" in text
    assert "./hotspot" in text
    assert call("add", "./hotspot", "--name", "mine")[0] == 0
    assert find_model("mine").spec.original_name == find_model().spec.name


def test_a_name_that_nothing_has() -> None:
    _, _, error = call("add", "coldspot")
    assert isinstance(error, ModelNotFound)
    assert "hotspot" in str(error)


def test_the_name_of_an_added_model_wins_over_a_folder_and_says_so() -> None:
    shutil.copytree(find_model().folder, "liver")
    spec = json.loads(Path("liver/model.json").read_text("utf-8"))
    Path("liver/model.json").write_text(json.dumps(spec | {"version": "folder"}), "utf-8")
    code, text, _ = call("add", "liver", "--name", "liver")
    assert code == 0
    assert f"Added liver folder (its own name: {find_model().spec.name})." in text
    Path("liver/model.json").write_text(json.dumps(spec | {"version": "changed"}), "utf-8")
    _, text, _ = call("info", "liver")
    assert "Glisson takes the model liver folder of" in text
    assert "version: folder" in text
    _, text, _ = call("info", "./liver")
    assert "Glisson takes" not in text
    assert "version: changed" in text
