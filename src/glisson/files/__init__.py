"""Files and folders that are either whole or not there, and CSV tables."""
