"""Self-contained HTML pages, and the tables on them."""

from __future__ import annotations

from glisson.pages.page import write_page
from glisson.pages.table import Cell, Table, write_tables

__all__ = ["Cell", "Table", "write_page", "write_tables"]
