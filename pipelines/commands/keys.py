"""`twin keys`: API keys for the fronts and the operations API."""

from typing import Annotated, Any

import typer

from pipelines import output
from pipelines.options import AsJson

app = typer.Typer(help="API keys.", no_args_is_help=True)


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(metavar="ID", help="name of the key: who or what will use it")],
    role: Annotated[
        list[str] | None,
        typer.Option(help="caller, labeler, viewer, operator, alerts or admin; may be repeated"),
    ] = None,
    twin: Annotated[
        list[str] | None, typer.Option("--twin", "-t", help="only this twin; may be repeated")
    ] = None,
    rate: Annotated[int | None, typer.Option(help="most requests of a minute")] = None,
    concurrency: Annotated[int | None, typer.Option(help="most requests at a time")] = None,
    tokens: Annotated[int | None, typer.Option(help="most tokens of a day")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key: it is printed once and stored nowhere; its entry for the secret file holds a hash."""
    import yaml

    from components.shared.identity import hash_of, new_key

    made = new_key()
    fields = _entry(
        id=name,
        hash=hash_of(made),
        roles=role or ["caller"],
        twins=twin or [],
        requests_per_minute=rate,
        concurrency=concurrency,
        tokens_per_day=tokens,
    )
    if as_json:
        output.emit_json({"key": made, "entry": fields})
        return
    output.say(f"key, shown this once: {made}\n\nentry for the file that serving.keys.file names:\n")
    output.say(yaml.safe_dump([fields], sort_keys=False).rstrip())


def _entry(**words: Any) -> dict[str, Any]:
    """The fields of a key that are not as by default.

    Raises:
        ConfigError: One of them is wrong.
    """
    from pydantic import ValidationError

    from components.shared.errors import ConfigError
    from components.shared.identity import Key

    try:
        return Key.model_validate(words).model_dump(mode="json", exclude_defaults=True)
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        raise ConfigError(
            f"{wrong['loc'][0]} is {wrong['input']!r}: {wrong['msg']}", remedy="see `twin keys new --help`"
        ) from None
