"""Help, examples, completion and encodings: what every verb has in common."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from glisson.cli.app import app
from glisson.cli.commands import Verb
from glisson.cli.console import write_in_any_encoding
from tests.cli.test_cli import glisson
from tests.clinical.test_study import series, write

runner = CliRunner()
program = typer.main.get_command(app)


def commands(command: Any = program, words: tuple[str, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every command with its words, such as ("models", "add"); the program's own are ()."""
    yield words, command
    for name, verb in getattr(command, "commands", {}).items():
        yield from commands(verb, (*words, name))


COMMANDS = dict(commands())
VERBS = {words: command for words, command in COMMANDS.items() if isinstance(command, Verb)}


def parse(line: str) -> Any:
    """Parse a command line without running it; return the context of its verb."""
    words = shlex.split(line)
    assert words.pop(0) == "glisson"
    command, context = program, None
    while hasattr(command, "commands"):
        name = words.pop(0)
        context = typer.Context(command, info_name="glisson", parent=context)
        command = command.commands[name]
    return command.make_context(command.name, words, parent=context)


def test_all_verbs_are_covered() -> None:
    assert ("segment",) in VERBS
    assert ("models", "add") in VERBS
    assert len(VERBS) == 16


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_fits_80_columns_and_cuts_no_name(
    words: tuple[str, ...], option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = runner.invoke(app, [*words, option], prog_name="glisson")
    assert result.exit_code == 0, result.output
    assert max(map(len, result.output.splitlines())) <= 80
    assert "…" not in result.output
    for param in COMMANDS[words].params:
        for name in (*param.opts, *param.secondary_opts):
            assert name.strip("-") not in ("h", "help")
            assert not name.startswith("--") or name in result.output.split(), name


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_examples_parse(words: tuple[str, ...]) -> None:
    examples = "\n".join(VERBS[words].examples).replace("\\\n", " ").splitlines()
    assert examples
    for line in examples:
        assert line.startswith(" ".join(("glisson", *words)))
        parse(line)


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_options_are_in_groups(words: tuple[str, ...]) -> None:
    for param in VERBS[words].params:
        if param.param_type_name == "option":
            assert param.rich_help_panel, param.name


def test_an_option_has_one_meaning_and_metavar_everywhere() -> None:
    metavars: dict[str, set[str]] = {}
    for command in VERBS.values():
        for param in command.params:
            for name in param.opts:
                metavars.setdefault(name, set()).add(str(param.metavar))
    shared = ("--mpp", "--at-mpp", "--interface-width", "--sections", "--name", "--out", "--seed",
              "--threads", "--model", "--share")  # fmt: skip
    for name in shared:
        assert len(metavars[name]) == 1, name
    for gone in ("--exact", "--slide-mpp", "--ribbons", "--part"):
        assert gone not in metavars


def run_with(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from glisson.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("glisson seg", "segment"),
        ("glisson models ad", "add"),
        ("glisson segment --interface-w", "--interface-width"),
    ],
)
def test_shells_complete_verbs_and_options(line: str, offered: str) -> None:
    words = str(len(line.split()) - 1)
    result = run_with(
        {"_GLISSON_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": words}
    )
    assert result.stdout.split() == [offered]


def test_completion_is_installed(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    result = run_with(environment, "--install-completion", "bash")
    assert result.returncode == 0, result.stderr
    script = (tmp_path / ".bash_completions" / "glisson.sh").read_text()
    assert "_GLISSON_COMPLETE" in script


@pytest.mark.parametrize("encoding", ["ascii", "cp932", "cp1252"])
def test_any_encoding_takes_every_message(encoding: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    write_in_any_encoding(stream)
    stream.write("4.5 ± 0.4 mm², 0.5 µm, Szenès, 肝, κ, “a”–…, \udcff")
    stream.flush()
    written = stream.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]
    assert written.startswith(("4.5 ± 0.4", "4.5 +/- 0.4"))
    assert "um" in written or "µm" in written
    assert written.endswith("?")


@pytest.mark.parametrize("encoding", ["ascii", "cp932", "cp1252"])
def test_help_in_any_encoding(encoding: str) -> None:
    shown = glisson("segment", "-h", encoding=encoding)
    assert shown.returncode == 0, shown.stderr
    assert "The slide's own" in shown.stdout


def test_a_study_on_a_western_terminal_of_windows(tmp_path: Path) -> None:
    cases, results = series(12)
    table = write(tmp_path / "cases.csv", cases)
    write(tmp_path / "results" / "biopsies.csv", results)
    arguments = ("--results", tmp_path / "results", "-o", tmp_path / "study", "--resamples", "200")
    shown = glisson("study", table, *arguments, encoding="cp1252")
    assert shown.returncode == 0, shown.stderr
    assert "kappa quadratic: model, report" in shown.stdout
