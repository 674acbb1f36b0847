"""What a twin is made from, and when it was last collected."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict

from components.adapters.stores import Stores
from components.shared.config import Config, LlmTwin


class Sources(BaseModel):
    """The sources of one twin.

    Attributes:
        twin: Name of the twin.
        kind: Its kind.
        sources: As configured.
        version: Version of the newest collection; empty before the first.
        collected: What the newest collection says of itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    twin: str
    kind: str
    sources: list[dict[str, Any]]
    version: str = ""
    collected: str = ""


def listed(config: Config, twins: Iterable[str]) -> list[Sources]:
    """The sources of twins."""
    return [_of(config, name) for name in twins]


def _of(config: Config, name: str) -> Sources:
    twin = config.twin(name)
    if isinstance(twin, LlmTwin):
        declared = [one.model_dump(mode="json", exclude_defaults=True) for one in twin.sources]
    else:
        declared = [{"type": "table", "path": twin.table.path}]
    found = Stores(config).artifacts.latest(name, "collect")
    if found is None:
        return Sources(twin=name, kind=twin.kind, sources=declared)
    return Sources(
        twin=name,
        kind=twin.kind,
        sources=declared,
        version=found.version,
        collected=found.summary,
    )
