"""Where the slides of a run are done: in this process, in one of its own, or on a Dask cluster."""

from __future__ import annotations

from glisson.run.executors.base import Executor, Work
from glisson.run.executors.choice import find_executor
from glisson.run.executors.in_process import InProcess
from glisson.run.executors.isolated import IsolatedProcess
from glisson.run.executors.on_dask import DaskCluster
from glisson.run.executors.shard import Shard

__all__ = [
    "DaskCluster",
    "Executor",
    "InProcess",
    "IsolatedProcess",
    "Shard",
    "Work",
    "find_executor",
]
