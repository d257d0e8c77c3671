"""Files locked by a process for as long as it lives: who uses what in a folder of several runs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from glisson.errors import MissingExtra, StorageError

_LONGEST_TURN_S = 300.0


class Holds:
    """Locked files in a folder; the system releases those of a process that dies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One process at a time; for short changes only.

        Raises:
            StorageError: another one takes minutes.
        """
        filelock = _filelock()
        try:
            turn = filelock.FileLock(self._folder / "lock", timeout=_LONGEST_TURN_S)
            turn.acquire()
        except filelock.Timeout:
            raise StorageError(
                f"{self._folder} has been locked by another run for {_LONGEST_TURN_S:.0f} s. "
                "End the run that hangs, or choose another folder with --cache."
            ) from None
        try:
            yield
        finally:
            turn.release()

    def take(self, key: str) -> Any:
        """Hold a key, as others may too; called `alone`."""
        return self._locked(self._folder / f"{key}.{uuid.uuid4().hex}.lock")

    def take_only(self, key: str) -> Any | None:
        """Hold a key's one place for whoever makes it; None where another does. Called `alone`."""
        return self._locked(self._folder / f"{key}.making.lock")

    def is_held(self, key: str) -> bool:
        """Whether anybody holds a key; locks of the dead are removed. Called `alone`."""
        alive = [self._is_alive(path) for path in self._folder.glob(f"{key}.*.lock")]
        return any(alive)

    def release(self, lock: Any) -> None:
        """Hold it no longer."""
        with self.alone():
            self.drop(lock)

    def drop(self, lock: Any) -> None:
        """Hold it no longer; called `alone`."""
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)

    def _is_alive(self, path: Path) -> bool:
        lock = self._locked(path)
        if lock is None:
            return True
        lock.release()
        path.unlink(missing_ok=True)
        return False

    def _locked(self, path: Path) -> Any | None:
        filelock = _filelock()
        lock = filelock.FileLock(path, timeout=0, thread_local=False)
        try:
            lock.acquire()
        except (filelock.Timeout, RuntimeError):  # the latter where this very thread holds it
            return None
        return lock


def _filelock() -> Any:
    try:
        import filelock
    except ImportError:
        raise MissingExtra(
            "Slides on a store need filelock: pip install 'glisson[cloud]'"
        ) from None
    return filelock
