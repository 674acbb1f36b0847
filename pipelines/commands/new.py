"""`twin new`: a twin to start from."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from pipelines import output
from pipelines.options import AsJson

app = typer.Typer(help="Scaffold a twin.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="name of the twin: small letters, digits, hyphens")]
Folder = Annotated[Path | None, typer.Option(help="where it goes; default: a folder of its name")]


@app.command("classic")
def classic(name: Name, folder: Folder = None, as_json: AsJson = False) -> None:
    """Write a classic twin that runs at once: configuration, dataflow, example data."""
    from pipelines.scaffold_classic import new_classic

    target = folder or Path(name)
    _tell(target, new_classic(name, target), as_json)


@app.command("llm")
def llm(name: Name, folder: Folder = None, as_json: AsJson = False) -> None:
    """Write an LLM twin that runs at once: configuration, documents, prompt, questions."""
    from pipelines.scaffold_llm import new_llm

    target = folder or Path(name)
    _tell(target, new_llm(name, target), as_json)


def _tell(target: Path, paths: list[Path], as_json: bool) -> None:
    written = [str(path) for path in paths]
    if as_json:
        output.emit_json({"written": written})
        return
    following = (
        f"cd {quote(str(target))}",
        "git init && git add . && git commit -m start",
        "twin run end_to_end",
    )
    output.say("\n".join([*written, "", "Next:", *(f"  {line}" for line in following)]))
