"""`twin releases`, `promote`, `rollback`, `traffic`: which release answers."""

from typing import Annotated

import typer

from pipelines import output
from pipelines.options import AsJson, ConfigPath, TwinName, TwinNames, loaded


def releases(
    twin: TwinNames = None, config: ConfigPath = output.DEFAULT_CONFIG, as_json: AsJson = False
) -> None:
    """List the releases of every twin, or of the named ones; the champion is marked."""
    from pipelines import traffic

    rows = traffic.listed(loaded(config), twin)
    output.emit_json({"releases": rows}) if as_json else output.table("Releases", rows)


def promote(
    release: Annotated[str, typer.Argument(help="id of a release, see `twin releases`")],
    twin: TwinName,
    config: ConfigPath = output.DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Let a stored release answer: an approval, or a choice of another champion."""
    from pipelines import traffic

    _told(traffic.promoted(loaded(config), twin, release, output.note), as_json)


def rollback(
    twin: TwinName,
    left: Annotated[
        str, typer.Option("--from", help="roll back only if this release is the champion; safe to repeat")
    ] = "",
    config: ConfigPath = output.DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Let the release before the champion answer again."""
    from pipelines import traffic

    _told(traffic.rolled_back(loaded(config), twin, output.note, left=left), as_json)


def traffic(
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
    found = loaded(config)
    now = traffic.changed(found, twin, parts, output.note) if parts else traffic.shown(found, twin)
    output.emit_json(now) if as_json else output.say(traffic.described(now))


def _told(row: dict[str, str], as_json: bool) -> None:
    output.emit_json(row) if as_json else output.say(f"{row['twin']}: release {row['release']} answers")
