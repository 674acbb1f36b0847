"""Options that several commands share."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from components.shared.config import Config

ConfigPath = Annotated[
    Path, typer.Option("--config", "-c", envvar="TWINSTACK_CONFIG", help="configuration file")
]
Overlays = Annotated[
    list[Path] | None,
    typer.Option("--overlay", help="file laid over the configuration; may be given several times"),
]
TwinName = Annotated[str, typer.Option("--twin", "-t", help="name of the twin")]
SomeTwin = Annotated[
    str | None, typer.Option("--twin", "-t", help="name of the twin; default: the only one of its kind")
]
TwinNames = Annotated[
    list[str] | None, typer.Option("--twin", "-t", help="only this twin; may be given several times")
]
AllowDirty = Annotated[
    bool, typer.Option("--allow-dirty", help="train on uncommitted code; the model is marked dirty")
]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
Url = Annotated[str, typer.Option("--url", help="where the twins are served")]
Endpoint = Annotated[
    str | None, typer.Option(help="address of the Kubeflow Pipelines API; default: cluster.kfp.endpoint")
]


def only_twin(config: "Config", kind: str) -> str:
    """The twin of a kind, where nobody names one.

    Raises:
        ConfigError: There is none, or a choice.
    """
    from components.shared.errors import ConfigError

    found = [name for name, twin in config.twins.items() if twin.kind == kind]
    if len(found) == 1:
        return found[0]
    raise ConfigError(
        f"{len(found)} twins are of kind {kind}",
        where="--twin",
        remedy=f"name one of: {', '.join(found)}" if found else f"this command needs a twin of kind {kind}",
    )


def loaded(path: Path, overlays: Sequence[Path] | None = None) -> "Config":
    """The configuration that a command was given, with what is laid over it."""
    from components.shared.config import load

    return load(path, overlays or ())
