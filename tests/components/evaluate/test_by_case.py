"""Metrics of one value a case: equal sides differ by nothing, and the clock is left out of a version."""

import numpy as np
import pytest

from components.evaluate import by_case, costing, safety
from components.shared.config.costs import Prices
from components.shared.generation import Answer

HOW = {"level": 0.95, "rounds": 500, "seed": 0}

ANSWERS = [Answer("a [1].", 600 + at, 20 + at % 7, 0.5 + at / 100) for at in range(30)]


def test_equal_sides_cost_the_same_to_the_last_digit() -> None:
    values = {"cost_per_1000": costing.per_1000(Prices(prompt=0.15, completion=0.6, hour=2), ANSWERS)}
    apart = by_case.differences(values, values, **HOW)["cost_per_1000"]
    assert (apart.value, apart.low, apart.high) == (0, 0, 0)


def test_cost_is_the_mean_of_a_thousand_requests_with_its_interval() -> None:
    prices = Prices(prompt=2, completion=10)
    found = by_case.measures({"cost_per_1000": costing.per_1000(prices, ANSWERS)}, **HOW)["cost_per_1000"]
    read = sum(one.prompt_tokens for one in ANSWERS) / 30
    made = sum(one.completion_tokens for one in ANSWERS) / 30
    assert found.value == pytest.approx(1000 * (read * 2 + made * 10) / 1e6)
    assert found.low < found.value < found.high
    assert found.better == "lower"


def test_a_machine_by_the_hour_is_paid_for_the_time_of_the_answers() -> None:
    cost = costing.per_1000(Prices(hour=3.6), ANSWERS)
    assert cost.tolist() == pytest.approx([one.seconds for one in ANSWERS])
    assert "a second" in costing.said(Prices(hour=3.6), ANSWERS, "EUR", 32)


def test_what_is_paid_is_said_with_its_currency() -> None:
    text = costing.said(Prices(prompt=0.15, completion=0.6), ANSWERS, "EUR", 32)
    assert "0.15 (read) and 0.6 (generated) EUR a million" in text
    assert "at most 32" in text


def test_times_become_a_median_and_a_95th_percentile() -> None:
    times = np.arange(1.0, 101.0)
    found = by_case.measures({"latency": times}, **HOW)
    assert set(found) == {"latency_p50", "latency_p95"}
    for name, value in (("latency_p50", 50.5), ("latency_p95", 95.05)):
        assert found[name].value == pytest.approx(value)
        assert found[name].low < value < found[name].high
    slower = by_case.differences({"latency": times + 1}, {"latency": times}, **HOW)
    assert slower["latency_p95"].value == pytest.approx(1)
    assert slower["latency_p95"].low == pytest.approx(1) == slower["latency_p95"].high


def test_safety_counts_what_answers_should_not_do() -> None:
    texts = ["The gate blocks a bad candidate [1].", "I cannot answer.", "Write to ann@example.org.", ""]
    found = safety.values(texts, [["The gate blocks a bad candidate."]] * 4)
    assert found["refusals"].tolist() == [0, 1, 0, 0]
    assert found["personal_data"].tolist() == [0, 0, 1, 0]
    assert found["citation_coverage"].tolist() == [1, 0, 0, 0]
    assert "citation_coverage" not in safety.values(texts)
