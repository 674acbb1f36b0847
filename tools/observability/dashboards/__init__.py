"""Grafana dashboards by theme; `BOARDS` is all of them."""

from tools.observability.dashboards import business, data, drift, golden, llm

BOARDS = (golden.BOARD, llm.BOARD, drift.BOARD, data.BOARD, business.BOARD)
