"""Macro DAGs (wiring only) and the `twin` command line."""
