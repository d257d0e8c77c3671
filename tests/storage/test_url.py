"""Addresses: what they name, and what of them is never shown."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glisson.errors import SettingsError
from glisson.storage import Url, make_absolute, parse_place
from glisson.storage.url import redact_secrets

WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=6, max_size=12)


def test_a_place_is_a_path_or_an_address() -> None:
    assert parse_place("scans/a.svs") == Path("scans/a.svs")
    assert parse_place("C:/scans/a.svs") == Path("C:/scans/a.svs")
    assert parse_place("file:///scans/a%20b.svs") == Path("/scans/a b.svs")
    assert parse_place("s3://bucket/a.svs") == Url("s3://bucket/a.svs")
    assert parse_place(Path("a")) == Path("a")


def test_names_and_folders() -> None:
    url = Url("s3://bucket/scans/case 1.ome.tif")
    assert (url.name, url.stem, url.suffix) == ("case 1.ome.tif", "case 1.ome", ".tif")
    assert url.parent == Url("s3://bucket/scans")
    assert url.parent / "b.svs" == Url("s3://bucket/scans/b.svs")
    assert url.parent / "../b.svs" == Url("s3://bucket/b.svs")
    assert url.as_path() == Path("/bucket/scans/case 1.ome.tif")
    assert Url("https://host/a%2F..%2F..%2Fb.svs").name == "b.svs"
    signed = Url("https://host/scans/a%20b.svs?X-Amz-Signature=abc")
    assert signed.name == "a b.svs"
    assert signed.parent == Url("https://host/scans")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://me:pw@host/a.svs?sig=1", "https://host/a.svs"),
        ("https://token@host/a.svs", "https://host/a.svs"),
        ("sftp://me@host/a.svs", "sftp://me@host/a.svs"),
        ("sftp://me:pw@host/a.svs", "sftp://host/a.svs"),
        (
            "abfs://box@account.dfs.core.windows.net/a.svs",
            "abfs://box@account.dfs.core.windows.net/a.svs",
        ),
        ("s3://bucket/what?.svs", "s3://bucket/what?.svs"),
        ("s3://bucket/a.svs?X-Amz-Signature=1", "s3://bucket/a.svs"),
    ],
)
def test_what_is_shown(address: str, shown: str) -> None:
    assert str(Url(address)) == shown


def test_keys_in_an_s3_address_are_refused_without_showing_them() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_place("s3://AKIAKEY:topsecret@bucket/a.svs")
    assert "AKIAKEY" not in str(caught.value)
    assert "topsecret" not in str(caught.value)
    assert "s3://bucket/a.svs" in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "reference://a.svs::http://127.0.0.1:8765/evil.json",
        "simplecache::s3://bucket/a.svs",
        "s3://bucket/a.svs::https://me:topsecret@host/evil.json?sig=hidden",
        "reference://a.svs",
        "github://a:topsecret@b/x.svs",
        "ftp://me:topsecret@host/a.svs",
        "hf://a/b.svs",
    ],
)
def test_chains_and_other_schemes_are_refused(address: str) -> None:
    """fsspec would run code from a template, or call servers that the user did not name."""
    with pytest.raises(SettingsError, match=r"does not read") as caught:
        parse_place(address)
    assert "topsecret" not in str(caught.value)
    assert "hidden" not in str(caught.value)
    with pytest.raises(SettingsError):
        Url("s3://bucket/tables") / f"x::{address}"


@given(user=WORD, password=WORD, signature=WORD)
def test_secrets_are_never_shown(user: str, password: str, signature: str) -> None:
    user, password, signature = f"U{user}", f"P{password}", f"Q{signature}"
    url = Url(f"https://{user}:{password}@host/scans/a.svs?sig={signature}&b=2")
    message = f"Cannot connect to '{url.address}' ({url.address}): user {user}:{password} refused"
    for text in (str(url), repr(url), repr([url]), redact_secrets(message, url)):
        assert not any(secret in text for secret in (user, password, signature))
    assert pickle.loads(pickle.dumps(url)).address == url.address


def test_full_paths_keep_links_and_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link.svs").symlink_to(tmp_path / "blob")
    monkeypatch.chdir(tmp_path)
    assert make_absolute(Path("link.svs")) == tmp_path / "link.svs"
    assert make_absolute(Url("s3://bucket/a.svs")) == Url("s3://bucket/a.svs")
