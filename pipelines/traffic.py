"""Releases on the command line: list, promote, roll back, share. The registry's alias follows the traffic."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.adapters.stores import Stores
from components.runtime import champion, deployment, fronts, policy, promotion, standby
from components.runtime.promotion import Report
from components.shared.config import Config
from components.shared.errors import RequestError
from components.shared.releases import BUILT_IN, NOTHING, Part, Release, Traffic


def _silent(text: str) -> None:
    """Reports to nobody."""


def listed(config: Config, twins: Sequence[str] | None) -> list[dict[str, str]]:
    """Every release with its role, newest first."""
    warehouse = Stores(config).warehouse
    rows = []
    for twin in twins or list(config.twins):
        config.twin(twin)
        now = champion.traffic(warehouse, twin)
        found = sorted(champion.releases(warehouse, twin), key=lambda one: one.created, reverse=True)
        rows += [_row(one, now) for one in found]
    return rows


def _row(one: Release, now: Traffic | None) -> dict[str, str]:
    return {
        "twin": one.twin,
        "release": one.id,
        "role": _role(one.id, now),
        "model": one.model_version,
        "created": one.created,
        "commit": one.commit[:10] + (" dirty" if one.dirty else ""),
        "trained on": one.trained_on,
    }


def _role(release: str, now: Traffic | None) -> str:
    if now is None:
        return "candidate"
    if release == now.champion:
        return "champion"
    for name, part in (("canary", now.canary), ("shadow", now.shadow)):
        if part and part.release == release:
            return f"{name} {part.share:.0%}"
    if release == now.fallback:
        return "fallback"
    return "earlier champion" if release in now.history else "candidate"


def shown(config: Config, twin: str) -> dict[str, Any]:
    """The traffic of a twin, and what the running fronts have made of it.

    Raises:
        NotFoundError: The twin has no champion yet.
    """
    config.twin(twin)
    warehouse = Stores(config).warehouse
    now = champion.require_traffic(warehouse, twin).model_dump(mode="json")
    return {**now, "fronts": [one.model_dump(mode="json") for one in fronts.running(warehouse, twin)]}


def changed(
    config: Config, twin: str, parts: Mapping[str, Part | str | None], report: Report = _silent
) -> dict[str, Any]:
    """Set canary, shadow or fallback, see `policy.changed`, once the running fronts have them open.

    On a cluster their predictors are made ready before that.

    Raises:
        NotFoundError: The twin has no champion yet, or no such release.
        ConflictError: Somebody else changed the traffic in the same moment.
        ClusterError: A predictor did not become ready.
    """
    config.twin(twin)
    warehouse = Stores(config).warehouse
    named = {one.release if isinstance(one, Part) else one for one in parts.values()}
    releases = sorted(filter(None, named - {BUILT_IN, NOTHING}))
    for release in releases:
        found = champion.read_release(warehouse, twin, release)
        found = deployment.deployed(config, warehouse, found, report)
        champion.store(warehouse, found)
        standby.prepare(config, warehouse, found, report)
    policy.changed(warehouse, twin, parts)
    standby.withdraw(warehouse, twin, releases)
    deployment.cleaned(config, warehouse, twin, report)
    return shown(config, twin)


def promoted(config: Config, twin: str, release: str, report: Report = _silent) -> dict[str, str]:
    """Let a stored release answer, see `promotion.promoted`."""
    return _told(promotion.promoted(config, twin, release, report))


def rolled_back(config: Config, twin: str, report: Report = _silent, *, left: str = "") -> dict[str, str]:
    """Let the release before the champion answer again, see `promotion.rolled_back`."""
    return _told(promotion.rolled_back(config, twin, report, left=left))


def _told(release: Release) -> dict[str, str]:
    return {"twin": release.twin, "release": release.id, "model": release.model_version}


def parts(
    *, canary: str | None, shadow: str | None, share: float | None, fallback: str | None, clear: bool
) -> dict[str, Part | str | None]:
    """The options of `twin traffic` as a change of the traffic; empty where nothing is to change.

    Raises:
        RequestError: A share is out of bounds, or belongs to nothing.
    """
    made: dict[str, Part | str | None] = dict(policy.CLEAR) if clear else {}
    if share is not None and not canary and not shadow:
        raise RequestError("--share belongs to --canary or --shadow", param="share", remedy="name a release")
    if canary:
        made["canary"] = policy.part(canary, 0.1 if share is None else share, "canary")
    if shadow:
        made["shadow"] = policy.part(shadow, 1.0 if share is None or canary else share, "shadow")
    if fallback:
        made["fallback"] = fallback
    return made


def described(now: Mapping[str, Any]) -> str:
    """The traffic in lines for people."""
    lines = [f"{now['twin']}: champion {now['champion']}"]
    lines += [
        f"  {name} {now[name]['release']}, {now[name]['share']:.0%}"
        for name in ("canary", "shadow")
        if now[name]
    ]
    lines.append(f"  fallback {now['fallback']}")
    for front in now["fronts"]:
        lines.append(f"  front {front['id']}: champion {front['champion']}")
        ready = [one for one in front["open"] if one != front["champion"]]
        lines += [f"    has {one} open" for one in ready]
        lines += [f"    is opening {one}" for one in front["opening"]]
        lines += [f"    cannot open {one}: {why}" for one, why in front["failed"].items()]
    return "\n".join(lines)
