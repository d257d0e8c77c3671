"""What lies on a slide beside its tissue or spoils it: pen, dust, bubbles, folds, lost focus."""

from glisson.artefacts.finder import find_artefacts
from glisson.artefacts.found import Artefact, Artefacts, Handling
from glisson.artefacts.kinds import Kind
from glisson.artefacts.settings import ArtefactSettings

__all__ = ["Artefact", "ArtefactSettings", "Artefacts", "Handling", "Kind", "find_artefacts"]
