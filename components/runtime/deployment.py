"""A release's predictor on the cluster: ready before the traffic flips, gone when nobody needs it."""

from collections.abc import Callable

from components.adapters.deployers import answers_without, deployer
from components.adapters.warehouse.contract import Warehouse
from components.runtime import champion, fronts
from components.shared.config import Config
from components.shared.errors import TwinError
from components.shared.releases import Release

Report = Callable[[str], None]


def deployed(config: Config, warehouse: Warehouse, release: Release, report: Report) -> Release:
    """The release with the URI of its ready predictor, empty where it needs none; on a laptop as it is.

    Raises:
        ClusterError: The predictor did not become ready, or the cluster refuses it; nothing that answers is
            touched.
    """
    if reason := answers_without(config, release):
        report(f"no predictor is made: {reason}")
        return release.model_copy(update={"predictor": ""})
    answering = release.model_version in _versions(config, warehouse, release.twin, kept=0)
    with deployer(config) as opened:
        uri = opened.deploy(release, report, answering=answering)
    return release.model_copy(update={"predictor": uri})


def cleaned(config: Config, warehouse: Warehouse, twin: str, report: Report) -> None:
    """Remove predictors of model versions that neither answer nor are a step of rollback away.

    Where a running front may still ask them they stay: the next change cleans up. A twin that never had one
    asks nothing of the cluster; where it had some and answers without them now, what keeps them from being
    removed is told and is no failure, because nothing depends on them.

    Raises:
        ClusterError: The cluster refuses; the traffic has changed already.
    """
    kept = config.cluster.predictors.kept
    if config.profile == "local" or not champion.had_predictor(warehouse, twin):
        return
    if not _followed(config, warehouse, twin, "what is no longer needed", report):
        return
    try:
        with deployer(config) as opened:
            gone = opened.clean(twin, _versions(config, warehouse, twin, kept=kept))
    except TwinError as error:
        if any(one.predictor for one in _releases(warehouse, twin, kept=0)):
            raise
        report(f"this twin answers without predictors now; those it had may still be there: {error}")
        return
    if gone:
        report(f"no longer needed, deleted: {', '.join(gone)}")


def withdrawn(config: Config, warehouse: Warehouse, twin: str, left: str, report: Report) -> None:
    """Delete the predictor of a release that was rolled back: it holds its GPU for nobody.

    It stays where another release that answers, or is a step of rollback away, has the same model version,
    and where a running front may still ask it. Whatever keeps it from being deleted is told and is no
    failure: the rollback holds.

    Args:
        config: Of the twin.
        warehouse: Where traffic, releases and fronts lie.
        twin: Its name.
        left: The release; empty for none.
        report: Told what is deleted, and what stays and why.
    """
    if config.profile == "local" or not left:
        return
    release = champion.read_release(warehouse, twin, left)
    if not release.predictor:
        return
    if release.model_version in _versions(config, warehouse, twin, kept=config.cluster.predictors.kept):
        return
    if not _followed(config, warehouse, twin, f"the predictor of {left}", report):
        return
    try:
        with deployer(config) as opened:
            gone = opened.withdraw(release)
    except TwinError as error:
        report(f"the predictor of {left} stays until the next change: {error}")
        return
    if gone:
        report(f"nothing is sent to it any more, deleted: {', '.join(gone)}")


def _followed(config: Config, warehouse: Warehouse, twin: str, what: str, report: Report) -> bool:
    """Whether every running front acts on the traffic as it is; on a laptop nothing depends on it."""
    now = champion.traffic(warehouse, twin)
    if config.profile == "local" or now is None or fronts.followed(warehouse, now):
        return True
    report(f"a running server has not followed yet: {what} stays until the next change")
    return False


def _versions(config: Config, warehouse: Warehouse, twin: str, *, kept: int) -> set[str]:
    """Model versions of the releases that the traffic names, and of so many earlier champions."""
    if config.profile == "local":
        return set()
    return {one.model_version for one in _releases(warehouse, twin, kept=kept)}


def _releases(warehouse: Warehouse, twin: str, *, kept: int) -> list[Release]:
    """The releases that the traffic names, and so many earlier champions."""
    now = champion.traffic(warehouse, twin)
    return [champion.read_release(warehouse, twin, one) for one in now.named(kept)] if now else []
