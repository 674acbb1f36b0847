"""Pages of the web that a caller names, behind a guard."""
