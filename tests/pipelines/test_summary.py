"""The end of a run: how good the champions are."""

from components.shared.evaluation import Evaluation, Measure
from pipelines.summary import quality

FOUND = Evaluation(
    twin="docs",
    cases=8,
    cases_version="abc",
    level=0.95,
    candidate={"answer_f1": Measure(value=0.5, low=0.4, high=0.6)},
    baseline={"answer_f1": Measure(value=0.25, low=0.2, high=0.3)},
    baseline_name="no context",
)


def test_the_headline_stands_beside_its_baseline() -> None:
    shown = quality(FOUND, "answer_f1", "answer F1")
    assert shown == "answer F1 0.500 [0.400, 0.600]; no context 0.250 [0.200, 0.300]"


def test_a_champion_of_an_older_version_that_lacks_the_headline_is_shown_all_the_same() -> None:
    assert quality(FOUND, "roc_auc", "ROC AUC") == "ROC AUC not measured"
