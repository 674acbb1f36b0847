"""Stage evaluate, kind classic: candidate, scorecard and champion on the same cases."""

import json
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from components.dataflows import boosting
from components.evaluate import classic, scores, timing
from components.runtime import champion
from components.runtime.context import Context
from components.shared.config import Config
from components.shared.errors import DataError
from components.shared.manifests import Manifest
from tests.components.classic_fixtures import chain, credit, finished, read, release
from tests.components.samples import classic_twin


def evaluate(config: Config, made: dict[str, Manifest]) -> Manifest:
    return classic.evaluate(
        Context(config, "credit", "evaluate"),
        made["validated"],
        made["features"],
        made["dataset"],
        made["model"],
    )


def test_the_numbers_are_those_of_the_model_on_the_newest_rows() -> None:
    config, made = finished()
    found = read(made["evaluation"])
    test = pd.read_parquet(made["dataset"].folder / "test.parquet")
    said = boosting.probability(
        boosting.load(made["model"].folder), test[list(classic_twin(config).features)].to_numpy()
    )
    assert found.candidate["roc_auc"].value == pytest.approx(roc_auc_score(test["label"], said))
    assert found.cases == 250
    assert found.baseline_name == "scorecard"
    quality = {"roc_auc", "pr_auc", "brier", "calibration_error"}
    assert (set(found.candidate), set(found.baseline)) == (quality | {"latency_p50", "latency_p95"}, quality)
    assert found.champion == {} == found.paired
    for measure in (*found.candidate.values(), *found.baseline.values()):
        assert measure.low <= measure.value <= measure.high
    assert found.candidate["roc_auc"].value > 0.7
    assert found.baseline["roc_auc"].value > 0.7


def test_what_it_leaves_for_people_and_the_kfp_ui() -> None:
    _, made = finished()
    folder = made["evaluation"].folder
    confusion = json.loads((folder / "confusion.json").read_text())
    assert confusion["categories"] == ["good", "bad"]
    assert sum(map(sum, confusion["matrix"])) == 250
    curve = json.loads((folder / "roc.json").read_text())
    assert len(curve["fpr"]) == len(curve["tpr"]) == len(curve["thresholds"])
    html = (folder / "report.html").read_text()
    assert html.count("<svg") == 1 and "<script" not in html and "src=" not in html
    assert "| ROC AUC ↑ |" in (folder / "report.md").read_text()


def test_an_hour_of_the_machine_prices_the_time_of_a_case(tmp_path: Path) -> None:
    _, made = finished()
    config = credit(tmp_path, costs={"currency": "EUR", "hour": 3.6})
    context = Context(config, "credit", "evaluate")
    cases = scores.raw(context, made["validated"], pd.read_parquet(made["dataset"].folder / "test.parquet"))
    found = timing.values(context, cases, {"candidate": made["model"].folder})["candidate"]
    assert found["cost_per_1000"] == pytest.approx(found["latency"])  # 1,000 requests at 0.001 EUR a second
    assert 0 < found["latency"].max() < 1
    assert "3.6 EUR an hour" in timing.notes(context, found)["cost_per_1000"]
    assert timing.unmeasured(context, found) == {}
    # Without a case that has every column there is neither time nor money, and the reason is said.
    nothing = timing.values(
        context, cases.assign(duration_in_month=None), {"candidate": made["model"].folder}
    )
    assert set(timing.unmeasured(context, nothing["candidate"])) == {
        "cost_per_1000", "latency_p50", "latency_p95",
    }  # fmt: skip


def test_a_re_run_equals_a_run(tmp_path: Path) -> None:
    config, made = finished()
    assert evaluate(config, made).skipped
    other = chain(credit(tmp_path), "credit")
    for slot, manifest in made.items():
        assert other[slot].version == manifest.version, slot


def test_a_champion_is_measured_on_the_same_cases(tmp_path: Path) -> None:
    config = credit(tmp_path)
    first = chain(config, "credit")
    champion.promote(Context(config, "credit", "test").stores.warehouse, release(first, "one"))
    # The candidate that reigns already has nothing to be compared with, and is not measured again.
    assert evaluate(config, first).skipped

    worse = credit(tmp_path, training={"rounds": 1, "max_depth": 1}, features=["age", "existing_credits"])
    second = chain(worse, "credit")
    found, before = read(second["evaluation"]), read(first["evaluation"])
    assert found.champion_release == "one"
    assert found.cases_version == before.cases_version
    # The champion's features, which the twin no longer lists, are computed again: the very same numbers.
    timeless = {name: one for name, one in before.candidate.items() if name not in before.clocked}
    assert {name: found.champion[name] for name in timeless} == timeless
    # Both are timed, and what cannot be compared is not there: nothing has a price.
    assert {"latency_p50", "latency_p95"} <= found.paired.keys()
    assert "cost_per_1000" in found.unmeasured
    assert found.paired["roc_auc"].high < 0 < found.paired["brier"].low
    assert "Champion" in (second["evaluation"].folder / "report.md").read_text()

    flow = tmp_path / "flow.py"
    flow.write_text(
        "import pandas as pd\n\ndef years(age_in_years: pd.Series) -> pd.Series:\n    return age_in_years\n"
    )
    with pytest.raises(DataError, match=r"the champion needs .*age.* no longer computes"):
        chain(credit(tmp_path, dataflow=str(flow), features=["years"]), "credit")
