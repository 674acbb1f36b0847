"""`twin ask` and `twin predict`: served twins from the command line."""

import sys
from collections.abc import Sequence

from components.serving import client
from components.shared.config import ClassicTwin, Config
from components.shared.errors import ConfigError
from pipelines import output


def ask(url: str, twin: str, question: str, *, as_json: bool) -> None:
    """Stream the answer, then name the chunks it was given."""
    if as_json:
        output.emit_json(client.ask_once(url, twin, question))
        return
    for part in client.ask(url, twin, question):
        if isinstance(part, str):
            sys.stdout.write(part)
            sys.stdout.flush()
            continue
        output.say("\n")
        for number, one in enumerate(part["citations"], start=1):
            output.say(f"[{number}] {one['path']}  {one['heading']}")


def predict(config: Config, url: str, twin: str, keys: Sequence[str], *, as_json: bool) -> None:
    """Predict for entities by id."""
    found = config.twin(twin)
    if not isinstance(found, ClassicTwin):
        raise ConfigError(f"twin '{twin}' is of kind {found.kind}", where="--twin", remedy="use `twin ask`")
    answers = client.predict(url, twin, [{found.table.key: key} for key in keys])
    if as_json:
        output.emit_json({"predictions": answers})
        return
    output.table(twin, [{found.table.key: key, **one} for key, one in zip(keys, answers, strict=True)])
