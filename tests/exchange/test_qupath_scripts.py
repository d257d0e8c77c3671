"""The import script in Groovy, against stand-ins for QuPath's classes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Sequence
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
JSON = """
package com.google.gson
class JsonObject {
    Map content = [:]
    def addProperty(String key, Object value) { content[key] = value }
    def add(String key, Object value) { content[key] = value.content }
    String toString() { groovy.json.JsonOutput.toJson(content) }
}
"""
PARSER = """
package com.google.gson
class JsonParser {
    static parseString(String text) {
        def parsed = new JsonObject(content: new groovy.json.JsonSlurper().parseText(text))
        [getAsJsonObject: { parsed }]
    }
}
"""
TOOLS = """
package qupath.lib.common
class GeneralTools { static String getVersion() { "0.6.0" } }
"""
QP = """
package qupath.lib.scripting
class Server {
    List getURIs() { [new URI(System.getenv("SLIDE"))] }
    int getWidth() { 100 }
    int getHeight() { 100 }
    def getPixelCalibration() {
        def half = { 0.5 }
        [hasPixelSizeMicrons: { true }, getPixelWidthMicrons: half, getPixelHeightMicrons: half]
    }
}
enum ImageType { UNSET, BRIGHTFIELD_H_E }
class Image {
    static Map properties = [:]
    static type = ImageType.UNSET
    def getServer() { new Server() }
    def getProperty(String key) { key.startsWith("Glisson") ? properties[key] : null }
    void setProperty(String key, Object value) { properties[key] = value; println "marked ${key}" }
    def getImageType() { type }
}
class Entry {
    String getImageName() { "image" }
    String getID() { "99" }
}
class Project {
    def getImageList() { [] }
    def getEntry(Object image) { new Entry() }
    def getPath() { java.nio.file.Paths.get(System.getenv("PROJECT")) }
}
class Annotation {
    Map feature
    def getID() { UUID.fromString(feature.id) }
    def getMetadata() { feature.properties.metadata }
    def getPathClass() { feature.properties.classification?.name }
    def getROI() { [isLine: { false }, isArea: { true }] }
}
class Hierarchy {
    def addObjectBelowParent(Object parent, Object child, boolean fire) {
        if (System.getenv("FAILING") == "hierarchy") {
            throw new IllegalArgumentException("Input geometry must be a Polygon or MultiPolygon")
        }
        println "put ${child.feature.properties.name} below ${parent.feature.properties.name}"
        true
    }
}
class QP {
    static drawn = System.getenv("DRAWN") ?: "[]"
    static objects = new groovy.json.JsonSlurper().parseText(drawn).collect {
        new Annotation(feature: it)
    }
    static getProject() { new Project() }
    static getCurrentImageData() { new Image() }
    static getCurrentHierarchy() { new Hierarchy() }
    static getAnnotationObjects() { objects }
    static importObjectsFromFile(String file) {
        println "imported ${file}"
        def document = new groovy.json.JsonSlurper().parse(new File(file))
        objects = document.features.collect { new Annotation(feature: it) }
    }
    static exportObjectsToGeoJson(Collection chosen, String path, String style) {
        def document = [type: style, features: chosen*.feature]
        new File(path).text = groovy.json.JsonOutput.toJson(document)
    }
    static fireHierarchyUpdate() { println "updated" }
    static setImageType(String type) {
        if (System.getenv("FAILING") == "type") { throw new IllegalStateException("no stains") }
        Image.type = ImageType.valueOf(type)
        println "type ${type}"
    }
}
"""


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    written = {
        "com/google/gson/Gson": GSON,
        "com/google/gson/JsonObject": JSON,
        "com/google/gson/JsonParser": PARSER,
        "qupath/lib/common/GeneralTools": TOOLS,
        "qupath/lib/scripting/QP": QP,
    }
    for name, text in written.items():
        path = tmp_path / "classes" / f"{name}.groovy"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "classes"


def imported(
    classes: Path,
    slide: Path,
    block: dict[str, Any],
    features: Sequence[dict[str, Any]] = (),
    failing: str = "",
) -> str:
    """What the script says of a slide whose outlines lie in `case`, with this block in them."""
    results = slide.parent / "results"
    outlines = results / "case" / "tracts.geojson"
    write_qupath_project(results / "qupath", [(slide_info(slide), outlines)])
    size = {"width": 100, "height": 100, "model": "m 1", "pixelSizeSource": "file"}
    slide_file(outlines, json.dumps({"features": [*features], "glisson": size | block}).encode())
    return groovy(
        classes, results / "qupath" / "scripts" / SCRIPTS[0],
        SLIDE=slide.as_uri(), PROJECT=str(results / "qupath" / "project.qpproj"), FAILING=failing,
    )  # fmt: skip


def groovy(classes: Path, script: Path, *arguments: str, **environment: str) -> str:
    home = str(Path(str(JAVA)).resolve().parents[1])
    done = subprocess.run(
        [str(GROOVY), "-cp", str(classes), str(script), *arguments], capture_output=True, text=True,
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


def outline(number: int, name: str, class_name: str) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, str(number))),
        "properties": {
            "name": name,
            "classification": {"name": class_name},
            "metadata": {"Model": "m 1"},
        },
    }


OUTLINES = (
    outline(0, "Tissue", "Tissue"),
    outline(1, "PT 1", "Portal tract"),
    outline(2, "Candidate 1", "Portal tract?"),
)


def test_tracts_are_put_below_the_tissue_without_comparing_outlines(
    classes: Path, tmp_path: Path
) -> None:
    """QuPath's own resolveHierarchy() takes more than a minute for 700 tracts."""
    said = imported(classes, slide_file(tmp_path / "case.svs"), {}, OUTLINES)
    assert "put PT 1 below Tissue" in said
    assert "put Candidate 1 below Tissue" in said
    assert "put Tissue" not in said
    assert "updated" in said
    assert "type BRIGHTFIELD_H_E" in said


