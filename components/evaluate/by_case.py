"""Metrics that come from one value a case: its mean, and of times the median and the 95th percentile."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from components.shared.evaluation import Difference, Measure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    #: Name to one value a case.
    Values = Mapping[str, Floats]

#: Money for a thousand requests like a case, and seconds that a case took.
COST, LATENCY = "cost_per_1000", "latency"

#: Metrics made of `LATENCY`, and the share of cases that are faster.
QUANTILES = {"latency_p50": 0.5, "latency_p95": 0.95}

#: Metrics that are better when they are lower.
LOWER = frozenset({"held_out_loss", COST, "refusals", "personal_data"})


def measures(values: "Values", **how: Any) -> dict[str, Measure]:
    """Every metric of one side.

    Args:
        values: Name to one value a case, each of shape (cases,); the cases of two names may differ.
        **how: Level, rounds and seed of the intervals.
    """
    from components.dataflows.intervals import mean_measure, quantile_measure

    found: dict[str, Measure] = {}
    for name, one in values.items():
        if name == LATENCY:
            found |= {title: quantile_measure(one, share, **how) for title, share in QUANTILES.items()}
        else:
            found[name] = mean_measure(one, **how, better="lower" if name in LOWER else "higher")
    return found


def differences(values: "Values", rival: "Values", **how: Any) -> dict[str, Difference]:
    """Every metric that both sides have: the candidate less the champion on the same cases."""
    from components.dataflows.intervals import mean_difference, quantile_difference

    found: dict[str, Difference] = {}
    for name in (one for one in values if one in rival):
        pair = values[name], rival[name]
        if name == LATENCY:
            found |= {title: quantile_difference(*pair, share, **how) for title, share in QUANTILES.items()}
        else:
            found[name] = mean_difference(*pair, **how)
    return found


def units(currency: str) -> dict[str, str]:
    """Units of what has one."""
    return {COST: currency, **dict.fromkeys(QUANTILES, "s")}


def clocked(*, machine: bool) -> tuple[str, ...]:
    """Metrics that a clock measured: times, and cost where a machine is paid by the hour."""
    return (*QUANTILES, COST) if machine else tuple(QUANTILES)
