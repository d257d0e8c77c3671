"""The model bundle, its runtimes and the store of known models."""

from glisson.model.bundle import ModelBundle, load_bundle
from glisson.model.export import write_bundle
from glisson.model.spec import Architecture, ModelSpec, Normalisation, SelfTest

__all__ = [
    "Architecture",
    "ModelBundle",
    "ModelSpec",
    "Normalisation",
    "SelfTest",
    "load_bundle",
    "write_bundle",
]
