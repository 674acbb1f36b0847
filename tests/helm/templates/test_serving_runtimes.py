"""Runtimes for clusters whose standard ones do not do."""

import pytest
from helm_python import HelmError

from tests.helm.rendering import ci, render


def test_there_is_none_unless_it_is_asked_for() -> None:
    assert render(ci("minimal"), "serving-runtimes.yaml") == []


def test_a_runtime_is_chosen_by_name_only() -> None:
    (made,) = render(ci("production-gpu"), "serving-runtimes.yaml")
    assert made["spec"]["supportedModelFormats"] == [{"name": "xgboost", "version": "1", "autoSelect": False}]
    assert "--model_name={{.Name}}" in made["spec"]["containers"][0]["args"]


def test_it_needs_an_image() -> None:
    with pytest.raises(HelmError, match=r"servingRuntimes\.xgboost\.image: name an image"):
        render(ci("minimal", servingRuntimes={"xgboost": {"create": True}}))
