"""Models that answer elsewhere, named by `http(s)://HOST[:PORT]/PATH#MODEL`."""

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from components.shared.errors import ConfigError
from components.shared.files import write_atomic

#: File of a model version, instead of weights, that says where the model answers.
FILE = "endpoint.json"


@dataclass(frozen=True)
class Endpoint:
    """Where a model answers.

    Attributes:
        base: URL without the fragment and without a slash at its end.
        model: Name of the model there.
    """

    base: str
    model: str


def endpoint(uri: str, where: str = "") -> Endpoint | None:
    """The endpoint that a URI names, or None where it names something else than http(s).

    Args:
        uri: Of a model.
        where: Field that holds it, for the error.

    Raises:
        ConfigError: It is an URL without a model, or with a user name.
    """
    if not uri.startswith(("http://", "https://")):
        return None
    parts = urlsplit(uri)
    if not parts.hostname or not parts.fragment or "@" in parts.netloc:
        raise ConfigError(
            f"'{parts._replace(netloc=parts.hostname or '').geturl()}' names no model at a host",
            where=where,
            remedy="write http(s)://HOST/v1#MODEL; a key comes from an environment variable",
        )
    return Endpoint(parts._replace(fragment="").geturl().rstrip("/"), parts.fragment)


def keep(folder: Path, uri: str) -> None:
    """Write into the folder of a model version where the model answers."""
    write_atomic(folder / FILE, json.dumps({"model": uri}))


def kept(folder: Path) -> Endpoint | None:
    """Where the model of a model version answers; None where its files are in the folder."""
    path = folder / FILE
    return (
        endpoint(json.loads(path.read_text(encoding="utf-8"))["model"], str(path)) if path.exists() else None
    )
