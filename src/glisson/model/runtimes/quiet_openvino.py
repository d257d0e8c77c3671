"""OpenVINO without its telemetry; every module of Glisson imports `openvino` from here.

`import openvino` sends an event to Google Analytics through the package `openvino_telemetry`, and
writes a client id to `~/intel`. Where that package cannot be imported, OpenVINO (and nncf) takes a
stand-in that does nothing.
"""

from __future__ import annotations

import sys

if "openvino" not in sys.modules:
    # Python raises ImportError for a module that is None here.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

import openvino
import openvino.opset13
import openvino.preprocess

__all__ = ["openvino"]
