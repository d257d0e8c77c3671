"""TIAToolbox on one slide: run_tiatoolbox.py SLIDE WEIGHTS OUT. Prints the number of tiles."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
from tiatoolbox.models.engine.io_config import IOSegmentorConfig
from tiatoolbox.models.engine.semantic_segmentor import SemanticSegmentor
from tiatoolbox.models.models_abc import ModelABC

seen = {"tiles": 0}


class Pixels(ModelABC):
    """The TorchScript file as TIAToolbox's model."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.model = torch.jit.load(path).eval()
        self.class_dict = {0: "background", 1: "lobule", 2: "portal"}

    def forward(self, rgb: torch.Tensor) -> torch.Tensor:
        """Predict probabilities."""
        return self.model(rgb)

    @staticmethod
    def infer_batch(model: ModelABC, batch_data: torch.Tensor, *, device: str) -> np.ndarray:
        """Predict probabilities, channels last."""
        seen["tiles"] += len(batch_data)
        rgb = batch_data.to(device).float().permute(0, 3, 1, 2) / 255
        with torch.inference_mode():
            return model(rgb).permute(0, 2, 3, 1).numpy()

    @staticmethod
    def postproc(image: np.ndarray) -> np.ndarray:
        """Return classes."""
        return image.argmax(axis=-1)


def main() -> None:
    """Run TIAToolbox as its documentation says."""
    slide, weights, out = (Path(argument) for argument in sys.argv[1:4])
    one_um = [{"units": "mpp", "resolution": 1.0}]
    config = IOSegmentorConfig(
        input_resolutions=one_um,
        output_resolutions=one_um,
        patch_input_shape=(256, 256),
        patch_output_shape=(256, 256),
        stride_shape=(256, 256),
        save_resolution=one_um[0],
    )
    engine = SemanticSegmentor(Pixels(weights / "pixels.pt"), batch_size=8, num_workers=0)
    engine.run(
        [slide],
        patch_mode=False,
        ioconfig=config,
        save_dir=out / "results",
        output_type="qupath",
        auto_get_mask=True,
        device="cpu",
        verbose=False,
    )
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
