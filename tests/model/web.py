"""A web server and proxy on this machine that hands out a stand-in for a known model."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from glisson.model import KnownModel, read_known_models


class Web:
    """What the server answers, and what it was asked.

    Attributes:
        address: of the server.
        files: content by path.
        asked: request lines' targets; whole addresses where the server is used as a proxy.
        headers: of the last request.
    """

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}


@contextmanager
def served() -> Iterator[Web]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.asked.append(self.path)
            web.headers = dict(self.headers.items())
            _answer(self, web, urlsplit(self.path).path)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        web = Web(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield web
        finally:
            server.shutdown()
            thread.join()


def _answer(handler: BaseHTTPRequestHandler, web: Web, path: str) -> None:
    folder, _, name = path.rpartition("/")
    content = web.files.get(name)
    if folder == "/moved":
        handler.send_response(302)
        handler.send_header("Location", f"/files/{name}")
        handler.end_headers()
        return
    if folder.startswith("/status"):
        handler.send_error(int(folder.removeprefix("/status")))
        return
    if content is None:
        handler.send_error(404)
        return
    handler.send_response(200)
    if folder != "/unsized":
        handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content[: len(content) // 2] if folder == "/cut" else content)


def stand_in(file: Path, url: str) -> KnownModel:
    """HOTSPoT's entry, for another file at another address."""
    content = file.read_bytes()
    blob = hashlib.sha1(b"blob " + str(len(content)).encode() + b"\0" + content).hexdigest()
    return read_known_models()["hotspot"].model_copy(update={"url": url, "git_blob": blob})
