"""`twin run`, `compile`, `submit`, `recurring`: pipelines here and on Kubeflow Pipelines."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines import output
from pipelines.options import AllowDirty, AsJson, ConfigPath, Endpoint, Overlays, TwinNames, loaded

if TYPE_CHECKING:
    from components.shared.config import Config


def run(
    pipeline: Annotated[str, typer.Argument(help="collect, features, train, release, monitor or end_to_end")],
    twin: TwinNames = None,
    config: ConfigPath = output.DEFAULT_CONFIG,
    allow_dirty: AllowDirty = False,
    serve_after: Annotated[
        bool, typer.Option("--serve", help="serve the twins afterwards, until Ctrl-C")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a compiled pipeline on this machine; what is unchanged is skipped, an interrupted run resumes."""
    from pipelines import summary
    from pipelines.narrator import Narrator
    from pipelines.runner import run as run_pipeline

    found = loaded(config)
    if serve_after:
        _require_port(found)  # now, not after minutes of work
    narrator = Narrator(as_json)
    records = []
    for name in twin or list(found.twins):
        try:
            records += run_pipeline(pipeline, found, name, narrator, allow_dirty=allow_dirty)
        except KeyboardInterrupt:
            narrator.end()
            output.note("interrupted: finished stages are kept, and the same command goes on from there")
            raise
        finally:
            narrator.end()
    if pipeline == "end_to_end" and not as_json:
        summary.show(found, records)
    if serve_after:
        from components.serving.server import serve as serve_twins

        serve_twins(found, twin)


def compile_pipelines(
    folder: Annotated[Path, typer.Option("--output", help="folder that receives the YAML files")] = Path(
        "compiled"
    ),
    for_cluster: Annotated[
        bool, typer.Option("--cluster", help="with the settings of the configuration's section `cluster`")
    ] = False,
    config: ConfigPath = output.DEFAULT_CONFIG,
    overlay: Overlays = None,
    as_json: AsJson = False,
) -> None:
    """Compile every pipeline for both kinds to KFP YAML, ready to upload; also as Kubernetes objects."""
    from pipelines import compiler

    _require_folder(folder)
    if for_cluster:
        paths = compiler.compile_for_cluster(folder, loaded(config, overlay).cluster)
    else:
        paths = compiler.compile_all(folder)
    written = [str(path) for path in paths]
    output.emit_json({"written": written}) if as_json else output.say("\n".join(written))


def submit(
    pipeline: Annotated[str, typer.Argument(help="collect, features, train, release, monitor or end_to_end")],
    twin: TwinNames = None,
    config: ConfigPath = output.DEFAULT_CONFIG,
    overlay: Overlays = None,
    endpoint: Endpoint = None,
    cron: Annotated[
        str | None, typer.Option(help="make or change a recurring run instead, in UTC: '0 3 * * *'")
    ] = None,
    follow: Annotated[bool, typer.Option(help="wait for the end and tell what happens")] = True,
    allow_dirty: AllowDirty = False,
    as_json: AsJson = False,
) -> None:
    """Upload a pipeline to Kubeflow Pipelines, run it there and follow it; a failed run exits with 21."""
    from pipelines import following, submission
    from pipelines.narrator import Narrator

    target = submission.reached(loaded(config, overlay), endpoint)
    names = twin or list(target.config.twins)
    if cron:
        _scheduled([submission.schedule(target, pipeline, name, cron) for name in names], as_json)
        return
    narrator = Narrator(as_json, explains=True)
    runs = []
    for name in names:
        runs.append(submission.submit(target, pipeline, name, allow_dirty=allow_dirty))
        narrator.submitted(runs[-1])
    if follow:
        following.follow_all(target.server, runs, narrator)


def recurring(
    config: ConfigPath = output.DEFAULT_CONFIG,
    overlay: Overlays = None,
    endpoint: Endpoint = None,
    as_json: AsJson = False,
) -> None:
    """Bring the recurring runs on the server to the list in `cluster.recurring`."""
    from pipelines import submission

    _scheduled(submission.schedule_all(submission.reached(loaded(config, overlay), endpoint)), as_json)


def _scheduled(rows: list[dict[str, str]], as_json: bool) -> None:
    output.emit_json({"recurring": rows}) if as_json else output.table("Recurring runs", rows)


def _require_folder(folder: Path) -> None:
    from components.shared.errors import ConfigError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"the folder cannot be made: {error.strerror}",
            where=f"--output {folder}",
            remedy="name one that can be written",
        ) from error


def _require_port(config: "Config") -> None:
    from components.serving.rest import listen

    listen(config.serving.host, config.serving.port).close()
