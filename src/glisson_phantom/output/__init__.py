"""Phantoms on disk: one slide or a whole study, each slide beside its truth.

`phantom_slide.make_phantom` writes a slide, its true outlines, class map, features and figures, and
outlines as readers draw them. `study.make_cohort` writes many slides and `cases.csv`. `drawings`
turns the truth into the outlines.
"""
