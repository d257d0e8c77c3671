"""The model bundle, its runtimes and the store of known models."""

from __future__ import annotations

from glisson.model.bundle import ModelBundle, load_bundle
from glisson.model.export import write_bundle
from glisson.model.formats import Exported, Format, export_model
from glisson.model.known import KnownModel, add_known_model, is_added, known_models
from glisson.model.opening import OpeningRuntime
from glisson.model.runtime import (
    Precision,
    Runtime,
    RuntimeKind,
    check_runs,
    check_self_test,
    glass_is_background,
    open_runtime,
)
from glisson.model.spec import (
    Architecture,
    ModelSpec,
    Normalisation,
    SelfTest,
    TractEvidence,
    Windows,
)
from glisson.model.store import add_model, find_model, hidden_folder, list_models, store_folder

__all__ = [
    "Architecture",
    "Exported",
    "Format",
    "KnownModel",
    "ModelBundle",
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
    "find_model",
    "glass_is_background",
    "hidden_folder",
    "is_added",
    "known_models",
    "list_models",
    "load_bundle",
    "open_runtime",
    "store_folder",
    "write_bundle",
]
