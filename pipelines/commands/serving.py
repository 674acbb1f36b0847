"""`twin serve`, `console`, `ask`, `predict`: what answers, and asking it."""

from typing import Annotated

import typer

from pipelines import output
from pipelines.options import AsJson, ConfigPath, SomeTwin, TwinNames, Url, loaded, only_twin


def serve(
    twin: TwinNames = None,
    config: ConfigPath = output.DEFAULT_CONFIG,
    host: Annotated[str | None, typer.Option(help="address to listen on; default: serving.host")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="port to listen on; default: serving.port")
    ] = None,
) -> None:
    """Serve the champions of all twins, or of the named ones, in one KServe process until Ctrl-C."""
    from components.serving.server import serve as serve_twins

    serve_twins(loaded(config), twin, host, port)


def console(
    config: ConfigPath = output.DEFAULT_CONFIG,
    host: Annotated[str | None, typer.Option(help="address to listen on; default: console.host")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="port to listen on; default: console.port")
    ] = None,
) -> None:
    """Serve the operations API until Ctrl-C: alerts, approvals, sources, runs."""
    from components.console.server import serve as serve_console

    serve_console(loaded(config), config, host, port)


def ask(
    question: Annotated[str, typer.Argument(help="what you want to know")],
    twin: SomeTwin = None,
    config: ConfigPath = output.DEFAULT_CONFIG,
    url: Url = output.DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Ask an LLM twin that is being served; the answer streams, its sources follow."""
    from pipelines.talk import ask as ask_twin

    ask_twin(url, twin or only_twin(loaded(config), "llm"), question, as_json=as_json)


def predict(
    keys: Annotated[list[str], typer.Argument(help="entity ids, for example A0001")],
    twin: SomeTwin = None,
    config: ConfigPath = output.DEFAULT_CONFIG,
    url: Url = output.DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Predict for entities by id with a classic twin that is being served."""
    from pipelines.talk import predict as predict_twin

    found = loaded(config)
    predict_twin(found, url, twin or only_twin(found, "classic"), keys, as_json=as_json)
