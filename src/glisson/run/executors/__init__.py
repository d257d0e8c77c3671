"""Where the work on a slide is done: in a process of its own, or on a Dask cluster."""
