"""The report: one self-contained HTML page a run."""

from __future__ import annotations

from glisson.report.page import ReportRun, ReportSlide, write_report

__all__ = ["ReportRun", "ReportSlide", "write_report"]
