"""Priority of fronts over predictors over everything else."""

from typing import Any

import yaml

from components.shared.config import Config
from tests.helm.rendering import ci, one, render


def test_pods_name_classes_of_their_own_release() -> None:
    made = render(ci("production-gpu"))
    classes = {it["metadata"]["name"]: it["value"] for it in made if it["kind"] == "PriorityClass"}
    assert classes["twinstack-twinstack-front-100000"] > classes["twinstack-twinstack-predictor-90000"]
    for name, used in (("twinstack-docs", "front-100000"), ("twinstack-docs-pinned", "predictor-90000")):
        predictor = one(made, "InferenceService", name)["spec"]["predictor"]
        assert predictor["priorityClassName"] == f"twinstack-twinstack-{used}"


def test_predictors_that_the_release_stage_makes_get_the_class_too() -> None:
    def named(**values: Any) -> str:
        made = one(render(ci("production-gpu", **values)), "ConfigMap", "twinstack")
        found = Config.model_validate(yaml.safe_load(made["data"]["twinstack.yaml"]))
        return found.cluster.predictors.priority_class

    assert named() == "twinstack-twinstack-predictor-90000"
    assert named(config={"cluster": {"predictors": {"priority_class": "gold"}}}) == "gold"
    assert named(priorityClasses={"create": False}) == ""


def test_another_value_is_another_class_because_nobody_may_change_one() -> None:
    def names(**values: int) -> set[str]:
        made = render(ci("production-gpu", priorityClasses=values))
        return {it["metadata"]["name"] for it in made if it["kind"] == "PriorityClass"}

    assert len(names(front=7) | names(front=8)) == 3


def test_without_them_no_pod_names_one() -> None:
    assert "priorityClassName" not in str(render(ci("minimal")))
