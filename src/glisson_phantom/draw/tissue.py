"""Order of drawing: lobule, lesions, tracts, veins, then damage by the needle."""

from __future__ import annotations

from glisson_phantom.draw.edges import draw_edges
from glisson_phantom.draw.lesions import draw_lesions
from glisson_phantom.draw.lobule import draw_lobule
from glisson_phantom.draw.portal import draw_portal
from glisson_phantom.draw.section import Section
from glisson_phantom.draw.veins import draw_central_veins
from glisson_phantom.plan.disease import Disease
from glisson_phantom.plan.layout import Layout
from glisson_phantom.plan.preparation import Texture
from glisson_phantom.world import Canvas

MARGIN_UM = 24.0
"""Margin beyond the canvas: the reach of a nucleus, a droplet or a blur."""


def draw_tissue(canvas: Canvas, layout: Layout, disease: Disease, texture: Texture) -> Section:
    """Draw dyes, classes and features of a canvas; the same world gives the same pixels."""
    section = Section.start(canvas.pad(MARGIN_UM), layout, disease, texture)
    draw_lobule(section)
    draw_lesions(section)
    draw_portal(section)
    draw_central_veins(section)
    draw_edges(section)
    return section.crop(canvas)
