"""Find the tissue of an H&E slide, without pen, dust, edges and padding."""

from glisson.tissue.finder import find_tissue
from glisson.tissue.settings import TissueSettings
from glisson.tissue.tissue_map import Cause, TissueMap

__all__ = ["Cause", "TissueMap", "TissueSettings", "find_tissue"]
