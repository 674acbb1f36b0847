"""Pipelines on a Kubeflow Pipelines server: uploaded, started, scheduled."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from components.adapters.kfp.recurring import Recurring, Schedule
from components.adapters.kfp.server import KfpServer, Uploaded
from components.shared.config import Config, dump
from components.shared.config.kfp import Kfp
from components.shared.errors import ConfigError

#: Folder of what a stage fetches and caches. The project in an image belongs to root, the stage to nobody.
STATE = "/tmp/twinstack"  # noqa: S108 - a pod has it for itself

#: Fields of a cron expression that KFP reads: seconds come first.
CRON_FIELDS = 6


@dataclass(frozen=True)
class Target:
    """A configuration and the server that its pipelines go to."""

    config: Config
    server: KfpServer


def reached(config: Config, endpoint: str | None = None) -> Target:
    """The server that the configuration names, or another one, without a token file that is not here.

    Raises:
        ConfigError: The configuration is that of a laptop.
    """
    if config.profile != "cluster":
        raise ConfigError(
            "profile 'local' keeps its state in a folder that no other pod sees",
            where="profile",
            remedy="set profile to cluster and name a URI for every store, in the file or with --overlay",
        )
    kfp = config.cluster.kfp
    if endpoint:
        # The file lies in a pod; who reaches the server from elsewhere, by a port-forward, needs no token.
        file = kfp.token_file if Path(kfp.token_file).is_file() else ""
        kfp = kfp.model_copy(update={"endpoint": endpoint.rstrip("/"), "token_file": file})
    return Target(config, KfpServer(kfp))


@dataclass(frozen=True)
class Submitted:
    """A run on the server."""

    pipeline: str
    twin: str
    run: str
    version: str
    uploaded: str
    link: str


def submit(target: Target, pipeline: str, twin: str, *, allow_dirty: bool = False) -> Submitted:
    """Upload a pipeline, unless the server has the same content, and start a run of it.

    Raises:
        ConfigError: There is no such pipeline or twin.
        PipelinesError: The server refuses, or does not answer.
    """
    uploaded, version = _uploaded(target, pipeline, twin)
    name = f"{pipeline}-{twin}-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    account = target.config.cluster.service_accounts.pipelines
    run = target.server.run(name, uploaded, _arguments(target.config, twin, allow_dirty), account)
    state = "new" if uploaded.new else "unchanged"
    return Submitted(pipeline, twin, run, version, state, target.server.link("runs", run))


def schedule(
    target: Target, pipeline: str, twin: str, cron: str, *, name: str = "", enabled: bool = True
) -> dict[str, str]:
    """Upload a pipeline, unless the server has the same content, and bring its recurring run to `cron`.

    With a name it is one of `cluster.recurring`, and goes when it leaves that list; without, a person's, and
    stays.

    Raises:
        ConfigError: There is no such pipeline or twin.
        PipelinesError: The server refuses, or does not answer.
    """
    uploaded, version = _uploaded(target, pipeline, twin)
    wanted = Schedule(
        name or f"{pipeline.replace('_', '-')}-{twin}",
        with_seconds(cron),
        uploaded,
        _arguments(target.config, twin, allow_dirty=False),
        target.config.cluster.service_accounts.pipelines,
        enabled,
        managed=bool(name),
    )
    made, change = Recurring(target.server).bring(wanted)
    return {
        "recurring run": wanted.name,
        "pipeline": pipeline,
        "twin": twin,
        "cron": wanted.cron,
        "version": version,
        "change": change,
        "link": target.server.link("recurringrun", made),
    }


def schedule_all(target: Target) -> list[dict[str, str]]:
    """Bring the server's recurring runs to `cluster.recurring`; those that left the list are deleted."""
    wanted = target.config.cluster.recurring
    rows = [
        schedule(target, one.pipeline, one.twin, one.cron, name=name, enabled=one.enabled)
        for name, one in wanted.items()
    ]
    empty = dict.fromkeys(("pipeline", "twin", "cron", "version"), "")
    removed = Recurring(target.server).prune(set(wanted))
    return [*rows, *({"recurring run": name, **empty, "change": "deleted", "link": ""} for name in removed)]


def with_seconds(cron: str) -> str:
    """A cron expression as KFP reads it, from one with five fields or six.

    Raises:
        ConfigError: It has another number of fields.
    """
    fields = cron.split()
    if len(fields) == CRON_FIELDS - 1:
        fields = ["0", *fields]
    if len(fields) != CRON_FIELDS:
        raise ConfigError(
            f"'{cron}' has {len(fields)} fields",
            where="--cron",
            remedy="use five, as in crontab: '0 3 * * *'",
        )
    return " ".join(fields)


def _uploaded(target: Target, pipeline: str, twin: str) -> tuple[Uploaded, str]:
    """The pipeline on the server, and the name of its version."""
    from pipelines.compiler import package_of, version_name
    from pipelines.recipes import RECIPES, SUMMARIES

    kind = target.config.twin(twin).kind
    if pipeline not in RECIPES:
        raise ConfigError(f"no pipeline '{pipeline}'", remedy=f"use one of: {', '.join(sorted(RECIPES))}")
    package = package_of(pipeline, kind, target.config.cluster)
    version = version_name(package)
    name = f"{pipeline.replace('_', '-')}-{kind}"
    return target.server.upload(name, version, package, SUMMARIES[pipeline]), version


def _arguments(config: Config, twin: str, allow_dirty: bool) -> dict[str, Any]:
    """Parameters of the pipeline; paths start from the project inside the images.

    How the server is reached and what recurs is no business of a stage, and would change every recurring run
    with every entry of the list.
    """
    cluster = config.cluster.model_copy(update={"kfp": Kfp(), "recurring": {}})
    there = config.model_copy(update={"root": cluster.project, "state": STATE, "cluster": cluster})
    return {"config": dump(there), "twin": twin, "allow_dirty": allow_dirty}
