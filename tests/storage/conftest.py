"""Stores for every test here."""

from __future__ import annotations

import pytest

from tests.stores import memory, no_waiting, s3, s3_server

__all__ = ["memory", "no_waiting", "s3", "s3_server"]

pytest.importorskip("s3fs", reason="needs the extra `cloud`")


@pytest.fixture(autouse=True)
def _at_once(no_waiting: None) -> None:
    """What is tried again is tried at once."""
