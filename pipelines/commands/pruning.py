"""`twin prune`: what a cluster still holds for twins that are gone."""

from typing import Annotated

import typer

from pipelines import output
from pipelines.options import AsJson, ConfigPath, loaded


def prune(
    twins: Annotated[
        list[str] | None, typer.Argument(help="twins that are gone; default for a list: all of them")
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", help="delete it; without, it is only listed")] = False,
    config: ConfigPath = output.DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """List what a cluster holds for twins that are not in the configuration: predictors and claims."""
    from pipelines.pruning import pruned

    rows = pruned(loaded(config), twins or (), deleting=delete)
    if as_json:
        output.emit_json({"objects": rows})
    elif rows:
        output.table("Deleted" if delete else "Nothing is deleted without --delete", rows)
    else:
        output.say("nothing is left behind")
