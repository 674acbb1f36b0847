"""The only places that know an outside system; picked by URI scheme, embedded and cluster alike."""

import os

# Read when MLflow is imported: without it, a client tells MLflow's makers of every run and registration.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
