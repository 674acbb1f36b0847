"""Parts of the stack: stages, dataflows, adapters to outside systems, and the KServe services."""
