"""Hamilton modules: noun-named pure nodes that run the same in a pipeline and in a request."""

import os

# Read when Hamilton is imported: without the first, the import takes 5 s instead of 1.
os.environ.setdefault("HAMILTON_AUTOLOAD_EXTENSIONS", "0")
os.environ.setdefault("HAMILTON_TELEMETRY_ENABLED", "false")
