"""A scrape of several worker processes is one answer for all of them."""

import subprocess
import sys
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from components.serving.scrape import SHARED

ROOT = Path(__file__).resolve().parents[3]

#: Counts some requests, tells that it has, and goes on living until it may end.
WORKER = """
import sys
from components.shared.metrics import drift, requests
from components.shared.metrics.instruments import Instruments
own = Instruments()
for _ in range(int(sys.argv[1])):
    own.add(requests.REQUESTS, 1, "credit", "r", "champion", "predict_v1", "200")
    own.observe(requests.REQUEST_SECONDS, 0.01, "credit", "champion", "predict_v1")
own.add(requests.IN_FLIGHT, 2, "predict_v1")
own.set(requests.RELEASE_INFO, 1, "credit", "classic", "r", "champion", "1")
own.set(drift.DRIFT_STATISTIC, float(sys.argv[1]), "credit", "age", "psi")
print("counted", flush=True)
sys.stdin.readline()
"""

SCRAPE = """
from prometheus_client import generate_latest
from components.serving.scrape import registry
print(generate_latest(registry()).decode(), end="")
"""


def worker(folder: Path, requests: int) -> "subprocess.Popen[str]":
    made = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(requests)],
        env={SHARED: str(folder), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert made.stdout is not None
    assert made.stdout.readline() == "counted\n"
    return made


def scraped(folder: Path) -> dict[str, float]:
    text = subprocess.run(
        [sys.executable, "-c", SCRAPE],
        env={SHARED: str(folder), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            assert "pid" not in sample.labels, sample.name
            if "le" not in sample.labels:
                assert sample.name not in found, f"{sample.name} comes twice"
                found[sample.name] = sample.value
    return found


def test_two_workers_are_counted_together_and_a_killed_one_is_forgotten(tmp_path: Path) -> None:
    first, second = worker(tmp_path, 7), worker(tmp_path, 5)
    try:
        both = scraped(tmp_path)
        assert both["twinstack_request_total"] == 12
        assert both["twinstack_request_seconds_count"] == 12
        assert both["twinstack_requests_in_flight"] == 4
        assert both["twinstack_release_info"] == 1
        assert both["twinstack_drift_statistic"] == 5  # what was set last
        first.kill()
        first.wait(timeout=30)
        one = scraped(tmp_path)
        assert one["twinstack_request_total"] == 12  # they have happened
        assert one["twinstack_requests_in_flight"] == 2  # nobody answers them any more
    finally:
        for process in (first, second):
            process.kill()
            process.communicate()
