"""The `twin` command: its groups of commands put together, and what an error looks like."""

from collections.abc import Callable
from typing import Annotated

import typer

from pipelines import output
from pipelines.commands import (
    config,
    drift,
    evaluating,
    keys,
    new,
    pruning,
    records,
    releases,
    running,
    serving,
)

app = typer.Typer(
    name="twin",
    help="Classic models and LLMs through the same pipelines, gates and endpoints.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS: dict[str, Callable[..., None]] = {
    "run": running.run,
    "compile": running.compile_pipelines,
    "submit": running.submit,
    "recurring": running.recurring,
    "serve": serving.serve,
    "console": serving.console,
    "ask": serving.ask,
    "predict": serving.predict,
    "eval": evaluating.evaluate,
    "releases": releases.releases,
    "promote": releases.promote,
    "rollback": releases.rollback,
    "traffic": releases.traffic,
    "prune": pruning.prune,
    "lineage": records.lineage,
    "drift": drift.drift,
}
GROUPS: dict[str, typer.Typer] = {
    "config": config.app,
    "new": new.app,
    "keys": keys.app,
    "labels": records.labels_app,
    "feedback": records.feedback_app,
    "interactions": records.interactions_app,
}
for name, command in COMMANDS.items():
    app.command(name)(command)
for name, group in GROUPS.items():
    app.add_typer(group, name=name)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        output.say(f"twinstack {version('twinstack')}")
        raise typer.Exit


@app.callback()
def top(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Classic models and LLMs through the same pipelines, gates and endpoints."""


def main() -> None:
    """Entry point: errors as one line on standard error, with an exit code that means something."""
    from components.shared.errors import exit_on_error

    with exit_on_error():
        app()


if __name__ == "__main__":
    main()
