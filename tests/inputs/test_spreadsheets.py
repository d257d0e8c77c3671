"""Tables that spreadsheets of several countries write say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from glisson.clinical.reading import CaseRow, read_table
from glisson.errors import SettingsError
from glisson.files.csv_tables import read_rows
from glisson.inputs import assign_pseudonyms, list_slides

WRITTEN = {
    "comma": "slide,mpp,sections\na.svs,0.25,2\n",
    "semicolon": "slide;mpp;sections\na.svs;0,25;2\n",
    "sep": "sep=;\r\nslide;mpp;sections\r\na.svs;0,25;2\r\n",
    "tab": "slide\tmpp\tsections\na.svs\t0,25\t2\n",
    "capitals": "Slide,MPP,Sections\na.svs,0.25,2\n",
    "quoted": 'slide,mpp,sections\na.svs,"0,25",2\n',
    "blanks": "slide, mpp, sections\na.svs, 0.25, 2\n",
    "empty rows": "slide,mpp,sections,\na.svs,0.25,2,\n,,,\n\n",
    "bom": "\ufeffslide;mpp;sections\na.svs;0,25;2\n",
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN.keys())
def test_list_of_slides(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.csv").write_bytes(text.encode())
    (slide,) = list_slides([], tmp_path / "t.csv")
    assert (slide.path.name, slide.mpp, slide.sections) == ("a.svs", 0.25, 2)


@pytest.mark.parametrize(
    "text", ["slide;pseudonym\na.svs;P1\n", "Slide, Pseudonym,\na.svs,P1,\n,,\n"]
)
def test_pseudonyms(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.csv").write_text("slide\na.svs\n")
    (tmp_path / "p.csv").write_text(text)
    (slide,) = assign_pseudonyms(list_slides([], tmp_path / "t.csv"), tmp_path / "p.csv")
    assert slide.pseudonym == "P1"


def test_cases(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("sep=;\nSlide;Manual_length_cm\na.svs;0,54\n;\n")
    (row,), columns = read_table(tmp_path / "c.csv", CaseRow)
    assert row.manual_length_cm == 0.54
    assert columns == {"slide", "manual_length_cm"}


def test_number_of_two_meanings_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('slide,mpp\na.svs,"1,250"\n')
    with pytest.raises(SettingsError, match="line 2, column mpp"):
        list_slides([], tmp_path / "t.csv")


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("sep=;\nslide;mpp\n\na.svs;1;2\n")
    with pytest.raises(SettingsError, match="line 4 has more cells than the header"):
        read_rows(tmp_path / "t.csv")
