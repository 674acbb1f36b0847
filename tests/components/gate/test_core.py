"""Stage gate: rules block, ask or release."""

from pathlib import Path
from typing import Any

import pytest

from components.gate.core import decide, look, run
from components.runtime.context import Context, Draft
from components.shared.config import Gate, GateRule
from components.shared.errors import ConfigError
from components.shared.evaluation import FILE, Difference, Evaluation, Measure
from components.shared.manifests import Manifest
from tests.components.classic_fixtures import credit


def numbers(**more: Any) -> Evaluation:
    return Evaluation(
        twin="t",
        cases=100,
        cases_version="v",
        level=0.95,
        candidate={
            "roc_auc": Measure(value=0.8, low=0.75, high=0.85),
            "loss": Measure(value=2.0, low=1.9, high=2.1, better="lower"),
        },
        baseline_name="scorecard",
        **more,
    )


def rule(**values: Any) -> GateRule:
    return GateRule(**{"metric": "roc_auc", **values})


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        ({"at_least": 0.8}, True),
        ({"at_least": 0.81}, False),
        ({"at_most": 0.8}, True),
        ({"at_most": 0.79}, False),
    ],
)
def test_a_bound_is_held_against_the_value(condition: dict[str, float], met: bool) -> None:
    assert look(rule(**condition), numbers()).met is met


@pytest.mark.parametrize(("may_lose", "met"), [(0.02, True), (0.01, False)])
def test_the_loss_is_judged_at_the_unfavourable_end(may_lose: float, met: bool) -> None:
    compared = numbers(
        paired={"roc_auc": Difference(value=0.01, low=-0.015, high=0.03)}, champion_release="c"
    )
    assert look(rule(may_lose=may_lose), compared).met is met


def test_where_lower_is_better_the_upper_end_is_the_unfavourable_one() -> None:
    compared = numbers(paired={"loss": Difference(value=0.0, low=-0.5, high=0.1)}, champion_release="c")
    assert look(rule(metric="loss", may_lose=0.2), compared).met
    assert not look(rule(metric="loss", may_lose=0.05), compared).met


def test_without_a_champion_nothing_can_be_lost() -> None:
    assert look(rule(may_lose=0.0), numbers()).met


def priced(cost: float, champion: float, apart: tuple[float, float, float]) -> Evaluation:
    """A candidate and a champion with costs, and the difference with its interval."""
    value, low, high = apart
    return numbers(
        champion_release="c",
        units={"loss": "EUR"},
        champion={"loss": Measure(value=champion, low=champion, high=champion, better="lower")},
        paired={"loss": Difference(value=value, low=low, high=high)},
    ).model_copy(update={"candidate": {"loss": Measure(value=cost, low=cost, high=cost, better="lower")}})


@pytest.mark.parametrize(
    ("condition", "met", "said"),
    [
        ({"at_most": 0.3}, True, "0.25 [0.25, 0.25] EUR (at most 0.3 EUR)"),
        ({"at_most": 0.2}, False, "(at most 0.2 EUR)"),
        ({"may_lose": 0.06}, True, "(may lose 0.06 EUR to champion c, loses up to 0.06 EUR)"),
        ({"may_lose_share": 0.3}, True, "(may lose 30% to champion c, loses up to 30.0%)"),
        ({"may_lose_share": 0.2}, False, "(may lose 20% to champion c, loses up to 30.0%)"),
    ],
)
def test_cost_is_bounded_by_itself_or_by_the_champion_s(
    condition: dict[str, float], met: bool, said: str
) -> None:
    found = look(rule(metric="loss", **condition), priced(0.25, 0.2, (0.05, 0.04, 0.06)))
    assert found.met is met
    assert found.reason.endswith(said)


def test_what_the_champion_lacks_is_for_a_person_to_judge() -> None:
    compared = numbers(champion_release="c", paired={"loss": Difference(value=0, low=0, high=0)})
    found = look(rule(may_lose=0.1), compared)
    assert (found.met, found.otherwise) == (False, "ask")
    assert "champion c has none" in found.reason
    # A bound of its own that is broken keeps its consequence.
    assert look(rule(may_lose=0.1, at_least=0.9), compared).otherwise == "block"
    assert look(rule(at_least=0.5), compared).met


