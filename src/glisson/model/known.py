"""Models of others that Glisson knows by name: where they lie, their licence, how to check them."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from glisson.errors import InvalidBundle, ModelNotFound, OutputError, SettingsError, StorageError
from glisson.model.bundle import TORCHSCRIPT_FILE, ModelBundle
from glisson.model.download import Progress, download
from glisson.model.safety import sha256
from glisson.model.spec import Normalisation, Sha256
from glisson.model.store import add_script, find_added
from glisson.model.torch_runtime import import_torch
from glisson.model.torchscript import ScriptFacts
from glisson.storage.url import Place, Url, parse_place

KNOWN_FILE: Final = "known_models.toml"
_CHUNK_BYTES = 1 << 20

GitBlob = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Licence(_Frozen):
    """The licence of a known model.

    Attributes:
        summary: a line that the added model carries.
        url: where its authors publish it.
        text: the whole of it.
    """

    summary: str = Field(min_length=1)
    url: str = Field(pattern=r"^https://")
    text: str = Field(min_length=1)


class Script(_Frozen):
    """What a TorchScript file does not say of itself.

    Attributes:
        mpp: µm/px of the input.
        window_px: side of the windows it was trained on.
        normalisation: bytes to the network's input.
    """

    mpp: float = Field(ge=0.05, le=5)
    window_px: int = Field(ge=32, le=8192)
    normalisation: Normalisation = Normalisation()


class KnownModel(_Frozen):
    """A TorchScript file on the web, pinned by its content.

    Attributes:
        name: what `glisson models add` and `--model` call it.
        title: what it is.
        url: where it lies; pinned to a commit.
        git_blob: git's id of the content: SHA-1 of `blob`, the size, a zero byte and the content.
        sha256: SHA-256 of the content, where it is known.
        size_bytes: size, where it is known.
        most_bytes: size limit of a download.
        purpose: what it may be used for.
        trained_on: the training data, in words.
        citation: the publication to cite.
    """

    name: str
    title: str
    url: str = Field(pattern=r"^https://")
    git_blob: GitBlob | None = None
    sha256: Sha256 | None = None
    size_bytes: int | None = Field(default=None, gt=0)
    most_bytes: int = Field(gt=0)
    purpose: str
    trained_on: str
    citation: str
    licence: Licence
    script: Script

    @model_validator(mode="after")
    def _can_be_checked(self) -> KnownModel:
        if self.git_blob is None and self.sha256 is None:
            raise ValueError("neither git_blob nor sha256 is given")
        return self

    @property
    def file_name(self) -> str:
        """Name of the file at the address."""
        return Url(self.url).name

    @property
    def use(self) -> str:
        """A command that uses the model."""
        return f"glisson segment SLIDE -o results --model {self.name}"


@cache
def known_models() -> dict[str, KnownModel]:
    """List the known models by name."""
    text = resources.files("glisson.model").joinpath(KNOWN_FILE).read_text(encoding="utf-8")
    return {
        name: KnownModel.model_validate({"name": name, **facts})
        for name, facts in tomllib.loads(text).items()
    }


def find_known_model(name: str) -> KnownModel:
    """Find a known model by its name.

    Raises:
        ModelNotFound: no such model; names those that there are.
    """
    if name not in known_models():
        raise ModelNotFound(
            f"Glisson knows no model {name} to download. Known: {', '.join(known_models())}."
        )
    return known_models()[name]


def is_added(known: KnownModel) -> bool:
    """Say whether the store holds a known model, and that very file.

    Raises:
        OutputError: the store holds another model of that name.
        ModelError: the store's copy cannot be used.
    """
    bundle = find_added(known.name)
    if bundle is None:
        return False
    file = bundle.folder / TORCHSCRIPT_FILE
    if not file.is_file() or _differences(file, known):
        raise OutputError(
            f"{bundle.folder} holds another model of the name {known.name}. Move that folder "
            "away, then run again."
        )
    return True


def add_known_model(
    name: str,
    *,
    accept_licence: bool = False,
    source: str | Path | Url | None = None,
    progress: Progress | None = None,
) -> ModelBundle:
    """Download a known model, check its content, and add it to the store.

    TorchScript is code. Nothing of the file runs before its content is checked, and what runs is
    the very copy that was checked.

    Args:
        name: see `known_models`.
        accept_licence: whether you accept the model's licence (`KnownModel.licence`).
        source: a mirror's address or a file of this machine; an address that ends with `/`, or a
            folder, holds the file by its own name. None for the authors' address.
        progress: called while it is downloaded.

    Raises:
        ModelNotFound: no known model of that name.
        SettingsError: the licence is not accepted, or the source is no address and no file.
        MissingExtra: torch is not installed.
        StorageError: the download fails.
        InvalidBundle: the content is not that of the known model.
        OutputError: the store cannot be written, or holds another model of that name.
    """
    known = find_known_model(name)
    if is_added(known) and (bundle := find_added(name)) is not None:
        return bundle
    if not accept_licence:
        raise SettingsError(
            f"{name} was not added: its licence was not accepted ({known.licence.summary}). "
            f"Read it at {known.licence.url}; glisson models add {name} --accept-licence accepts."
        )
    import_torch()  # before anything is downloaded
    with tempfile.TemporaryDirectory(prefix="glisson-model-") as folder:
        file = Path(folder) / known.file_name
        _fetch(known, parse_place(source if source is not None else known.url), file, progress)
        check_content(file, known)
        return add_script(file, name, _facts(known, sha256(file)))


def _fetch(known: KnownModel, source: Place, target: Path, progress: Progress | None) -> None:
    if isinstance(source, Path):
        _copy(source / known.file_name if source.is_dir() else source, target, known)
        return
    is_folder = source.address.endswith("/")
    try:
        download(
            source / known.file_name if is_folder else source, target, known.most_bytes, progress
        )
    except StorageError as error:
        raise type(error)(
            f"{error} Or download {known.url} where you can, and give the file: "
            f"glisson models add {known.name} --from FILE."
        ) from None


def _copy(source: Path, target: Path, known: KnownModel) -> None:
    if not source.is_file():
        raise ModelNotFound(f"{source} does not exist. Check the name and the folder.")
    if source.stat().st_size > known.most_bytes:
        raise InvalidBundle(
            f"{source} has more than {known.most_bytes} bytes, so it is not {known.name}. "
            f"Download {known.url} again."
        )
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise OutputError(f"{source} cannot be copied: {error.strerror or error}.") from error


def check_content(file: Path, known: KnownModel) -> None:
    """Refuse a file that is not the known model, byte for byte.

    Raises:
        InvalidBundle: says what differs.
    """
    if differences := _differences(file, known):
        raise InvalidBundle(
            f"What was found is not {known.name}: {'; '.join(differences)}.{_guess(file)} "
            f"Nothing of it was run or kept. Download {known.url} again."
        )


def _differences(file: Path, known: KnownModel) -> list[str]:
    """List what differs from the known content; empty for the very file."""
    size_bytes = file.stat().st_size
    found = (
        ("its size", str(size_bytes), known.size_bytes and str(known.size_bytes)),
        ("its git blob id", _git_blob(file), known.git_blob),
        ("its SHA-256", sha256(file), known.sha256),
    )
    return [
        f"{what} is {own}, not {wanted}" for what, own, wanted in found if wanted and own != wanted
    ]


def _git_blob(file: Path) -> str:
    """Compute git's id of a file's content."""
    # The processors' rules of some institutions (FIPS) allow SHA-1 only where it is said so.
    digest = hashlib.sha1(b"blob %d\0" % file.stat().st_size, usedforsecurity=False)
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _guess(file: Path) -> str:
    with file.open("rb") as opened:
        head = opened.read(200).lstrip().lower()
    if head.startswith(b"<"):
        return " It is a web page, such as a proxy's or a login page."
    if head.startswith(b"version https://git-lfs"):
        return " It is a pointer of Git LFS, not the file itself."
    return ""


def _facts(known: KnownModel, digest: str) -> ScriptFacts:
    return ScriptFacts(
        mpp=known.script.mpp,
        window_px=known.script.window_px,
        normalisation=known.script.normalisation,
        licence=known.licence.summary,
        trained_on=known.trained_on,
        intended_use=known.purpose,
        card=_card(known, digest),
    )


def _card(known: KnownModel, digest: str) -> str:
    return f"""# {known.name}

{known.title}

* For: {known.purpose}
* Trained on: {known.trained_on}
* Cite: {known.citation}
* From: {known.url}
* SHA-256: {digest}
* Licence: {known.licence.url}

{known.licence.text}
"""
