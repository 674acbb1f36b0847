"""The declared rules, applied to an evaluation: release, ask, or block, with the reason."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from components.runtime.context import Context, Draft
from components.shared import digest
from components.shared.config.base import Gate, GateRule
from components.shared.errors import ConfigError
from components.shared.evaluation import FILE, Evaluation, Measure
from components.shared.files import write_atomic
from components.shared.manifests import Manifest

Verdict = Literal["release", "ask", "block"]

#: Whether a bound is kept, and the bound in words.
Bound = tuple[bool, str]


class Finding(BaseModel):
    """One rule and what it found."""

    model_config = ConfigDict(frozen=True)

    metric: str
    met: bool
    reason: str
    otherwise: Verdict


def run(context: Context, evaluation: Manifest) -> Manifest:
    """Decide whether the candidate may become the champion.

    Facts: `decision` (`release`, `ask`, `block`) and `reason`.

    Raises:
        ConfigError: A rule names a metric that the evaluation does not have.
    """
    gate = context.config.twin(context.twin).gate
    numbers = Evaluation.model_validate_json((evaluation.folder / FILE).read_bytes())
    return context.commit(
        settings={"gate": gate.model_dump(mode="json"), "clocked": _clocked(gate, numbers)},
        parents={"evaluation": evaluation},
        build=lambda folder: _decide(context, gate, numbers, evaluation, folder / "report.md"),
    )


def _clocked(gate: Gate, numbers: Evaluation) -> list[JsonValue]:
    """Numbers of a clock that a rule looks at; the version of an evaluation leaves them out."""
    names = sorted({rule.metric for rule in gate.rules} & set(numbers.clocked))
    sides = (numbers.candidate, numbers.champion, numbers.paired)
    return [side[name].model_dump() for side in sides for name in names if name in side]


def _decide(context: Context, gate: Gate, numbers: Evaluation, manifest: Manifest, report: Path) -> Draft:
    findings = [look(rule, numbers, f"twins.{context.twin}.gate.rules") for rule in gate.rules]
    verdict = decide(gate, findings)
    broken = [finding.reason for finding in findings if not finding.met]
    reason = "; ".join(broken) if broken else f"{len(findings)} of {len(findings)} rules met"
    lines = [f"- {'met' if one.met else '**not met**'}: {one.reason}" for one in findings]
    write_atomic(report, "\n".join([f"# Gate of {context.twin}: {verdict}", "", *lines, ""]))
    return Draft(
        summary=f"{verdict}: {reason}",
        facts={"decision": verdict, "reason": reason},
        version=digest.of_json([verdict, reason, manifest.version]),
    )


def look(rule: GateRule, numbers: Evaluation, where: str = "gate.rules") -> Finding:
    """Hold one rule against the numbers. What the candidate cannot have is for a person to judge.

    Raises:
        ConfigError: The evaluation has no such metric.
    """
    measure = numbers.candidate.get(rule.metric)
    if rule.metric in numbers.unmeasured:
        reason = f"{rule.metric} is not measured: {numbers.unmeasured[rule.metric]}"
        return Finding(metric=rule.metric, met=False, reason=reason, otherwise="ask")
    if measure is None:
        raise ConfigError(
            f"metric '{rule.metric}' is not in the evaluation",
            where=where,
            remedy=f"use one of: {', '.join(sorted(numbers.candidate))}",
        )
    fixed = list(_absolute(rule, measure, numbers))
    kept = all(met for met, _ in fixed)
    alone = _incomparable(rule, numbers)
    against = [(False, f"champion {numbers.champion_release} has none")] if alone else []
    bounds = [*fixed, *against, *_relative(rule, measure, numbers)]
    asked = ", ".join(text for _, text in bounds) or "no champion to compare with"
    return Finding(
        metric=rule.metric,
        met=all(met for met, _ in bounds),
        reason=f"{rule.metric} {numbers.shown(rule.metric, measure)} ({asked})",
        otherwise="ask" if alone and kept else rule.otherwise,
    )


def _incomparable(rule: GateRule, numbers: Evaluation) -> bool:
    """Whether the rule compares with a champion that lacks the metric: nobody can say what would be lost."""
    compares = rule.may_lose is not None or rule.may_lose_share is not None
    return compares and bool(numbers.champion_release) and rule.metric not in numbers.paired


def _absolute(rule: GateRule, measure: Measure, numbers: Evaluation) -> Iterator[Bound]:
    unit = f" {numbers.units.get(rule.metric, '')}".rstrip()
    if rule.at_least is not None:
        yield measure.value >= rule.at_least, f"at least {rule.at_least:g}{unit}"
    if rule.at_most is not None:
        yield measure.value <= rule.at_most, f"at most {rule.at_most:g}{unit}"


def _relative(rule: GateRule, measure: Measure, numbers: Evaluation) -> Iterator[Bound]:
    if rule.metric not in numbers.paired:
        return
    unit = f" {numbers.units.get(rule.metric, '')}".rstrip()
    rival = f"to champion {numbers.champion_release}"
    loss = _worst_loss(measure, numbers, rule.metric)
    if rule.may_lose is not None:
        lost = numbers.number(rule.metric, max(loss, 0.0))
        yield loss <= rule.may_lose, f"may lose {rule.may_lose:g}{unit} {rival}, loses up to {lost}{unit}"
    if rule.may_lose_share is not None:
        whole = abs(numbers.champion[rule.metric].value)
        share = max(loss, 0.0) / whole if whole else 0.0
        met = loss <= rule.may_lose_share * whole
        lost = f"{share:.1%}" if whole or loss <= 0 else "more than nothing"
        yield met, f"may lose {rule.may_lose_share:.0%} {rival}, loses up to {lost}"


def _worst_loss(measure: Measure, numbers: Evaluation, metric: str) -> float:
    """How much worse the candidate may be, at the unfavourable end of the paired interval."""
    paired = numbers.paired[metric]
    return -paired.low if measure.better == "higher" else paired.high


def decide(gate: Gate, findings: list[Finding]) -> Verdict:
    """The strictest consequence of the rules that are not met, and whether a person has to approve."""
    broken = {finding.otherwise for finding in findings if not finding.met}
    if "block" in broken or (broken and gate.approval == "never"):
        return "block"
    return "ask" if broken or gate.approval == "always" else "release"
