"""A real S3 server on this machine, and fsspec's store in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of moto's S3 server, in threads of this process."""
    import logging

    pytest.importorskip("s3fs", reason="needs the extra `cloud`")

    server_module = pytest.importorskip("moto.moto_server.threaded_moto_server")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of the server, with an empty bucket called `bucket`; s3:// means it."""
    import boto3
    import fsspec

    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "AKIAKEY",
        "AWS_SECRET_ACCESS_KEY": "topsecret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    if "bucket" in [each["Name"] for each in client.list_buckets()["Buckets"]]:
        for key in stored_keys(client):
            client.delete_object(Bucket="bucket", Key=key)
    else:
        client.create_bucket(Bucket="bucket")
    yield client
    fsspec.filesystem("s3").invalidate_cache()
    client.close()


def stored_keys(client: Any) -> list[str]:
    """All keys in the bucket."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="bucket")
    return [each["Key"] for page in pages for each in page.get("Contents", [])]


@pytest.fixture
def memory() -> Iterator[Any]:
    """fsspec's store in this process, empty; `memory://`."""
    fsspec = pytest.importorskip("fsspec", reason="needs the extra `cloud`")
    store = fsspec.filesystem("memory")
    store.store.clear()
    store.pseudo_dirs[:] = [""]
    yield store
    store.store.clear()


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again is tried at once."""
    monkeypatch.setattr("glisson.storage.store.FIRST_WAIT_S", 0.0)
