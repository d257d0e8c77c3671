"""The import script in Groovy, against stand-ins for QuPath's classes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from glisson.exchange import write_qupath_project
from glisson.exchange.qupath.project import SCRIPTS
from tests.exchange.test_qupath_project import slide_file, slide_info

GROOVY, JAVA = shutil.which("groovy"), shutil.which("java")
pytestmark = pytest.mark.skipif(
    GROOVY is None or JAVA is None, reason="no groovy; Debian's package groovy has it"
)

GSON = """
package com.google.gson
class Gson {
    def fromJson(String text, Class kind) { new groovy.json.JsonSlurper().parseText(text) }
}
"""
QP = """
package qupath.lib.scripting
class Server {
    List getURIs() { [new URI(System.getenv("SLIDE"))] }
    int getWidth() { 100 }
    int getHeight() { 100 }
    def getPixelCalibration() { [hasPixelSizeMicrons: { true }] }
}
class Image {
    Map properties = [:]
    def getServer() { new Server() }
    def getProperty(String key) { key.startsWith("Glisson") ? properties[key] : null }
    void setProperty(String key, Object value) { properties[key] = value }
}
class Entry {
    String getImageName() { "image" }
    String getID() { "99" }
}
class Project {
    def getEntry(Object image) { new Entry() }
    def getPath() { java.nio.file.Paths.get(System.getenv("PROJECT")) }
}
class QP {
    static getProject() { new Project() }
    static getCurrentImageData() { new Image() }
    static getAnnotationObjects() { [] }
    static importObjectsFromFile(String file) { println "imported ${file}" }
    static resolveHierarchy() {}
}
"""


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    for name, text in {"com/google/gson/Gson": GSON, "qupath/lib/scripting/QP": QP}.items():
        path = tmp_path / "classes" / f"{name}.groovy"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "classes"


def imported(classes: Path, slide: Path, block: dict[str, Any]) -> str:
    """What the script says of a slide whose outlines lie in `case`, with this block in them."""
    results = slide.parent / "results"
    outlines = results / "case" / "tracts.geojson"
    write_qupath_project(results / "qupath", [(slide_info(slide), outlines)])
    size = {"width": 100, "height": 100, "model": "m 1", "pixelSizeSource": "file"}
    slide_file(outlines, json.dumps({"features": [], "glisson": size | block}).encode())
    return groovy(
        classes, results / "qupath" / "scripts" / SCRIPTS[0],
        SLIDE=slide.as_uri(), PROJECT=str(results / "qupath" / "project.qpproj"),
    )  # fmt: skip


def groovy(classes: Path, script: Path, **environment: str) -> str:
    home = str(Path(str(JAVA)).resolve().parents[1])
    done = subprocess.run(
        [str(GROOVY), "-cp", str(classes), str(script)], capture_output=True, text=True,
        check=False, env={**os.environ, "JAVA_HOME": home, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("image", ["case.svs", "case", None])
def test_outlines_of_the_slide_are_imported(
    classes: Path, tmp_path: Path, image: str | None
) -> None:
    said = imported(classes, slide_file(tmp_path / "case.svs"), {"image": image} if image else {})
    assert "imported " in said


def test_outlines_of_another_slide_are_not(classes: Path, tmp_path: Path) -> None:
    said = imported(classes, slide_file(tmp_path / "case.svs"), {"image": "case.tif"})
    assert "outlines of case.tif, another slide; skipped" in said
    assert "imported " not in said
