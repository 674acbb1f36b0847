"""`twin config`: what the configuration means, or what is wrong with it."""

import typer

from pipelines import output
from pipelines.options import AsJson, ConfigPath, loaded

app = typer.Typer(help="Look at the configuration.", no_args_is_help=True)


@app.command("check")
def check(config: ConfigPath = output.DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Read the configuration with its environment overrides and say what it means, or what is wrong."""

    found = loaded(config)
    twins = [
        {"twin": name, "kind": twin.kind, "description": twin.description}
        for name, twin in found.twins.items()
    ]
    if as_json:
        output.emit_json({"config": found.model_dump(mode="json")})
        return
    output.table("Twins", twins)
    output.say(f"{config} is valid; state lies in {found.state_path}")
