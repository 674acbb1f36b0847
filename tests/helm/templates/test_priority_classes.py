"""Priority of fronts over predictors over everything else."""

from tests.helm.rendering import ci, one, render


def test_pods_name_classes_of_their_own_release() -> None:
    made = render(ci("production-gpu"))
    classes = {it["metadata"]["name"]: it["value"] for it in made if it["kind"] == "PriorityClass"}
    assert classes["twinstack-twinstack-front"] > classes["twinstack-twinstack-predictor"]
    for name, used in (("twinstack-docs", "front"), ("twinstack-docs-pinned", "predictor")):
        predictor = one(made, "InferenceService", name)["spec"]["predictor"]
        assert predictor["priorityClassName"] == f"twinstack-twinstack-{used}"


def test_without_them_no_pod_names_one() -> None:
    assert "priorityClassName" not in str(render(ci("minimal")))
