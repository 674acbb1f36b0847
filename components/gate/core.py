"""The declared rules, applied to an evaluation: release, ask, or block, with the reason."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from components.runtime.context import Context, Draft
from components.shared import digest
from components.shared.config.base import Gate, GateRule
from components.shared.errors import ConfigError
from components.shared.evaluation import FILE, Evaluation, Measure
from components.shared.files import write_atomic
from components.shared.manifests import Manifest

Verdict = Literal["release", "ask", "block"]


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
    return context.commit(
        settings=gate.model_dump(mode="json"),
        parents={"evaluation": evaluation},
        build=lambda folder: _decide(context, gate, evaluation, folder / "report.md"),
    )


def _decide(context: Context, gate: Gate, manifest: Manifest, report: Path) -> Draft:
    numbers = Evaluation.model_validate_json((manifest.folder / FILE).read_bytes())
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
    parts, met = [], True
    if rule.at_least is not None:
        met &= measure.value >= rule.at_least
        parts.append(f"at least {rule.at_least:g}")
    if rule.at_most is not None:
        met &= measure.value <= rule.at_most
        parts.append(f"at most {rule.at_most:g}")
    if rule.may_lose is not None and rule.metric in numbers.paired:
        loss = _worst_loss(measure, numbers, rule.metric)
        met &= loss <= rule.may_lose
        parts.append(
            f"may lose {rule.may_lose:g} to champion {numbers.champion_release}, "
            f"loses up to {max(loss, 0):.3f}"
        )
    asked = ", ".join(parts) or "no champion to compare with"
    reason = f"{rule.metric} {measure.value:.3f} [{measure.low:.3f}, {measure.high:.3f}] ({asked})"
    return Finding(metric=rule.metric, met=met, reason=reason, otherwise=rule.otherwise)


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
