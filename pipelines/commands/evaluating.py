"""`twin eval`: is the candidate worth it?"""

from typing import TYPE_CHECKING, Annotated

import typer

from pipelines import output
from pipelines.options import AllowDirty, AsJson, ConfigPath, loaded

if TYPE_CHECKING:
    from components.shared.config import Config


def evaluate(
    twin: Annotated[str, typer.Argument(help="name of the twin")],
    release: Annotated[str | None, typer.Option(help="show the numbers of this stored release")] = None,
    stored: Annotated[bool, typer.Option("--stored", help="show the newest evaluation, run nothing")] = False,
    fail: Annotated[
        bool, typer.Option("--fail", help="exit with code 23 where the gate does not say release")
    ] = False,
    allow_dirty: AllowDirty = False,
    config: ConfigPath = output.DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Train and evaluate what is configured now beside the champion, on the same cases; nothing is released.

    What is unchanged is skipped. Quality, cost, latency, and what the gate would say.
    """
    from pipelines import evaluating

    found = loaded(config)
    if release:
        shown = evaluating.of_release(found, twin, release)
    else:
        if not stored:
            _run(found, twin, allow_dirty=allow_dirty)
        shown = evaluating.newest(found, twin)
    output.emit_json(shown.as_json()) if as_json else evaluating.show(shown)
    if fail:
        evaluating.refuse(shown)


def _run(config: "Config", twin: str, *, allow_dirty: bool) -> None:
    """Pipeline `train`; how far it is goes to standard error, which no program reads as the answer."""
    import sys

    from rich.console import Console

    from pipelines.narrator import Narrator
    from pipelines.runner import run

    narrator = Narrator(console=Console(file=sys.stderr, highlight=False))
    try:
        run("train", config, twin, narrator, allow_dirty=allow_dirty)
    finally:
        narrator.end()
