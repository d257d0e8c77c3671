"""Where the tissue of an H&E slide is; pens, dust, edges and padding left out."""

from glisson.tissue.finder import find_tissue
from glisson.tissue.settings import TissueSettings
from glisson.tissue.tissue_map import Cause, TissueMap

__all__ = ["Cause", "TissueMap", "TissueSettings", "find_tissue"]
