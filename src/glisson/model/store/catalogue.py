"""Models of others that Glisson knows by name: address, licence, and the content's hash."""

from __future__ import annotations

import hashlib
import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, model_validator

from glisson.errors import InvalidBundle, ModelNotFound
from glisson.files.hashing import hash_file
from glisson.model.spec import Frozen, ModelFacts, Mpp, Normalisation, Sha256, WindowPx
from glisson.storage.url import Url

KNOWN_FILE: Final = "known_models.toml"
_CHUNK_BYTES = 1 << 20

GitBlob = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]


class Licence(Frozen):
    """The licence of a known model.

    Attributes:
        summary: a line that the added model carries.
        url: the authors' publication of the licence.
        text: the whole licence.
    """

    summary: str = Field(min_length=1)
    url: str = Field(pattern=r"^https://")
    text: str = Field(min_length=1)


class Script(Frozen):
    """Facts that a TorchScript file does not contain.

    Attributes:
        mpp: µm/px of the input.
        window_px: side of the windows that the model was trained on.
        normalisation: bytes to the network's input.
    """

    mpp: Mpp
    window_px: WindowPx
    normalisation: Normalisation = Normalisation()


class KnownModel(Frozen):
    """A TorchScript file on the web, pinned by its content.

    Attributes:
        name: what `glisson models add` and `--model` call the model.
        title: a description in a line.
        url: address, pinned to a commit.
        git_blob: git's id of the content: SHA-1 of `blob`, the size, a zero byte and the content.
        sha256: SHA-256 of the content, where it is known.
        size_bytes: size, where it is known.
        most_bytes: size limit of a download.
        purpose: the use that the licence allows.
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
    def _require_hash(self) -> KnownModel:
        if self.git_blob is None and self.sha256 is None:
            raise ValueError("neither git_blob nor sha256 is given")
        return self

    @property
    def file_name(self) -> str:
        """Return the name of the file at the address."""
        return Url(self.url).name

    @property
    def use(self) -> str:
        """Return a command that uses the model."""
        return f"glisson segment SLIDE -o results --model {self.name}"

    def list_differences(self, file: Path) -> list[str]:
        """List how a file differs from the model's content; an empty list for the very file."""
        size_bytes = file.stat().st_size
        checks = (
            ("its size", str(size_bytes), self.size_bytes and str(self.size_bytes)),
            ("its git blob id", _hash_git_blob(file), self.git_blob),
            ("its SHA-256", hash_file(file), self.sha256),
        )
        return [
            f"{what} is {found}, not {expected}"
            for what, found, expected in checks
            if expected and found != expected
        ]

    def describe(self, file: Path, name: str) -> ModelFacts:
        """Return the facts of the model for a bundle of this file under a name."""
        return ModelFacts(
            name=name,
            mpp=self.script.mpp,
            window_px=self.script.window_px,
            normalisation=self.script.normalisation,
            licence=self.licence.summary,
            trained_on=self.trained_on,
            intended_use=self.purpose,
            card=f"""# {self.name}

{self.title}

* For: {self.purpose}
* Trained on: {self.trained_on}
* Cite: {self.citation}
* From: {self.url}
* SHA-256: {hash_file(file)}
* Licence: {self.licence.url}

{self.licence.text}
""",
        )


@cache
def read_known_models() -> dict[str, KnownModel]:
    """Read the catalogue of known models, by name."""
    text = resources.files("glisson.model.store").joinpath(KNOWN_FILE).read_text(encoding="utf-8")
    return {
        name: KnownModel.model_validate({"name": name, **facts})
        for name, facts in tomllib.loads(text).items()
    }


def find_known_model(name: str) -> KnownModel:
    """Find a known model by its name.

    Raises:
        ModelNotFound: no known model has that name; the message lists the names.
    """
    models = read_known_models()
    if name not in models:
        raise ModelNotFound(
            f"Glisson knows no model {name} to download. Known: {', '.join(models)}."
        )
    return models[name]


def recognise_file(file: Path) -> KnownModel | None:
    """Find the known model whose content a file has, byte for byte; None if there is none."""
    matches = (known for known in read_known_models().values() if not known.list_differences(file))
    return next(matches, None)


def check_content(file: Path, known: KnownModel) -> None:
    """Reject a file that is not the known model, byte for byte.

    Raises:
        InvalidBundle: says what differs.
    """
    if differences := known.list_differences(file):
        raise InvalidBundle(
            f"The file is not {known.name}: {'; '.join(differences)}.{_guess_content(file)} "
            f"Nothing of it was run or kept. Download {known.url} again."
        )


def _hash_git_blob(file: Path) -> str:
    """Compute git's id of a file's content."""
    # Institutions that enforce FIPS allow SHA-1 only with this flag.
    digest = hashlib.sha1(b"blob %d\0" % file.stat().st_size, usedforsecurity=False)
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _guess_content(file: Path) -> str:
    with file.open("rb") as opened:
        head = opened.read(200).lstrip().lower()
    if head.startswith(b"<"):
        return " It is a web page, such as a proxy's or a login page."
    if head.startswith(b"version https://git-lfs"):
        return " It is a pointer of Git LFS, not the file itself."
    return ""
