"""Devices and precision, by Lightning Fabric."""

from __future__ import annotations

from lightning.fabric import Fabric
from lightning.fabric.utilities.exceptions import MisconfigurationException

from glisson.errors import SettingsError

PRECISIONS = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}


def launched(
    accelerator: str = "auto", devices: str = "1", nodes: int = 1, precision: str = "32"
) -> Fabric:
    """Fabric on the devices asked for; several of them each run this program from here on.

    Args:
        accelerator: `cpu`, `cuda`, `mps` or `auto`.
        devices: how many, or `auto` for all.
        nodes: machines, each started with the same command (or by SLURM, or torchrun).
        precision: `32`, `bf16` or `16`.

    Raises:
        SettingsError: this machine has no such device, or it cannot do that.
    """
    if precision not in PRECISIONS:
        raise SettingsError(f"No precision {precision}: one of {', '.join(PRECISIONS)}.")
    try:
        fabric = Fabric(
            accelerator=accelerator,
            devices=int(devices) if devices.isdigit() else devices,
            num_nodes=nodes,
            precision=PRECISIONS[precision],
        )
        fabric.launch()
    except (MisconfigurationException, ValueError, RuntimeError) as error:
        raise SettingsError(
            f"{devices} x {accelerator} at precision {precision} cannot be used: "
            f"{str(error).splitlines()[0]}"
        ) from error
    return fabric
