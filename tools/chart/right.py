"""A right, and what it is for."""

from collections.abc import Sequence
from dataclasses import dataclass

from components.adapters.kubernetes.permissions import Rule


@dataclass(frozen=True)
class Right:
    """A rule of a Role, and what it is for; `names` limits it to objects of those names."""

    group: str
    resource: str
    verbs: tuple[str, ...]
    purpose: str
    names: tuple[str, ...] = ()


def of_stages(rules: Sequence[Rule]) -> tuple[Right, ...]:
    """Rights that stages and commands say themselves that they need."""
    return tuple(Right(rule.group, rule.resource, rule.verbs, rule.purpose) for rule in rules)
