"""A store that fails: asked again, or one clear error."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

import pytest

from glisson.errors import GlissonError, MissingExtra, NotStored, SettingsError, StorageError
from glisson.storage import (
    Url,
    find_files,
    glob_files,
    list_folder,
    read,
    remove,
    stat_url,
    write,
)
from glisson.storage.store import TRIES

FILE = Url("memory://box/scans/a.svs")


@pytest.fixture
def failing(memory: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have the next reads fail with these errors; the reads that were asked for are counted."""
    memory.pipe("/box/scans/a.svs", b"0123456789")
    real = type(memory).cat_file
    errors: list[Exception | bytes] = []
    calls: list[tuple[int, int]] = []

    def cat_file(self: Any, path: str, start: int, end: int) -> bytes:
        calls.append((start, end))
        if not errors:
            return bytes(real(self, path, start, end))
        error = errors.pop(0)
        if isinstance(error, bytes):
            return error
        raise error

    monkeypatch.setattr(type(memory), "cat_file", cat_file)

    def fail(*these: Exception | bytes) -> list[tuple[int, int]]:
        errors[:] = these
        return calls

    return fail


def test_a_read_that_breaks_is_asked_again(failing: Any) -> None:
    calls = failing(ConnectionResetError("gone"), TimeoutError(), b"01")
    assert read(FILE, 2, 6) == b"2345"
    assert calls == [(2, 6)] * 4


def test_after_some_tries_it_fails_and_says_why(failing: Any) -> None:
    calls = failing(*[OSError(f"no route to memory://u:pw@box/?t={n}") for n in range(9)])
    with pytest.raises(StorageError, match="tried 4 times") as caught:
        read(FILE, 0, 4)
    assert len(calls) == TRIES
    assert "pw" not in str(caught.value)
    assert "no route to memory://box/" in str(caught.value)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PermissionError("Forbidden"), "credentials"),
        (FileNotFoundError("a"), "does not exist"),
        (b"0123456789", "only whole files"),
    ],
)
def test_what_no_second_try_mends_is_said_at_once(
    failing: Any, error: Exception | bytes, message: str
) -> None:
    calls = failing(error)
    with pytest.raises(StorageError, match=message):
        read(FILE, 0, 4)
    assert len(calls) == 1


def test_what_is_there(memory: Any, tmp_path: Path) -> None:
    for key in ("scans/a.svs", "scans/b.txt", "scans/deep/c.svs", "scans/deep/d/e.svs"):
        memory.pipe(f"/box/{key}", key.encode())
    scans = Url("memory://box/scans/")
    assert stat_url(scans).is_folder
    assert stat_url(Url("memory://box/scans")).is_folder
    assert stat_url(scans / "a.svs").bytes == len("scans/a.svs")
    names = [(each.url.name, each.is_folder) for each in list_folder(scans)]
    assert names == [("a.svs", False), ("b.txt", False), ("deep", True)]
    assert len(find_files(scans)) == 4
    assert find_files(Url("memory://box/none")) == []
    deep = glob_files(Url("memory://box/scans/**/*.svs"))
    assert [each.url.name for each in deep] == ["a.svs", "c.svs", "e.svs"]
    assert [each.url for each in glob_files(Url("memory://box/s*/d??p/*.svs"))] == [
        Url("memory://box/scans/deep/c.svs")
    ]
    (tmp_path / "new").write_bytes(b"new")
    write(tmp_path / "new", Url("memory://box/far/new"))
    assert read(Url("memory://box/far/new"), 0, 3) == b"new"
    remove(Url("memory://box/far/new"))
    remove(Url("memory://box/far/new"))
    with pytest.raises(NotStored):
        stat_url(Url("memory://box/far/new"))


def test_a_key_that_leads_out_of_its_folder_is_refused(memory: Any) -> None:
    memory.pipe("/box/scans/a", b"a")
    memory.store["/box/scans/../../etc/passwd"] = memory.store["/box/scans/a"]
    with pytest.raises(StorageError, match="leads elsewhere") as caught:
        find_files(Url("memory://box/scans"))
    assert "tried" not in str(caught.value)


def test_a_stored_key_is_never_a_chain(s3: Any) -> None:
    """fsspec's own `url_to_fs` would open another file system for each `::`."""
    s3.put_object(Bucket="bucket", Key="a::reference", Body=b"12")
    (file,) = find_files(Url("s3://bucket/"))
    assert read(file.url, 0, 2) == b"12"


@pytest.mark.parametrize(
    ("address", "error"),
    [("nosuch://box/a", SettingsError), ("gs://box/a.svs", MissingExtra)],
)
def test_stores_that_are_not_known(address: str, error: type[GlissonError]) -> None:
    pytest.importorskip("fsspec")
    if address.startswith("gs"):
        try:
            import gcsfs  # noqa: F401
        except ImportError:
            pass
        else:
            pytest.skip("gcsfs is installed")
    with pytest.raises(error):
        stat_url(Url(address))


def test_a_server_that_stalls_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the connection and never says a word."""
    import socket

    monkeypatch.setattr("glisson.storage.store.ANSWER_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.svs"
        with pytest.raises(StorageError, match=r"no answer in time\. Glisson tried 4 times"):
            stat_url(Url(address))


def test_a_server_that_is_not_there_is_not_called_a_missing_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(StorageError, match="tried 4 times") as caught:
        stat_url(Url("http://me:topsecret@127.0.0.1:9/a.svs?sig=hidden"))
    assert not isinstance(caught.value, NotStored)
    assert "topsecret" not in str(caught.value)
    assert "hidden" not in str(caught.value)


@contextmanager
def answering(head: str) -> Iterator[str]:
    """Yield the address of a server that answers every request with these lines."""

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            self.wfile.write(head.replace("\n", "\r\n").encode())

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/a.svs"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("HTTP/1.1 200 OK\nConnection: close\n\nbytes", "does not say how many bytes"),
        (
            "HTTP/1.1 302 Found\nLocation: /a.svs\nConnection: close\nContent-Length: 0\n\n",
            "makes no sense",
        ),
        ("HTTP/1.1 200 OK\nno header at all\n\n", "makes no sense"),
        ("HTTP/1.1 418 Teapot\nContent-Length: 0\n\n", "makes no sense"),
    ],
)
def test_answers_that_make_no_sense_are_not_called_empty_or_missing(
    head: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("aiohttp")
    monkeypatch.setattr("glisson.storage.store.FIRST_WAIT_S", 0.01)
    with answering(head) as address, pytest.raises(StorageError, match=reason) as caught:
        stat_url(Url(address))
    assert not isinstance(caught.value, NotStored)
