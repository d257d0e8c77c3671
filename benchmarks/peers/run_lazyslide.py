"""LazySlide on one slide: run_lazyslide.py SLIDE WEIGHTS OUT. Prints the number of tiles."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import lazyslide as zs
import torch
from lazyslide_models.base import ModelBase, SegmentationOutput
from wsidata import open_wsi


class Pixels(ModelBase):
    """The TorchScript file as LazySlide's segmentation model."""

    def __init__(self, path: Path) -> None:
        self.model = torch.jit.load(path).eval()

    def get_transform(self):
        """Return the function from bytes to the network's input."""
        return lambda image: torch.as_tensor(image).permute(2, 0, 1).float() / 255

    def to(self, device: str) -> Pixels:
        """Stay on the processor."""
        return self

    @torch.inference_mode()
    def segment(self, image: torch.Tensor) -> SegmentationOutput:
        """Predict the probabilities of every pixel."""
        return SegmentationOutput(probability_map=self.model(image))


def main() -> None:
    """Run LazySlide as its documentation says."""
    slide, weights, out = (Path(argument) for argument in sys.argv[1:4])
    wsi = open_wsi(slide)
    zs.pp.find_tissues(wsi)
    zs.pp.tile_tissues(wsi, 256, mpp=1.0, edge=True, background_filter=False)
    names = ["background", "lobule", "portal"]
    zs.seg.semantic(
        wsi,
        Pixels(weights / "pixels.pt"),
        class_names=names,
        mode="constant",
        batch_size=8,
        device="cpu",
        pbar=False,
        key_added="portal",
    )
    zs.io.export_annotations(wsi, "portal", classes="class", file=out / "portal.geojson")
    print(json.dumps({"tiles": len(wsi.shapes["tiles"])}))


if __name__ == "__main__":
    main()
