"""Prometheus rules and Grafana dashboards as code, made from the metric table; nothing released imports it.

`python -m tools.observability` writes `helm/twinstack/files/`, `--check` compares.
"""
