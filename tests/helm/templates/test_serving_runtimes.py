"""Runtimes for clusters whose standard ones do not do."""

import pytest
from helm_python import HelmError

from tests.helm.rendering import Object, ci, merged, render, twin


def test_there_is_none_unless_it_is_asked_for() -> None:
    assert render(ci("minimal"), "serving-runtimes.yaml") == []


def test_a_runtime_is_chosen_by_name_only() -> None:
    (made,) = render(ci("production-gpu"), "serving-runtimes.yaml")
    assert made["spec"]["supportedModelFormats"] == [{"name": "xgboost", "version": "1", "autoSelect": False}]
    assert "--model_name={{.Name}}" in made["spec"]["containers"][0]["args"]


def test_it_needs_an_image() -> None:
    with pytest.raises(HelmError, match=r"servingRuntimes\.xgboost\.image: name an image"):
        render(ci("minimal", servingRuntimes={"xgboost": {"create": True}}))


TAG = "registry.example.org/ml/server:latest"


@pytest.mark.parametrize(
    ("values", "where"),
    [
        (ci("production-gpu", servingRuntimes={"xgboost": {"image": TAG}}), "servingRuntimes.xgboost.image"),
        (twin(ci("production-gpu"), "docs", predictor={"image": TAG}), "twins[docs].predictor.image"),
        (twin(ci("production-gpu"), "support", predictor={"image": TAG}), "twins[support].predictor.image"),
    ],
    ids=["runtime", "predictor", "model that spans pods"],
)
def test_production_takes_no_image_by_tag(values: Object, where: str) -> None:
    with pytest.raises(HelmError) as found:
        render(values)
    assert f"{where}: environment prod needs the digest of every image" in str(found.value)
    assert "write registry.example.org/ml/server@sha256:" in str(found.value)
    assert render(merged(values, {"config": {"cluster": {"environment": "dev"}}}))
