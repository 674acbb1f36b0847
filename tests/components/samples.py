"""Small parts that the tests of many folders need."""

from typing import Any

from components.shared.config import ClassicTwin, Config, LlmTwin
from components.shared.evaluation import Evaluation
from components.shared.releases import Release


def classic_twin(config: Config, name: str = "credit") -> ClassicTwin:
    """A twin that must be of kind classic."""
    found = config.twin(name)
    assert isinstance(found, ClassicTwin)
    return found


def llm_twin(config: Config, name: str = "docs") -> LlmTwin:
    """A twin that must be of kind llm."""
    found = config.twin(name)
    assert isinstance(found, LlmTwin)
    return found


def release(name: str, *, twin: str = "t", **values: Any) -> Release:
    """A valid release of no real model; `values` replace its fields."""
    scores = Evaluation(twin=twin, cases=1, cases_version="v", level=0.95, candidate={}, baseline_name="none")
    return Release(
        **{
            "id": name, "twin": twin, "kind": "classic", "model_version": "1", "model_uri": "file:///m",
            "dataset_version": "d", "commit": "c", "dirty": False, "trained_on": "rows",
            "evaluation": scores, "created": "2026-01-01T00:00:00+00:00", **values,
        }
    )  # fmt: skip
