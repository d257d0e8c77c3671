"""QuPath's own program, run without a window to import outlines into a project."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from glisson.errors import OutputError, SettingsError
from glisson.exchange.qupath.project import PROJECT_FILE, SCRIPTS

_LONGEST_S = 3600
_SHOWN_LINES = 5


def find_qupath(program: str) -> Path:
    """Return the path of QuPath's program, given by path or by its name on PATH.

    Raises:
        SettingsError: there is no such program.
    """
    found = shutil.which(program)
    if found is None:
        raise SettingsError(
            f"--qupath: {program} is no program. Give QuPath's program, such as "
            "/opt/QuPath/bin/QuPath; on Windows, QuPath-0.6.0 (console).exe."
        )
    return Path(found).resolve()


def import_outlines(program: Path, folder: Path) -> list[str]:
    """Run the import script on every image of a project; return what it said of the images.

    The script leaves alone images that hold outlines: nothing is doubled, and no correction lost.

    Args:
        program: QuPath's program.
        folder: of the project that Glisson wrote; QuPath must not have it open.

    Raises:
        OutputError: QuPath cannot be started, takes over an hour, fails, or says nothing of the
            import: QuPath goes on to the next image after an error and still ends well.
    """
    script = folder / "scripts" / SCRIPTS[0]
    command = [str(program), "script", "-s", "-p", str(folder / PROJECT_FILE), str(script)]
    by_hand = "The results are whole: run import_glisson in QuPath (docs/qupath.md)."
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LONGEST_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OutputError(f"{program} could not import the outlines: {error}. {by_hand}") from error
    said = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    about_outlines = [line for line in said if " outlines" in line or "skipped" in line]
    if done.returncode or not about_outlines:
        last = " / ".join([*said, *done.stderr.splitlines()][-_SHOWN_LINES:])
        raise OutputError(
            f"{program} did not import the outlines (exit code {done.returncode}): {last} {by_hand}"
        )
    return about_outlines
