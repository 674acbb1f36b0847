"""How long one case of a classic twin takes: its features by the online dataflow, then the model."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from components.evaluate import by_case, costing, predicting
from components.runtime.context import Context

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from components.runtime.dataflow import Plan

    Floats = NDArray[np.float64]

#: Cases that are timed; one takes less than a millisecond.
MOST = 200

#: Why there is no time, and no cost.
INCOMPLETE = "no case has every column that a request has to give"
UNPRICED = "no price of a machine is configured (twins.{twin}.costs.hour)"


def values(
    context: Context, cases: "pd.DataFrame", models: Mapping[str, Path]
) -> "dict[str, dict[str, Floats]]":
    """Side to metric to one value a case, each array of shape (timed cases,).

    Sides are timed right after each other, on the newest cases that have every column that one of them needs.

    Args:
        context: Of the stage.
        cases: Raw columns.
        models: Side to the folder of its model.

    Raises:
        DataError: The online dataflow fails on a case.
    """
    plans = {side: _plan(context, folder) for side, folder in models.items()}
    needed = sorted({name for plan in plans.values() for name in plan.inputs})
    rows = cases[needed].dropna().tail(MOST).to_dict("records")
    if not rows:
        return {side: {} for side in models}
    named = [{str(name): value for name, value in row.items()} for row in rows]
    prices = context.classic.costs.prices
    found = {}
    for side, folder in models.items():
        taken = _seconds(plans[side], folder, named)
        cost = {by_case.COST: costing.of_seconds(prices, taken)} if prices.known else {}
        found[side] = {**cost, by_case.LATENCY: taken}
    return found


def unmeasured(context: Context, found: "Mapping[str, Floats]") -> dict[str, str]:
    """Why a side lacks a metric."""
    if by_case.LATENCY not in found:
        return dict.fromkeys((by_case.COST, *by_case.QUANTILES), INCOMPLETE)
    return {} if by_case.COST in found else {by_case.COST: UNPRICED.format(twin=context.twin)}


def notes(context: Context, found: "Mapping[str, Floats]") -> dict[str, str]:
    """How cost and latency came about."""
    if by_case.LATENCY not in found:
        return {}
    said = {
        by_case.LATENCY: f"features by the online dataflow and the model, one case at a time, over the "
        f"newest {len(found[by_case.LATENCY])} cases, without the way through a front"
    }
    costs = context.classic.costs
    if by_case.COST in found:
        said[by_case.COST] = f"a machine at {costs.hour:g} {costs.currency}".rstrip() + (
            " an hour for the time of a case, with one case at a time on it"
        )
    return said


def _plan(context: Context, folder: Path) -> "Plan":
    """The online dataflow of a model's features, in the order of its columns."""
    from components.runtime import features

    names = json.loads((folder / "features.json").read_text(encoding="utf-8"))["features"]
    return features.plan(context.config, context.twin, mode="online", features=names)


def _seconds(plan: "Plan", folder: Path, rows: list[dict[str, object]]) -> "Floats":
    import numpy as np

    with predicting.model(folder) as ask:

        def answer(row: dict[str, object]) -> None:
            found = [float("nan") if one is None else float(one) for one in plan.run(row).values()]
            ask(np.array([found], dtype=np.float64))

        answer(rows[0])  # the first prediction of a model is slow
        taken = []
        for row in rows:
            begun = time.perf_counter()
            answer(row)
            taken.append(time.perf_counter() - begun)
    return np.array(taken, dtype=np.float64)
