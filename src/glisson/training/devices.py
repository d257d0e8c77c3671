"""Devices and precision, by Lightning Fabric."""

from __future__ import annotations

import ctypes
import logging
import sys

import torch
from lightning.fabric import Fabric
from lightning.fabric.utilities.exceptions import MisconfigurationException
from torch import Tensor

from glisson.errors import SettingsError

AUTO = "auto"
PRECISIONS = {"f32": "32-true", "bf16": "bf16-mixed", "f16": "16-mixed"}

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4
"""Parameters of glibc's `mallopt` (malloc.h)."""


def launch_fabric(
    accelerator: str = "auto", devices: str = "1", nodes: int = 1, precision: str = AUTO
) -> Fabric:
    """Launch Fabric on devices; from here on, each of several devices runs this program.

    Args:
        accelerator: `cpu`, `cuda`, `mps` or `auto`.
        devices: how many, or `auto` for all.
        nodes: machines, each started with the same command (or by SLURM, or torchrun).
        precision: `f32`, `bf16`, `f16` or `auto`, which is bf16 where the device computes with it,
            else f32.

    Raises:
        SettingsError: this machine has no such device, or the device has no such precision.
    """
    if precision not in (AUTO, *PRECISIONS):
        raise SettingsError(f"No precision {precision}: one of auto, {', '.join(PRECISIONS)}.")
    for name in ("lightning.fabric", "lightning.pytorch"):
        # they write to the terminal themselves, and twice where logging is set up
        logging.getLogger(name).setLevel(logging.WARNING)
    if precision == AUTO:
        precision = "bf16" if _computes_bf16(accelerator) else "f32"
    _keep_freed_memory()
    try:
        fabric = Fabric(
            accelerator=accelerator,
            devices=int(devices) if devices.isdigit() else devices,
            num_nodes=nodes,
            precision=PRECISIONS[precision],
        )
        fabric.launch()
    except (MisconfigurationException, TypeError, ValueError, RuntimeError) as error:
        raise SettingsError(
            f"{devices} x {accelerator} at precision {precision} cannot be used: "
            f"{str(error).splitlines()[0]}"
        ) from error
    return fabric


def _keep_freed_memory() -> None:
    """Make glibc keep the large blocks that a step frees for the next step.

    Otherwise the system faults their pages in again one by one: more than half of the time of a
    step on the processor (batches of 16 tiles of 256 px).
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # another C library
        return
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
    mallopt(_M_TOP_PAD, 2**28)


def _computes_bf16(accelerator: str) -> bool:
    """Return True if bf16 is native there; emulated, it is slower than f32."""
    if accelerator in ("auto", "cuda", "gpu") and torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if accelerator in ("auto", "mps", "gpu") and torch.backends.mps.is_available():
        return False
    # torch has no public function for the processor's bf16.
    return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", bool)())


def sum_over_devices(fabric: Fabric, values: Tensor) -> Tensor:
    """Sum a tensor over all devices and return it on the processor."""
    if fabric.world_size == 1:  # MPS, always alone, has no 64-bit floats
        return values
    return fabric.all_reduce(fabric.to_device(values), reduce_op="sum").cpu()


@torch.no_grad()  # type: ignore[untyped-decorator]
def average_buffers(fabric: Fabric, network: torch.nn.Module) -> None:
    """Average over devices what batch norm has seen, which each device counts by itself."""
    if fabric.world_size == 1:
        return
    for buffer in network.buffers():
        if buffer.dtype.is_floating_point:
            buffer.copy_(fabric.all_reduce(buffer, reduce_op="mean"))
