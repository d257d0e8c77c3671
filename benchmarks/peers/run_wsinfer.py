"""WSInfer on one slide: run_wsinfer.py SLIDE WEIGHTS OUT. Prints the number of tiles."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from pathlib import Path

import wsinfer_zoo.client


def main() -> None:
    """Run WSInfer as its documentation says."""
    slide, weights, out = (Path(argument) for argument in sys.argv[1:4])
    alone = out / "slides"
    alone.mkdir(parents=True)
    (alone / slide.name).symlink_to(slide.resolve())
    command = ["--backend=openslide", "run", "--wsi-dir", str(alone)]
    command += ["--results-dir", str(out / "results"), "--config", str(weights / "config.json")]
    command += ["--model-path", str(weights / "tiles.pt"), "--batch-size", "8"]
    # WSInfer's own threshold (7) takes bluish glass for tissue: 2,301 tiles instead of 700.
    command += ["--seg-binary-threshold", "30"]
    os.environ["WSINFER_FORCE_CPU"] = "1"
    # The command line fetches the list of known models from the hub when it is imported.
    wsinfer_zoo.client.load_registry = lambda *_: wsinfer_zoo.client.ModelRegistry({})
    with contextlib.redirect_stdout(io.StringIO()):
        from wsinfer.cli.cli import cli

        cli(command, standalone_mode=False)
    (table,) = (out / "results" / "model-outputs-csv").glob("*.csv")
    print(json.dumps({"tiles": len(table.read_text().splitlines()) - 1}))


if __name__ == "__main__":
    main()
