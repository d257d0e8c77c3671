"""How many threads a container's quota leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from glisson import threads
from glisson.threads import available_threads


@pytest.fixture(autouse=True)
def sixty_four(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda _: set(range(64)), raising=False)


def write_files(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


V2, V1 = "sys/fs/cgroup/", "sys/fs/cgroup/cpu,cpuacct/"
V1_GROUP = "12:pids:/x\n4:cpu,cpuacct:/docker/abc\n"


@pytest.mark.parametrize(
    ("files", "count"),
    [
        ({}, 64),
        ({"proc/self/cgroup": "0::/\n", V2 + "cpu.max": "200000 100000\n"}, 2),
        ({"proc/self/cgroup": "0::/\n", V2 + "cpu.max": "max 100000\n"}, 64),
        ({"proc/self/cgroup": "0::/\n", V2 + "cpu.max": "50000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/\n", V2 + "cpu.max": "250000 100000\n"}, 3),
        ({"proc/self/cgroup": "0::/\n", V2 + "cpu.max": "nonsense"}, 64),
        # a Slurm step: the limit is that of the job above it
        ({"proc/self/cgroup": "0::/job/step\n", V2 + "job/cpu.max": "400000 100000",
          V2 + "job/step/cpu.max": "max 100000"}, 4),
        # a container whose path is the host's, with its own group as root
        ({"proc/self/cgroup": "0::/docker/abc\n", V2 + "cpu.max": "200000 100000"}, 2),
        ({"proc/self/cgroup": V1_GROUP, V1 + "docker/abc/cpu.cfs_quota_us": "300000",
          V1 + "docker/abc/cpu.cfs_period_us": "100000"}, 3),
        ({"proc/self/cgroup": V1_GROUP, V1 + "cpu.cfs_quota_us": "200000",
          V1 + "cpu.cfs_period_us": "100000"}, 2),
        ({"proc/self/cgroup": V1_GROUP, V1 + "cpu.cfs_quota_us": "-1",
          V1 + "cpu.cfs_period_us": "100000"}, 64),
        ({"proc/self/cgroup": V1_GROUP, "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000",
          "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, 1),
    ],
)  # fmt: skip
def test_quotas(files: dict[str, str], count: int, tmp_path: Path) -> None:
    assert available_threads(write_files(tmp_path, files)) == count
