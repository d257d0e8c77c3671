"""A file on a store as a file object of fsspec, which downloads only the blocks that are read."""

from __future__ import annotations

from fsspec.spec import AbstractBufferedFile

from glisson.storage.store import Stored, read

BLOCK_BYTES = 1 << 20
_MOST_BLOCKS = 128


class RangeFile(AbstractBufferedFile):  # type: ignore[misc]  # fsspec has no types
    """A read-only file on a store; its last blocks stay in memory. Not safe for several threads.

    Args:
        stored: the file.
        block_bytes: size of a request; `BLOCK_BYTES` by default.

    Every read raises StorageError if the store does not answer or refuses.
    """

    def __init__(self, stored: Stored, block_bytes: int | None = None) -> None:
        self._stored = stored
        self.name = stored.url.name
        super().__init__(
            None,
            "",  # fsspec logs the path
            block_size=block_bytes or BLOCK_BYTES,
            cache_type="blockcache",
            cache_options={"maxblocks": _MOST_BLOCKS},
            size=stored.bytes,
        )

    def _fetch_range(self, start: int, end: int) -> bytes:
        return read(self._stored.url, start, min(end, self.size))  # the last block ends early
