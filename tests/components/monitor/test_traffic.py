"""What the fronts saw, in the monitor stage: it closes a window that is due, and reports it."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from components.dataflows import drift_reference
from components.dataflows.drift_reference import Reference
from components.dataflows.drift_window import Window
from components.dataflows.quality import quality
from components.monitor import core, traffic
from components.runtime import champion, watched
from components.runtime.context import Context
from components.shared.config import Config
from components.shared.interactions import INTERACTIONS, LABELS, id_at
from components.shared.manifests import Manifest
from tests.components.classic_fixtures import chain, credit, release


@pytest.fixture
def ready(tmp_path: Path) -> tuple[Config, dict[str, Manifest]]:
    """A twin whose candidate answers, with a reference of the prediction alone."""
    config = credit(tmp_path, monitor={"window_rows": 100, "minimum_rows": 50, "label_delay_seconds": 0})
    made = chain(config, "credit")
    context = Context(config, "credit", "test")
    found = release(made, "one")
    champion.promote(context.stores.warehouse, found)
    frozen = Reference.model_validate_json((made["evaluation"].folder / "drift_reference.json").read_bytes())
    assert {one.name for one in frozen.signals} == {*context.classic.features, "prediction"}
    signals = (drift_reference.numeric("prediction", np.linspace(0, 1, 500), 10),)
    watched.freeze(context.stores.warehouse, found, Reference(made="", described="", signals=signals))
    return config, made


def run(config: Config, made: dict[str, Manifest]) -> Manifest:
    return core.run(Context(config, "credit", "monitor"), features=made["features"], released=made["model"])


def test_it_closes_what_is_due_and_measures_what_is_labelled(
    ready: tuple[Config, dict[str, Manifest]],
) -> None:
    config, made = ready
    assert run(config, made).facts["traffic_rows"] == 0
    assert run(config, made).skipped
    context = Context(config, "credit", "test")
    warehouse, settings = context.stores.warehouse, context.classic.monitor
    frozen = watched.reference(warehouse, "one")
    assert frozen is not None
    window = Window(frozen)
    window.add(90, {"prediction": np.full(90, 0.95)})
    patient = settings.model_copy(update={"window_seconds": 10})
    assert watched.add(warehouse, "credit", "one", window, patient, 0) is None
    more = Window(frozen)
    more.add(10, {"prediction": np.full(10, 0.95)})
    assert watched.add(warehouse, "credit", "one", more, settings, 0) is not None
    moment = id_at(datetime(2026, 1, 2, tzinfo=UTC))
    answers = [
        {
            "_id": f"{moment}{number:020}", "twin": "credit", "source": f"q{number}",
            "body": {
                "request_id": f"q{number}", "at": "2026-01-01T00:00:00+00:00", "release": "one", "paired": "",
                "answered": "model", "output": [{"probability": number / 100}],
            },
        }
        for number in range(100)
    ]  # fmt: skip
    labels = [
        {
            "_id": f"q{number}", "twin": "credit", "source": f"q{number}",
            "body": {"request_id": f"q{number}", "instance": 0, "value": "bad" if number > 50 else "good"},
        }
        for number in range(80)
    ]  # fmt: skip
    warehouse.apply({INTERACTIONS: (answers, ()), LABELS: (labels, ())})
    found = run(config, made)
    assert not found.skipped
    assert found.facts["traffic_drifted"] == 1
    assert found.facts["label_share"] == pytest.approx(0.8)
    assert found.facts["roc_auc"] == 1.0
    assert "prediction drifted" in found.summary
    page = (found.folder / "report.html").read_text(encoding="utf-8")
    assert "What the fronts saw" in page and "80 of 100 answers have a label (80%)" in page
    text = (found.folder / "report.md").read_text(encoding="utf-8")
    assert "| accuracy |" in text and "| calibration_error |" in text and "intervals hold at 95%" in text


def test_too_few_labels_give_a_reason_instead_of_an_empty_table() -> None:
    few = np.r_[np.ones(10), np.full(90, np.nan)]
    found = quality(few, np.linspace(0, 1, 100), level=0.95, rounds=10, seed=0)
    for page in (traffic.html(found, 0.95), traffic.markdown(found, 0.95)):
        assert "10 of 100 answers have a label (10%). No number with fewer than 30 labels." in page
        assert "measure" not in page
