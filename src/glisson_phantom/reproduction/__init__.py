"""The model part of the paper, rerun on phantoms: `glisson reproduce`.

`reproduce` draws the paper's study, cuts tiles, trains, evaluates, exports and writes one page;
`paper` holds the published values and the tables that show them beside the rerun's.
"""
