"""Models: the bundle on disk, its networks and runtimes, and the store of known models."""

from __future__ import annotations

from glisson.model.bundle import ModelBundle, load_bundle
from glisson.model.formats import Exported, Format, export_model
from glisson.model.runtimes.base import Precision, Runtime, RuntimeKind
from glisson.model.runtimes.opening import OpeningRuntime, check_runs, open_runtime
from glisson.model.runtimes.self_test import check_self_test, measure_background_on_glass
from glisson.model.spec import (
    Architecture,
    ModelFacts,
    ModelSpec,
    Normalisation,
    SelfTest,
    TractEvidence,
    Windows,
)
from glisson.model.store.adding import add_model
from glisson.model.store.catalogue import KnownModel, read_known_models
from glisson.model.store.folders import (
    find_bundle,
    find_hidden_folder,
    find_model,
    find_store_folder,
    is_shipped,
    list_models,
)
from glisson.model.store.known import add_known_model, is_added
from glisson.model.writing import write_bundle

__all__ = [
    "Architecture",
    "Exported",
    "Format",
    "KnownModel",
    "ModelBundle",
    "ModelFacts",
    "ModelSpec",
    "Normalisation",
    "OpeningRuntime",
    "Precision",
    "Runtime",
    "RuntimeKind",
    "SelfTest",
    "TractEvidence",
    "Windows",
    "add_known_model",
    "add_model",
    "check_runs",
    "check_self_test",
    "export_model",
    "find_bundle",
    "find_hidden_folder",
    "find_model",
    "find_store_folder",
    "is_added",
    "is_shipped",
    "list_models",
    "load_bundle",
    "measure_background_on_glass",
    "open_runtime",
    "read_known_models",
    "write_bundle",
]
