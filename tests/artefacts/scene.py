"""A field of a phantom biopsy, clean or soiled, as a slide in memory with its exact truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from glisson.slides import InMemorySlide
from glisson_phantom.biopsy import PhantomSettings, plan_biopsy
from glisson_phantom.features import Feature
from glisson_phantom.plan.glass import Artefacts, Blur, Stroke

SIDE_UM = 1800.0
_FEATURE = {"defocus": Feature.DEFOCUS, "fold": Feature.FOLD, "pen": Feature.PEN,
            "bubble": Feature.BUBBLE, "dust": Feature.DUST}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """A slide and the truth about it on its grid of 1 µm/px."""

    slide: InMemorySlide
    labels: NDArray[np.uint8]
    features: NDArray[np.uint32]

    def truth(self, kind: str) -> NDArray[np.bool_]:
        return (self.features & np.uint32(_FEATURE[kind])) != 0

    @cached_property
    def tissue(self) -> NDArray[np.bool_]:
        return self.labels > 0


def field(*, soiled: bool) -> Field:
    """A core with glass above and below; soiled: red pen on the glass, a fold, blur, a bubble."""
    settings = PhantomSettings(seed=24, length_mm=2.5, width_mm=0.9, diagnosis="normal", stage=0,
                               shape="straight", breaks=0, artefacts=0)  # fmt: skip
    biopsy = plan_biopsy(settings)
    centre = np.asarray(biopsy.layout.cores[0].outline_um).mean(axis=0)
    biopsy = replace(biopsy, artefacts=_artefacts(centre) if soiled else Artefacts())
    chunk = biopsy.view(centre, SIDE_UM)
    return Field(InMemorySlide(chunk.pixels, biopsy.pixel_size), chunk.labels, chunk.features)


def _artefacts(centre: NDArray[np.float64]) -> Artefacts:
    def at(x: float, y: float) -> NDArray[np.float64]:
        return centre + np.array([x, y])

    pen = Stroke(np.array([at(-700, 760), at(600, 760)]), 180.0, (0.9, 0.3, 0.42))
    fold = Stroke(np.array([at(-650, -180), at(-300, 250)]), 70.0)
    return Artefacts(
        pens=(pen,),
        folds=(fold,),
        bubbles_um=np.array([[*at(100, -640), 220.0]]),
        blurs=(Blur(np.append(at(500, 50), 380.0), 2.5),),
        specks_um=np.array([[*at(-600, -700), 20.0], [*at(-450, -760), 16.0]]),
    )
