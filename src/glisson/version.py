"""The version of this copy of Glisson."""

__version__ = "0.1.0"
