"""`twin new`: a twin to start from."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines import output
from pipelines.options import AsJson

app = typer.Typer(help="Scaffold a twin.", no_args_is_help=True)


@app.command("classic")
def classic(
    name: Annotated[str, typer.Argument(help="name of the twin: small letters, digits, hyphens")],
    folder: Annotated[Path | None, typer.Option(help="where it goes; default: a folder of its name")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a classic twin that runs at once: configuration, dataflow, example data."""
    from pipelines.scaffold import new_classic

    target = folder or Path(name)
    written = [str(path) for path in new_classic(name, target)]
    if as_json:
        output.emit_json({"written": written})
        return
    output.say(
        "\n".join([*written, "", "Next:", f"  cd {target}", "  git init && git add . && git commit -m start"])
    )
    output.say("  twin run end_to_end")
