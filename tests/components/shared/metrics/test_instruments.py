"""Metrics become objects of prometheus_client by their table, and refuse labels outside of their sets."""

import pkgutil
from importlib import import_module
from typing import get_args

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from components.shared import metrics
from components.shared.metrics.instruments import Instruments
from components.shared.metrics.metric import Metric, Side
from components.shared.metrics.requests import STAGE_SECONDS
from components.shared.metrics.table import TABLE


def test_a_label_outside_of_its_closed_set_is_refused() -> None:
    instruments = Instruments(CollectorRegistry())
    with pytest.raises(ValueError, match="label stage"):
        instruments.observe(STAGE_SECONDS, 1.0, "docs", "anything")


def test_every_metric_of_the_package_is_in_the_table_once() -> None:
    modules = [
        import_module(f"{metrics.__name__}.{one.name}") for one in pkgutil.iter_modules(metrics.__path__)
    ]
    defined = {one.name for module in modules for one in vars(module).values() if isinstance(one, Metric)}
    assert sorted(defined) == sorted(one.name for one in TABLE)


def test_every_metric_of_the_table_is_exposed_by_its_side() -> None:
    exposed = ""
    for side in get_args(Side):
        registry = CollectorRegistry()
        Instruments(registry, side)
        exposed += generate_latest(registry).decode()
    for one in TABLE:
        assert f"# HELP {one.name.removesuffix('_total')}" in exposed
        assert one.name.endswith("_total") == (one.kind == "counter")
