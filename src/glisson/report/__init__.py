"""The report: one self-contained HTML page a run."""

from __future__ import annotations

from glisson.report.inputs import ReportRun, ReportSlide
from glisson.report.page import write_report

__all__ = ["ReportRun", "ReportSlide", "write_report"]
