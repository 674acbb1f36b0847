"""The `twin` command: run, serve, ask, release, roll back."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines import keys, output, records
from pipelines.options import AllowDirty, AsJson, ConfigPath, Endpoint, Overlays, TwinName, TwinNames, Url

app = typer.Typer(
    name="twin",
    help="Classic models and LLMs through the same pipelines, gates and endpoints.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
config_app = typer.Typer(help="Look at the configuration.", no_args_is_help=True)
new_app = typer.Typer(help="Scaffold a twin.", no_args_is_help=True)
app.add_typer(config_app, name="config")
app.add_typer(new_app, name="new")
app.add_typer(keys.app, name="keys")
app.command("lineage")(records.lineage)
app.add_typer(records.labels_app, name="labels")
app.add_typer(records.feedback_app, name="feedback")
app.add_typer(records.interactions_app, name="interactions")


@config_app.command("check")
def config_check(config: ConfigPath = output.DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Read the configuration with its environment overrides and say what it means, or what is wrong."""
    from components.shared.config import load

    found = load(config)
    twins = [
        {"twin": name, "kind": twin.kind, "description": twin.description}
        for name, twin in found.twins.items()
    ]
    if as_json:
        output.emit_json({"config": found.model_dump(mode="json")})
        return
    output.table("Twins", twins)
    output.say(f"{config} is valid; state lies in {found.state_path}")


@app.command()
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
    from components.shared.config import load
    from pipelines import summary
    from pipelines.narrator import Narrator
    from pipelines.runner import run as run_pipeline

    found = load(config)
    if serve_after:
        _require_port(found)  # now, not after minutes of work
    narrator = Narrator(as_json)
    records = []
    for name in twin or list(found.twins):
        try:
            records += run_pipeline(pipeline, found, name, narrator, allow_dirty=allow_dirty)
        finally:
            narrator.end()
    if pipeline == "end_to_end" and not as_json:
        summary.show(found, records)
    if serve_after:
        from components.serving.server import serve as serve_twins

        serve_twins(found, twin)


@app.command("compile")
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

    if for_cluster:
        paths = compiler.compile_for_cluster(folder, _load(config, overlay).cluster)
    else:
        paths = compiler.compile_all(folder)
    written = [str(path) for path in paths]
    output.emit_json({"written": written}) if as_json else output.say("\n".join(written))


@app.command()
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

    target = submission.reached(_load(config, overlay), endpoint)
    names = twin or list(target.config.twins)
    if cron:
        _scheduled([submission.schedule(target, pipeline, name, cron) for name in names], as_json)
        return
    narrator = Narrator(as_json)
    runs = []
    for name in names:
        runs.append(submission.submit(target, pipeline, name, allow_dirty=allow_dirty))
        narrator.submitted(runs[-1])
    if follow:
        following.follow_all(target.server, runs, narrator)


@app.command()
def recurring(
    config: ConfigPath = output.DEFAULT_CONFIG,
    overlay: Overlays = None,
    endpoint: Endpoint = None,
    as_json: AsJson = False,
) -> None:
    """Bring the recurring runs on the server to the list in `cluster.recurring`."""
    from pipelines import submission

    _scheduled(submission.schedule_all(submission.reached(_load(config, overlay), endpoint)), as_json)


@app.command()
def serve(
    twin: TwinNames = None,
    config: ConfigPath = output.DEFAULT_CONFIG,
    host: Annotated[str | None, typer.Option(help="address to listen on; default: serving.host")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen on; default: serving.port")] = None,
) -> None:
    """Serve the champions of all twins, or of the named ones, in one KServe process until Ctrl-C."""
    from components.serving.server import serve as serve_twins
    from components.shared.config import load

    serve_twins(load(config), twin, host, port)


@app.command()
def console(
    config: ConfigPath = output.DEFAULT_CONFIG,
    host: Annotated[str | None, typer.Option(help="address to listen on; default: console.host")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen on; default: console.port")] = None,
) -> None:
    """Serve the operations API until Ctrl-C: alerts, approvals, sources, runs."""
    from components.console.server import serve as serve_console
    from components.shared.config import load

    serve_console(load(config), config, host, port)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="what you want to know")],
    twin: TwinName = "docs",
    url: Url = output.DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Ask an LLM twin that is being served; the answer streams, its sources follow."""
    from pipelines.talk import ask as ask_twin

    ask_twin(url, twin, question, as_json=as_json)


@app.command()
def predict(
    keys: Annotated[list[str], typer.Argument(help="entity ids, for example A0001")],
    twin: TwinName = "credit",
    config: ConfigPath = output.DEFAULT_CONFIG,
    url: Url = output.DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Predict for entities by id with a classic twin that is being served."""
    from components.shared.config import load
    from pipelines.talk import predict as predict_twin

    predict_twin(load(config), url, twin, keys, as_json=as_json)


