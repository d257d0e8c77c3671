"""The verb `glisson segment`: slides in, portal tracts out."""

from __future__ import annotations

from pathlib import Path

import typer

from glisson.cli.console import output
from glisson.cli.model_choice import say_which_model
from glisson.cli.options import (
    Cache,
    Dask,
    InterfaceWidth,
    KeepOld,
    Manifest,
    Model,
    Mpp,
    OutPlace,
    Overlap,
    Overwrite,
    Precision,
    Precisions,
    Pseudonyms,
    QuPath,
    RuntimeKind,
    Runtimes,
    Sections,
    Series,
    ShardOf,
    Slides,
    Threads,
)
from glisson.cli.progress import RunTable
from glisson.cli.summary import print_summary
from glisson.errors import SettingsError
from glisson.exchange.qupath.program import find_qupath, import_outlines
from glisson.exchange.qupath.project import PROJECT_FILE
from glisson.inputs import assign_pseudonyms, list_slides
from glisson.run.executors import DaskCluster, Shard
from glisson.run.segment import RunResult
from glisson.run.segment import segment as segment_slides
from glisson.run.settings import RunSettings

EXAMPLES = """\
glisson segment biopsy.svs -o results
glisson segment scans/ -o results --manifest slides.csv
glisson segment photo.png --mpp 0.5 -o results
glisson segment scans/ -o s3://bucket/results --shard 2/8"""
SOME_FAILED = 1


def segment(
    out: OutPlace,
    slides: Slides = None,
    manifest: Manifest = None,
    pseudonyms: Pseudonyms = None,
    mpp: Mpp = None,
    series: Series = None,
    model: Model = None,
    overlap: Overlap = None,
    precision: Precisions = Precision.AUTO,
    runtime: Runtimes = RuntimeKind.AUTO,
    sections: Sections = None,
    interface_width: InterfaceWidth = RunSettings.interface_width_um,
    overwrite: Overwrite = False,
    keep_old: KeepOld = False,
    shard: ShardOf = None,
    dask: Dask = None,
    cache: Cache = None,
    threads: Threads = None,
    qupath: QuPath = None,
) -> None:
    """Find, outline, count and measure the portal tracts of H&E liver biopsy slides.

    Exit code 0: all went well; 1: some of several slides failed; 2: wrong input; 3: the Dask
    cluster was lost, and the same command resumes.
    """
    settings = RunSettings(
        mpp=mpp,
        series=series,
        overlap=overlap,
        precision=precision.value,
        runtime=runtime.value,
        threads=threads,
        sections=sections,
        interface_width_um=interface_width,
        overwrite=overwrite,
        keep_old=keep_old,
        cache=cache,
    )
    program = None if qupath is None else find_qupath(qupath)
    say_which_model(model)
    cluster = None if dask is None else DaskCluster(dask)
    part = None if shard is None else Shard.parse(shard, cluster)
    entries = list_slides(slides or [], manifest)
    if pseudonyms is not None:
        entries = assign_pseudonyms(entries, pseudonyms)
    with RunTable() as table:
        result = segment_slides(entries, out, model, settings, table, part or cluster)
    print_summary(result, part)
    if program is not None:
        _import_into_qupath(program, result)
    if result.failed:
        raise typer.Exit(SOME_FAILED)


def _import_into_qupath(program: Path, result: RunResult) -> None:
    folder = Path(str(result.out)) / "qupath"
    if not (folder / PROJECT_FILE).is_file():
        raise SettingsError(
            f"--qupath: this run wrote no project to {folder}. Results on a store, of a shard, or "
            "with --pseudonyms have none."
        )
    for line in import_outlines(program, folder):
        output.print(f"QuPath: {line}", markup=False, highlight=False, soft_wrap=True)
