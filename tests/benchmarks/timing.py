"""How long a call takes."""

import time
from collections.abc import Callable

import numpy as np


def percentiles(call: Callable[[], object], count: int, warming: int = 0) -> tuple[float, float]:
    """p50 and p99 in seconds of calls one after the other, after some as warm-up."""
    for _ in range(warming):
        call()
    times = []
    for _ in range(count):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return float(np.percentile(times, 50)), float(np.percentile(times, 99))