@pytest.mark.parametrize("failing", ["hierarchy", "type"])
def test_a_failure_after_the_import_loses_nothing(
    classes: Path, tmp_path: Path, failing: str
) -> None:
    said = imported(classes, slide_file(tmp_path / "case.svs"), {}, OUTLINES, failing)
    assert said.index("imported ") < said.index("marked Glisson outlines")
    assert said.index("marked Glisson outlines") < said.index("QuPath could not")
    assert "the outlines are imported all the same" in said
    assert "image: 3 outlines" in said


def exported(classes: Path, slide: Path, script_argument: str) -> str:
    results = slide.parent / "results"
    write_qupath_project(results / "qupath", [(slide_info(slide), results / "case" / "t.geojson")])
    unclassified = outline(3, "mine", "")
    del unclassified["properties"]["classification"]
    return groovy(
        classes, results / "qupath" / "scripts" / SCRIPTS[1], script_argument,
        SLIDE=slide.as_uri(), PROJECT=str(results / "qupath" / "project.qpproj"),
        DRAWN=json.dumps([*OUTLINES, unclassified]),
    )  # fmt: skip


def test_the_export_names_outlines_without_a_class_and_measures(
    classes: Path, tmp_path: Path
) -> None:
    program = tmp_path / "glisson"
    program.write_text('#!/bin/sh\necho "asked: $@"\n', encoding="utf-8")
    program.chmod(0o755)
    said = exported(classes, slide_file(tmp_path / "case.svs"), f"glisson={program}")
    path = tmp_path / "results" / "qupath" / "edited" / "case.svs.geojson"
    assert len(json.loads(path.read_text("utf-8"))["features"]) == 4
    assert "1 outlines have no class and will not be measured" in said
    assert f"asked: measure {tmp_path / 'results'} --from {path}" in said


def test_a_glisson_that_does_not_start_costs_no_export(classes: Path, tmp_path: Path) -> None:
    said = exported(classes, slide_file(tmp_path / "case.svs"), "glisson=/nowhere/glisson")
    assert "exported, but /nowhere/glisson does not start" in said
