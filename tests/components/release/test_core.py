"""Stage release: the gate's word counts, and running again changes nothing."""

from pathlib import Path

import pytest

from components.release import core
from components.runtime import champion
from components.runtime.context import Context
from components.shared.config import load
from components.shared.config.llm import Answering
from tests.components import samples
from tests.components.release.made import inputs


@pytest.fixture
def context(corpus: Path) -> Context:
    return Context(load(corpus / "twinstack.yaml"), "credit", "release")


def answering(context: Context) -> str:
    found = champion.champion(context)
    return found.id if found else ""


def test_a_released_candidate_answers_and_the_alias_follows(context: Context) -> None:
    made = core.run(context, **inputs(context, "release"))
    assert made.text("release") == answering(context)
    registered = context.stores.registry.champion("credit")
    assert registered is not None
    assert registered.version == "1"


@pytest.mark.parametrize("decision", ["release", "block"])
def test_every_run_repairs_the_alias_that_a_killed_one_left(context: Context, decision: str) -> None:
    """The real kill: tests/integration/test_kill.py; here the next run has another candidate."""
    core.run(context, **inputs(context, "release"))
    second = inputs(context, "release", dataset="d2")
    candidate = core.describe(
        context, *(second[name] for name in ("evaluation", "features", "dataset", "model"))
    )
    champion.promote(context.stores.warehouse, candidate)  # and nobody told the registry
    core.run(context, **(second if decision == "release" else inputs(context, decision, dataset="d3")))
    registered = context.stores.registry.champion("credit")
    assert registered is not None
    assert registered.version == "2"


def test_releasing_again_changes_nothing_and_says_so(context: Context) -> None:
    given = inputs(context, "release")
    core.run(context, **given)
    before = champion.traffic(context.stores.warehouse, "credit")
    made = core.run(context, **given)
    assert made.skipped == "unchanged: this release answers already"
    assert champion.traffic(context.stores.warehouse, "credit") == before


@pytest.mark.parametrize(
    ("decision", "told"), [("block", "is blocked: because"), ("ask", "approve with `twin promote")]
)
def test_without_the_gates_word_the_champion_stays(context: Context, decision: str, told: str) -> None:
    core.run(context, **inputs(context, "release"))
    before = answering(context)
    made = core.run(context, **inputs(context, decision, dataset="d2"))
    assert answering(context) == before
    assert told in made.summary
    stored = champion.read_release(context.stores.warehouse, "credit", made.text("release"))
    assert stored.dataset_version == "d2"


def test_other_parts_are_another_release(context: Context) -> None:
    first = core.run(context, **inputs(context, "release")).text("release")
    second = core.run(context, **inputs(context, "release", dataset="d2")).text("release")
    assert first != second
    assert answering(context) == second
    assert champion.rollback(context.stores.warehouse, "credit").id == first


def test_after_a_rollback_the_same_candidate_can_be_released_again(context: Context) -> None:
    core.run(context, **inputs(context, "release"))
    second = inputs(context, "release", dataset="d2")
    core.run(context, **second)
    champion.rollback(context.stores.warehouse, "credit")
    made = core.run(context, **second)
    assert answering(context) == made.text("release")


def test_an_llm_release_says_how_it_answers() -> None:
    with pytest.raises(ValueError, match="answering belongs to every release of kind llm"):
        samples.release("r", kind="llm")
    with pytest.raises(ValueError, match="answering belongs to every release of kind llm"):
        samples.release("r", kind="classic", answering=Answering())
    assert samples.release("r", kind="llm", answering=Answering()).answering == Answering()
