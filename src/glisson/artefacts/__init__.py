"""Find artefacts: pen, dust, air bubbles, folds, and tissue out of focus."""

from glisson.artefacts.finder import find_artefacts
from glisson.artefacts.found import Artefact, Artefacts, Handling
from glisson.artefacts.kinds import Kind
from glisson.artefacts.settings import ArtefactSettings

__all__ = ["Artefact", "ArtefactSettings", "Artefacts", "Handling", "Kind", "find_artefacts"]
