"""A file on a store, read by range: the blocks that are asked for, and no others."""

from __future__ import annotations

import io
from collections import OrderedDict

from glisson.storage.store import Stored, read

BLOCK_BYTES = 1 << 20
_MOST_BLOCKS = 128


class RangeFile(io.RawIOBase):
    """A read-only file whose blocks are fetched as they are read; the last used are kept.

    Not safe to use from several threads at once.

    Args:
        stored: the file.
        block_bytes: of one request; `BLOCK_BYTES` if left out.
    """

    def __init__(self, stored: Stored, block_bytes: int | None = None) -> None:
        super().__init__()
        self.name = stored.url.name
        self.fetched_bytes = 0
        self._stored = stored
        self._block_bytes = block_bytes or BLOCK_BYTES
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._position = 0

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Where the next read starts, in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set where the next read starts, in bytes."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._stored.bytes}
        self._position = max(0, base[whence] + offset)
        return self._position

    def readinto(self, buffer: object) -> int:
        """Fill a buffer; fewer bytes come at the end of a block or of the file.

        Raises:
            StorageError: the store does not answer, or refuses.
        """
        wanted = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        if self._position >= self._stored.bytes:
            return 0
        number, start = divmod(self._position, self._block_bytes)
        part = self._block(number)[start : start + len(wanted)]
        wanted[: len(part)] = part
        self._position += len(part)
        return len(part)

    def read(self, size: int = -1) -> bytes:
        """Bytes from the position on; fewer only at the end of the file."""
        left = max(0, self._stored.bytes - self._position)
        buffer = memoryview(bytearray(left if size < 0 else min(size, left)))
        done = 0
        while done < len(buffer):
            done += self.readinto(buffer[done:])
        return bytes(buffer)

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            start = number * self._block_bytes
            end = min(start + self._block_bytes, self._stored.bytes)
            self._blocks[number] = read(self._stored.url, start, end)
            self.fetched_bytes += end - start
            if len(self._blocks) > _MOST_BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(number)
        return self._blocks[number]
