"""Known models: asked about, downloaded, checked before anything of them runs."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from glisson.errors import (
    InvalidBundle,
    ModelNotFound,
    NotStored,
    OutputError,
    SettingsError,
    StorageError,
    UnsafeModel,
)
from glisson.model import (
    KnownModel,
    Normalisation,
    add_known_model,
    add_model,
    find_model,
    is_added,
    open_runtime,
    read_known_models,
)
from glisson.model.store.catalogue import _hash_git_blob, check_content
from tests.model.conftest import torch
from tests.model.scripts import trace_script, write_script
from tests.model.web import Web, served, stand_in

pytestmark = pytest.mark.filterwarnings("ignore")
NAME = "segformer_PT.pt"
CATALOGUE = "glisson.model.store.catalogue.read_known_models"


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_script(tmp_path_factory.mktemp("script") / NAME)


@pytest.fixture
def web(script: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with served() as web:
        web.files[NAME] = script.read_bytes()
        yield web


@pytest.fixture
def known(web: Web, script: Path, monkeypatch: pytest.MonkeyPatch) -> KnownModel:
    entry = stand_in(script, f"{web.address}/files/{NAME}")
    monkeypatch.setattr(CATALOGUE, lambda: {"hotspot": entry})
    return entry


@pytest.fixture
def no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object, **__: object) -> None:
        pytest.fail("code of a file ran before the file was checked")

    monkeypatch.setattr(torch.jit, "load", load)


def add(**settings: Any) -> Any:
    return add_known_model("hotspot", accept_licence=True, **settings)


def test_the_papers_weights_are_pinned() -> None:
    entry = read_known_models()["hotspot"]
    assert "0d025132ade358bc36f3e313afd276fb1cbfb3f8/weights/segformer_PT.pt" in entry.url
    assert entry.git_blob == "375f090664efccccf835ab2a9b72b54883e1f0e6"
    assert "No Commercial Use" in entry.licence.text
    assert "No Clinical Use" in entry.licence.text
    assert (entry.script.mpp, entry.script.window_px) == (1.0, 256)
    assert entry.script.normalisation == Normalisation()


def test_an_entry_that_nothing_pins_is_refused() -> None:
    entry = read_known_models()["hotspot"].model_dump() | {"git_blob": None}
    with pytest.raises(ValidationError, match="neither git_blob nor sha256"):
        KnownModel.model_validate(entry)


def test_the_blob_id_is_gits(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"hello\n")
    assert _hash_git_blob(tmp_path / "a") == "ce013625030ba8dba906f756967f9e9ca394464a"
    if shutil.which("git"):
        content = np.random.default_rng(0).bytes(3_000_000)
        (tmp_path / "b").write_bytes(content)
        own = subprocess.run(
            ["git", "hash-object", "--no-filters", tmp_path / "b"], capture_output=True, check=True
        ).stdout
        assert _hash_git_blob(tmp_path / "b") == own.decode().strip()


def test_it_is_downloaded_checked_and_runs(known: KnownModel, web: Web) -> None:
    seen: list[tuple[int, int | None]] = []
    bundle = add(progress=lambda done, all_: seen.append((done, all_)))
    size = len(web.files[NAME])
    assert seen[-1] == (size, size)
    assert web.headers["User-Agent"].startswith("glisson/")
    assert bundle.spec.name == "hotspot"
    assert bundle.spec.mpp == 1.0
    assert bundle.spec.licence == known.licence.summary
    assert "Monza" in bundle.spec.trained_on
    assert known.licence.text in (bundle.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert find_model("hotspot").folder == bundle.folder
    open_runtime(bundle)  # repeats its self-test


def test_it_is_not_downloaded_twice(known: KnownModel, web: Web) -> None:
    first = add()
    assert is_added(known)
    again = add_known_model("hotspot")  # no licence is asked for what is there
    assert (again.folder, again.spec) == (first.folder, first.spec)
    assert len(web.asked) == 1


def test_nothing_is_asked_for_before_the_licence_is_accepted(known: KnownModel, web: Web) -> None:
    with pytest.raises(SettingsError, match=r"licence was not accepted .*--accept-licence"):
        add_known_model("hotspot")
    assert web.asked == []
    assert not is_added(known)


@pytest.mark.usefixtures("no_code", "known")
@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("other", "its git blob id is"),
        ("longer", "its git blob id is"),
        ("page", "web page"),
        ("pointer", "Git LFS"),
    ],
)
def test_wrong_content_never_runs(
    web: Web, tmp_path: Path, own_store: Path, kind: str, says: str
) -> None:
    contents = {
        "other": trace_script(1, 3),
        "longer": web.files[NAME] + b" ",
        "page": b"\n<!DOCTYPE html><title>Please log in</title>",
        "pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
    }
    web.files[NAME] = contents[kind]
    with pytest.raises(InvalidBundle, match=says):
        add()
    assert not own_store.exists()


def test_size_and_sha256_are_checked_where_they_are_known(script: Path) -> None:
    entry = stand_in(script, "")
    check_content(script, entry)
    with pytest.raises(InvalidBundle, match="its size is"):
        check_content(script, entry.model_copy(update={"size_bytes": 7}))
    with pytest.raises(InvalidBundle, match="its SHA-256 is"):
        check_content(script, entry.model_copy(update={"git_blob": None, "sha256": "0" * 64}))


@pytest.mark.usefixtures("no_code", "known")
@pytest.mark.parametrize(
    ("folder", "error", "says"),
    [
        ("cut", StorageError, r"ended after \d+ of \d+ bytes"),
        ("nowhere/x", NotStored, "does not exist"),
        ("status404", NotStored, "answers 404"),
        ("status403", StorageError, "the server refuses"),
        ("status407", StorageError, "the proxy asks for a password"),
        ("status503", StorageError, "try again later"),
    ],
)
def test_downloads_that_fail(
    web: Web, own_store: Path, folder: str, error: type[StorageError], says: str
) -> None:
    if folder.startswith("nowhere"):
        web.files.clear()
    with pytest.raises(error, match=says) as caught:
        add(source=f"{web.address}/{folder}/{NAME}")
    assert "--from FILE" in str(caught.value)
    assert not own_store.exists()


@pytest.mark.usefixtures("no_code")
@pytest.mark.parametrize("folder", ["files", "unsized"])
def test_a_file_that_is_too_large_is_given_up(
    known: KnownModel, web: Web, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    small = known.model_copy(update={"most_bytes": 1000})
    monkeypatch.setattr(CATALOGUE, lambda: {"hotspot": small})
    with pytest.raises(StorageError, match="more than 1000 bytes"):
        add(source=f"{web.address}/{folder}/{NAME}")


@pytest.mark.usefixtures("known")
def test_a_server_without_sizes_and_one_that_redirects(web: Web) -> None:
    assert add(source=f"{web.address}/moved/{NAME}").spec.name == "hotspot"
    assert [path.split("/")[1] for path in web.asked] == ["moved", "files"]
    shutil.rmtree(find_model("hotspot").folder)
    add(source=f"{web.address}/unsized/{NAME}")


@pytest.mark.usefixtures("known")
def test_no_network(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setattr("glisson.model.store.download.ANSWER_S", 0.2)
        with pytest.raises(StorageError, match="timed out"):
            add(source=f"http://127.0.0.1:{port}/{NAME}")
    with pytest.raises(StorageError, match=r"(?i)refused.*http_proxy") as caught:
        add(source=f"http://127.0.0.1:{port}/{NAME}?token=hidden")
    assert "hidden" not in str(caught.value)


@pytest.mark.usefixtures("known")
def test_a_slow_server_is_given_up(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glisson.model.store.download.WHOLE_S", -1.0)
    with pytest.raises(StorageError, match="took longer"):
        add()


@pytest.mark.parametrize("source", ["ftp://host/a.pt", "s3://box/a.pt", "http://me:pw@host/a.pt"])
@pytest.mark.usefixtures("known")
def test_addresses_of_other_kinds(source: str) -> None:
    with pytest.raises(SettingsError, match="http://") as caught:
        add(source=source)
    assert "pw" not in str(caught.value)


@pytest.mark.usefixtures("known")
def test_proxies_of_the_environment(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name does not resolve: only a proxy can answer for it."""
    monkeypatch.setenv("http_proxy", web.address)
    address = f"http://mirror.invalid/files/{NAME}"
    add(source=address)
    assert web.asked == [address]
    shutil.rmtree(find_model("hotspot").folder)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with pytest.raises(StorageError):
        add()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    add()
    assert web.asked[-1] == f"/files/{NAME}"