def test_what_cannot_be_measured_is_for_a_person_to_judge() -> None:
    found = look(rule(metric="held_out_loss", at_most=1), numbers(unmeasured={"held_out_loss": "no weights"}))
    assert (found.met, found.otherwise) == (False, "ask")
    assert found.reason == "held_out_loss is not measured: no weights"


def test_a_champion_that_costs_nothing_may_not_be_replaced_by_one_that_does() -> None:
    assert not look(rule(metric="loss", may_lose_share=0.5), priced(0.1, 0, (0.1, 0.1, 0.1))).met
    assert look(rule(metric="loss", may_lose_share=0.5), priced(0, 0, (0, 0, 0))).met


def test_an_unknown_metric_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"metric 'auc' is not in the evaluation.*loss, roc_auc"):
        look(rule(metric="auc", at_least=0.5), numbers())


@pytest.mark.parametrize(
    ("otherwise", "approval", "met", "verdict"),
    [
        ("block", "when_asked", True, "release"),
        ("block", "when_asked", False, "block"),
        ("ask", "when_asked", False, "ask"),
        ("ask", "never", False, "block"),
        ("block", "always", True, "ask"),
        ("block", "always", False, "block"),
    ],
)
def test_the_strictest_consequence_holds(otherwise: str, approval: str, met: bool, verdict: str) -> None:
    one = rule(at_least=0.1 if met else 0.9, otherwise=otherwise)
    gate = Gate(rules=(one,), approval=approval)
    assert decide(gate, [look(one, numbers())]) == verdict


class Judged:
    """Stage gate over evaluations that are made up and committed like real ones."""

    def __init__(self, state: Path, *rules: GateRule) -> None:
        self.config = credit(state, gate=Gate(rules=rules))

    def __call__(self, found: Evaluation, version: str) -> Manifest:
        def build(folder: Path) -> Draft:
            (folder / FILE).write_text(found.model_dump_json())
            return Draft("", {}, version)

        made = Context(self.config, "credit", "evaluate")
        settings = found.model_dump(mode="json")
        evaluation = made.commit(settings=settings, parents={}, build=build)
        return run(Context(self.config, "credit", "gate"), evaluation=evaluation)


def test_the_stage_commits_the_decision_its_reason_and_a_report(tmp_path: Path) -> None:
    made = Judged(tmp_path, rule(at_least=0.5), rule(metric="loss", at_most=1.0))(numbers(), "v1")
    assert made.facts == {"decision": "block", "reason": "loss 2.000 [1.900, 2.100] (at most 1)"}
    lines = (made.folder / "report.md").read_text().splitlines()
    assert lines[0] == "# Gate of credit: block"
    assert [line.split(":")[0] for line in lines[2:]] == ["- met", "- **not met**"]


def test_the_same_evaluation_is_decided_once_and_another_one_is_another_decision(tmp_path: Path) -> None:
    judged = Judged(tmp_path, rule(at_least=0.5))
    first, again, other = (
        judged(numbers(), "v1"),
        judged(numbers(), "v1"),
        judged(numbers(notes={"a": "b"}), "v2"),
    )
    assert (first.skipped, bool(again.skipped), other.skipped) == ("", True, "")
    assert first.facts == other.facts
    assert first.version == again.version != other.version


def test_a_number_of_the_clock_that_a_rule_looks_at_is_decided_anew(tmp_path: Path) -> None:
    """The version of an evaluation leaves such numbers out."""

    def timed(seconds: float) -> Evaluation:
        measure = Measure(value=seconds, low=seconds, high=seconds, better="lower")
        return numbers(clocked=("seconds", "loss")).model_copy(
            update={"candidate": {**numbers().candidate, "seconds": measure}}
        )

    strict = Judged(tmp_path / "strict", rule(metric="seconds", at_most=1.0))
    assert [strict(timed(value), "v1").facts["decision"] for value in (0.5, 2.0)] == ["release", "block"]
    blind = Judged(tmp_path / "blind", rule(at_least=0.5))
    assert [bool(blind(timed(value), "v1").skipped) for value in (0.5, 2.0)] == [False, True]
