"""Texts that a spreadsheet would calculate, whatever it splits at."""

from __future__ import annotations

import pytest

from glisson.files.csv_tables import escape_cell, unescape_cell


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        (" =1+1", "' =1+1"),
        ("＝1+1", "'＝1+1"),
        ("a;=1+1", "a;'=1+1"),
        ("a; ＠SUM(1)", "a; '＠SUM(1)"),
        ("a\t-1", "a\t'-1"),
        ("a\n+1", "a\n'+1"),
        (";=1;=2", ";'=1;'=2"),
        ("a;b = c", "a;b = c"),
        ("-0.12 (-0.20 to 0.05)", "-0.12 (-0.20 to 0.05)"),
        ("PT-1; it's", "PT-1; it's"),
    ],
)
def test_no_text_is_a_formula(text: str, cell: str) -> None:
    assert escape_cell(text) == cell
    assert unescape_cell(cell) == text
