"""The server of Kubeflow Pipelines: how it is reached, runs, recurring runs."""
