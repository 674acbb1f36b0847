"""Stage monitor: signals of two windows, thresholds of their own, a page to look at."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from components.dataflows import drift_reference
from components.dataflows.drift_reference import figure
from components.monitor.windows import Pair, drift
from components.runtime import drift_report
from components.shared.config.base import Monitor


def window(rows: int, seed: int, shift: float = 0.0, kinds: str = "ab") -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {"amount": draw.normal(shift, size=rows), "kind": draw.choice(list(kinds), size=rows)}
    )


def found(reference: pd.DataFrame, current: pd.DataFrame) -> dict[str, bool]:
    return {one.name: one.drifted for one in drift(Pair(reference, current, "test"), Monitor(), seed=0)}


def test_equal_distributions_do_not_drift() -> None:
    assert found(window(2000, 1), window(600, 2)) == {"amount": False, "kind": False}


def test_a_shifted_number_drifts_and_nothing_else() -> None:
    assert found(window(2000, 1), window(600, 2, shift=0.5)) == {"amount": True, "kind": False}


def test_a_new_category_drifts() -> None:
    assert found(window(2000, 1), window(600, 2, kinds="abc")) == {"amount": False, "kind": True}


def test_a_constant_column_does_not_drift() -> None:
    frame = pd.DataFrame({"flag": np.zeros(1000)})
    one = drift(Pair(frame, frame.head(500), "test"), Monitor(), seed=0)[0]
    assert len(one.bins) == 4
    assert one.statistic < one.threshold


def test_documents_about_something_else_drift_and_more_of_the_same_do_not() -> None:
    draw, frame = np.random.default_rng(0), window(300, 1)

    def vectors(rows: int, topic: int) -> NDArray[np.float32]:
        """Unit vectors around one axis of the space, as those of texts about one thing are."""
        made = draw.normal(0, 0.1, (rows, 32))
        made[:, topic] += 1
        unit: NDArray[np.float32] = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
        return unit

    def drifted(now: NDArray[np.float32]) -> bool:
        pair = Pair(frame, frame, "test", (vectors(300, 0), now))
        (one,) = [one for one in drift(pair, Monitor(), seed=0) if one.name == "document"]
        assert one.method == "mmd"
        return one.drifted

    assert not drifted(vectors(300, 0))
    assert drifted(np.concatenate([vectors(225, 0), vectors(75, 1)]))


def test_the_page_names_every_signal_and_escapes_what_comes_from_data() -> None:
    frame = window(1000, 1).rename(columns={"kind": "<b>kind</b>"})
    pair = Pair(frame, frame.head(500), "test")
    page = drift_report.html("credit", "test", drift(pair, Monitor(), seed=0))
    assert "amount" in page
    assert "&lt;b&gt;kind" in page
    assert "<b>kind" not in page
    assert "data:image/png;base64," in page


def test_the_page_shows_missing_values_as_they_are_and_says_what_decides() -> None:
    before, now = window(1000, 1), window(600, 2)
    now.loc[:149, "amount"] = np.nan
    page = drift_report.html("credit", "test", drift(Pair(before, now, "test"), Monitor(), seed=0))
    assert "<b>1 of 2 signals drifted.</b>" in page
    assert "<td>yes<td>0.0%<td>25.0%<td>" in page, "no share of what was added so that no bin is empty"
    assert drift_report.LEGEND in page


def test_numbers_are_written_as_people_write_them() -> None:
    values = {12345.6: "12,350", 0.05128: "0.05128", 1e-7: "1e-07", 4.2e10: "4.2e+10", -3.0: "-3", 0.0: "0"}
    assert [figure(one) for one in values] == list(values.values())
    one = drift_reference.numeric("flag", np.zeros(100), 10)
    assert one.bins == ("< 0", "0", "> 0", "missing")
