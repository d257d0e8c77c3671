"""The model part of the paper, rerun on phantoms."""