@pytest.mark.usefixtures("known")
def test_an_encrypted_address_goes_through_the_proxy_too(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stand-in cannot tunnel, and says so: what counts is that it was asked."""
    monkeypatch.setenv("https_proxy", web.address)
    with pytest.raises(StorageError, match="Tunnel connection failed"):
        add(source=f"https://mirror.invalid/files/{NAME}")


@pytest.mark.usefixtures("known")
def test_from_a_file_a_folder_and_a_mirrors_folder(web: Web, script: Path, tmp_path: Path) -> None:
    copy = tmp_path / "downloaded-by-hand.pt"
    shutil.copyfile(script, copy)
    for source in (copy, str(copy), script.parent, f"{web.address}/files/"):
        assert add(source=source).spec.name == "hotspot"
        shutil.rmtree(find_model("hotspot").folder)
    assert web.asked == [f"/files/{NAME}"]
    with pytest.raises(ModelNotFound, match="nothing-there"):
        add(source=tmp_path / "nothing-there")


@pytest.mark.usefixtures("no_code", "known")
def test_a_wrong_file_never_runs(tmp_path: Path) -> None:
    wrong = write_script(tmp_path / NAME, stride=1)
    with pytest.raises(InvalidBundle, match="its git blob id is"):
        add(source=wrong)


def test_what_runs_is_the_copy_that_was_checked(
    known: KnownModel, script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody changes the file between the check and its use."""
    given = tmp_path / NAME
    shutil.copyfile(script, given)
    checked = check_content

    def check_then_change(file: Path, entry: KnownModel) -> None:
        checked(file, entry)
        given.write_bytes(b"changed")

    monkeypatch.setattr("glisson.model.store.known.check_content", check_then_change)
    assert (add(source=given).folder / "model.pt").read_bytes() == script.read_bytes()


def test_the_right_file_may_still_be_no_torchscript(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_store: Path
) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / NAME)
    entry = stand_in(tmp_path / NAME, f"{web.address}/files/{NAME}")
    monkeypatch.setattr(CATALOGUE, lambda: {"hotspot": entry})
    with pytest.raises(UnsafeModel, match="pickle"):
        add(source=tmp_path / NAME)
    assert not (own_store / "hotspot").exists()


@pytest.mark.usefixtures("known")
def test_another_model_of_that_name_is_not_replaced() -> None:
    add_model(find_model().folder, name="hotspot")
    with pytest.raises(OutputError, match="another model of the name hotspot"):
        add()


def test_unknown_names() -> None:
    with pytest.raises(ModelNotFound, match="hotspot"):
        add_known_model("coldspot", accept_licence=True)