@app.command()
def releases(
    twin: TwinNames = None, config: ConfigPath = output.DEFAULT_CONFIG, as_json: AsJson = False
) -> None:
    """List the releases of every twin, or of the named ones; the champion is marked."""
    from pipelines import traffic

    rows = traffic.listed(_load(config), twin)
    output.emit_json({"releases": rows}) if as_json else output.table("Releases", rows)


@app.command()
def promote(
    release: Annotated[str, typer.Argument(help="id of a release, see `twin releases`")],
    twin: TwinName,
    config: ConfigPath = output.DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Let a stored release answer: an approval, or a choice of another champion."""
    from pipelines import traffic

    _told(traffic.promoted(_load(config), twin, release, output.note), as_json)


@app.command()
def rollback(twin: TwinName, config: ConfigPath = output.DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Let the release before the champion answer again."""
    from pipelines import traffic

    _told(traffic.rolled_back(_load(config), twin, output.note), as_json)


@app.command("traffic")
def traffic_of(
    twin: Annotated[str, typer.Argument(help="name of the twin")],
    canary: Annotated[str | None, typer.Option(help="release that answers a share of the callers")] = None,
    shadow: Annotated[
        str | None, typer.Option(help="release that answers a share of the requests for the record only")
    ] = None,
    share: Annotated[
        float | None, typer.Option(help="share of the canary or shadow; default: 0.1, of a shadow 1")
    ] = None,
    fallback: Annotated[
        str | None, typer.Option(help="built-in, none, or a release that answers where another cannot")
    ] = None,
    clear: Annotated[bool, typer.Option(help="end canary and shadow; the fallback is the built-in")] = False,
    config: ConfigPath = output.DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show which releases answer for a twin, and what the running fronts have open; or change it."""
    from pipelines import traffic

    parts = traffic.parts(canary=canary, shadow=shadow, share=share, fallback=fallback, clear=clear)
    found = _load(config)
    now = traffic.changed(found, twin, parts, output.note) if parts else traffic.shown(found, twin)
    output.emit_json(now) if as_json else output.say(traffic.described(now))


@app.command()
def drift(
    reference: Annotated[Path, typer.Option(help="Parquet or CSV file to compare with")],
    current: Annotated[Path, typer.Option(help="Parquet or CSV file that may have drifted")],
    column: Annotated[list[str] | None, typer.Option(help="only this column; may be repeated")] = None,
    bins: Annotated[int, typer.Option(min=2, max=100, help="quantile bins of a number")] = 10,
    false_alarm_rate: Annotated[
        float, typer.Option(min=0.001, max=0.5, help="share of false alarms that the thresholds are made for")
    ] = 0.01,
    smallest_psi: Annotated[
        float, typer.Option(min=0, max=10, help="drift below this PSI is not worth attention")
    ] = 0.1,
    html: Annotated[Path | None, typer.Option(help="file that receives a page with plots")] = None,
    fail_on_drift: Annotated[bool, typer.Option(help="exit with code 20 where a column drifted")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare two tables column by column: PSI, JS and KS, each with a threshold for its number of rows."""
    from components.dataflows.drift_window import Rule
    from pipelines import drift as command

    rule = Rule(false_alarm_rate, smallest_psi, seed=0)
    made = command.compare(reference, current, columns=column or [], bins=bins, rule=rule, html=html)
    output.emit_json(made) if as_json else command.show(made)
    if fail_on_drift:
        command.refuse(made)


@new_app.command("classic")
def new_classic(
    name: Annotated[str, typer.Argument(help="name of the twin: small letters, digits, hyphens")],
    folder: Annotated[Path | None, typer.Option(help="where it goes; default: a folder of its name")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a classic twin that runs at once: configuration, dataflow, example data."""
    from pipelines.scaffold import new_classic as scaffold

    target = folder or Path(name)
    written = [str(path) for path in scaffold(name, target)]
    if as_json:
        output.emit_json({"written": written})
        return
    output.say(
        "\n".join([*written, "", "Next:", f"  cd {target}", "  git init && git add . && git commit -m start"])
    )
    output.say("  twin run end_to_end")


def _scheduled(rows: list[dict[str, str]], as_json: bool) -> None:
    output.emit_json({"recurring": rows}) if as_json else output.table("Recurring runs", rows)


def _require_port(config: Any) -> None:
    from components.serving.rest import listen

    listen(config.serving.host, config.serving.port).close()


def _load(path: Path, overlays: list[Path] | None = None) -> Any:
    from components.shared.config import load

    return load(path, overlays or ())


def _told(row: dict[str, str], as_json: bool) -> None:
    output.emit_json(row) if as_json else output.say(f"{row['twin']}: release {row['release']} answers")


def main() -> None:
    """Entry point: errors as one line on standard error, with an exit code that means something."""
    from components.shared.errors import TwinError

    try:
        app()
    except TwinError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
