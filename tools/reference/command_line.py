"""The page about `twin`, from its Typer application."""

from collections.abc import Iterator
from typing import Any

import typer

from pipelines.cli import app

INTRO = """# Command line

## The command `twin`
`twin` runs pipelines, serves, asks and releases. Every command has `--help`. With `--json` a command \
prints JSON for programs. The configuration is `twinstack.yaml` in the current folder; `--config` or the \
environment variable `TWINSTACK_CONFIG` names another.

## Exit codes
0 is success. The other codes say which sort of error it was: see [errors](errors.md).
"""


def page() -> str:
    """The whole page: a section a command."""
    return (
        INTRO
        + "\n"
        + "\n".join(_section(path, one) for path, one in _commands("twin", typer.main.get_command(app)))
    )


def _commands(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its words; groups are walked through."""
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from _commands(f"{path} {name}", inner)
    else:
        yield path, command


def _section(path: str, command: Any) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option"]
    usage = " ".join([path, *(str(one.name).upper() for one in arguments)])
    lines = [f"- `{_names(one)}`: {_help(one)}" for one in [*arguments, *options]]
    return f"## `{usage}`\n{' '.join((command.help or '').split())}\n\n" + "\n".join(lines) + "\n"


def _names(one: Any) -> str:
    return ", ".join(one.opts) if one.param_type_name == "option" else str(one.name).upper()


def _help(one: Any) -> str:
    text = getattr(one, "help", None) or "no description"
    default = one.default
    shown = default is not None and not callable(default) and default is not False and not one.required
    return (
        text
        + (f" (default `{default}`)" if shown and default != () else "")
        + ("; required" if one.required else "")
    )
