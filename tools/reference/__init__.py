"""Pages of `docs/reference/`, each from the code it describes."""
