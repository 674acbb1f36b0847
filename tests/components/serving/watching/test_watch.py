"""The watch beside the requests: what it cannot look at is counted, and no request waits for it."""

from pathlib import Path

from prometheus_client import CollectorRegistry

from components.adapters.stores import Stores
from components.serving.exchange import Exchange
from components.serving.watching import watch
from components.serving.watching.watch import Watch
from components.shared.config import load
from components.shared.metrics.instruments import Instruments


def test_what_a_busy_watch_leaves_out_is_counted(corpus: Path) -> None:
    config, shown = load(corpus / "twinstack.yaml"), CollectorRegistry()
    behind = Watch(config, Stores(config).warehouse, Instruments(shown))  # never started: it looks at nothing
    answered = Exchange(twin="credit", release="r", output=[{"probability": 0.5}])
    for _ in range(watch.WAITING):
        behind(answered, 200, 0.01)
    assert shown.get_sample_value("twinstack_watch_dropped_total", {"twin": "credit"}) is None
    behind(answered, 200, 0.01)
    behind(answered, 503, 0.01)  # no answer, nothing to look at
    assert shown.get_sample_value("twinstack_watch_dropped_total", {"twin": "credit"}) == 1
