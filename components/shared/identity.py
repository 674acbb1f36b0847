"""API keys: entries with a hash, roles and limits, and how a presented key is found among them.

A key is 256 random bits, so a plain SHA-256 is as good as a slow password hash: there is nothing to guess.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from components.shared import yaml_text
from components.shared.config.base import Settings
from components.shared.config.root import Config
from components.shared.errors import ConfigError, RequestError

#: `caller` asks twins and gives feedback; `labeler` sends labels; `viewer` reads the operations API;
#: `operator` changes traffic, approves and starts runs; `alerts` posts Alertmanager's webhook; `admin` may
#: do everything.
Role = Literal["caller", "labeler", "viewer", "operator", "alerts", "admin"]

#: Start of every key, so that a scanner for leaked secrets recognises it.
PREFIX = "twk_"

#: Longest presented key that is looked at.
MAX_PRESENTED = 200

SCHEME = "sha256:"

#: Hash of no key: compared against where there is no entry, so that a miss takes as long as a hit.
NOBODY = SCHEME + "0" * 64


class AuthenticationError(RequestError):
    """No API key was presented, or one that nobody has."""

    http_status = 401
    kind = "authentication_error"


class ForbiddenError(RequestError):
    """The API key is known, and may not do this."""

    http_status = 403
    kind = "permission_error"


class Key(Settings):
    """One API key as it is stored: never the key itself, only its hash."""

    id: str = Field(pattern=r"^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$")
    """Its name in logs, interactions and budgets."""
    hash: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    """`sha256:` and the hexadecimal digest of the key."""
    roles: Annotated[tuple[Role, ...], Field(min_length=1)] = ("caller",)
    """What it may do."""
    twins: tuple[str, ...] = ()
    """Twins that it may ask, and whose records, sources and runs it may reach; empty means all."""
    requests_per_minute: int | None = Field(default=None, ge=1)
    """Most requests of a minute, spread over it."""
    concurrency: int | None = Field(default=None, ge=1)
    """Most requests at a time."""
    tokens_per_day: int | None = Field(default=None, ge=1)
    """Most tokens, read and generated, of a UTC day."""

    def may(self, role: Role) -> bool:
        """Whether it has a role."""
        return role in self.roles or "admin" in self.roles

    def require(self, role: Role, what: str) -> None:
        """Make sure that it has a role.

        Raises:
            ForbiddenError: It has not; `what` says what was tried.
        """
        if not self.may(role):
            raise ForbiddenError(
                f"key '{self.id}' may not {what}: it has no role '{role}'",
                param="authorization",
                remedy="use another key, or give this one the role",
            )

    def reaches(self, twin: str) -> bool:
        """Whether it may ask a twin, and see what belongs to it."""
        return not self.twins or twin in self.twins

    def require_twin(self, twin: str) -> None:
        """Make sure that it may ask a twin, whether there is one of the name or not.

        Raises:
            ForbiddenError: It is for other twins.
        """
        if not self.reaches(twin):
            raise ForbiddenError(
                f"key '{self.id}' is not for twin '{twin[:60]}'",
                param="authorization",
                remedy="use another key",
            )


class Keyring:
    """The keys of a server.

    Args:
        keys: Entries, each of another id and another hash.

    Raises:
        ConfigError: Two entries share an id or a hash.
    """

    def __init__(self, keys: Sequence[Key] = ()) -> None:
        self._by_hash = {one.hash: one for one in keys}
        self.keys = tuple(keys)
        self.ids = frozenset(one.id for one in keys)
        if len(self.ids) < len(keys) or len(self._by_hash) < len(keys):
            raise ConfigError(
                "two API keys share an id or a hash", where="serving.keys", remedy="make them different"
            )

    def __bool__(self) -> bool:
        """Whether there is any key."""
        return bool(self.keys)

    def find(self, presented: str) -> Key | None:
        """The entry of a presented key, or None. The time it takes says nothing about the keys."""
        hashed = hash_of(presented[:MAX_PRESENTED])
        found = self._by_hash.get(hashed)
        return found if hmac.compare_digest(hashed, found.hash if found else NOBODY) else None

    def identify(self, presented: str | None) -> Key:
        """The entry of a presented key.

        Raises:
            AuthenticationError: There is none, or nobody has it.
        """
        found = self.find(presented) if presented else None
        if found is None:
            raise AuthenticationError(
                "no API key was sent" if not presented else "nobody has this API key",
                param="authorization",
                remedy="send the header 'authorization: Bearer KEY'",
            )
        return found


def presented(headers: Mapping[bytes, bytes]) -> str | None:
    """The key of a request, from `authorization: Bearer KEY` or `x-api-key: KEY`; None where there is none.

    Args:
        headers: Names in small letters, as ASGI has them.
    """
    scheme, _, bearer = headers.get(b"authorization", b"").partition(b" ")
    found = bearer.strip() if scheme.lower() == b"bearer" else headers.get(b"x-api-key", b"").strip()
    return found.decode("latin-1") or None


def hash_of(key: str) -> str:
    """How a key is stored."""
    return SCHEME + hashlib.sha256(key.encode()).hexdigest()


def new_key() -> str:
    """A key that nobody has: 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def read_keys(config: Config, environment: Mapping[str, str] | None = None) -> Keyring:
    """The keys that the configuration names; an empty ring where it names no place.

    Args:
        config: The configuration.
        environment: Environment variables; None takes the process's.

    Raises:
        ConfigError: The place cannot be read, holds no entries, or a wrong one. The text is never repeated.
    """
    places = config.serving.keys
    found: list[Key] = []
    if places.file:
        found += _parsed(_text(config.path(places.file)), "serving.keys.file")
    if places.environment:
        variables = os.environ if environment is None else environment
        if places.environment not in variables:
            raise ConfigError(
                f"environment variable {places.environment} is not set",
                where="serving.keys.environment",
                remedy="set it to the entries, as `twin keys new ID` prints them",
            )
        found += _parsed(variables[places.environment], "serving.keys.environment")
    return Keyring(found)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"cannot read the API keys: {getattr(error, 'strerror', None) or 'not UTF-8'}",
            where=f"serving.keys.file {path}",
            remedy="mount the secret there",
        ) from error


def _parsed(text: str, where: str) -> list[Key]:
    """Entries of a YAML or JSON list; a mapping with the one field `keys` will do as well."""
    try:
        values = yaml_text.read(text)
        if isinstance(values, dict) and set(values) == {"keys"}:
            values = values["keys"]
        found = TypeAdapter(list[Key]).validate_python(values)
    except yaml_text.NotYamlError:
        raise ConfigError("the API keys are not YAML", where=where, remedy="mend them") from None
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in wrong["loc"])
        raise ConfigError(
            f"the API keys are wrong at {place or 'the top'}: {wrong['msg']}",
            where=where,
            remedy="write a list of entries, as `twin keys new ID` prints them",
        ) from None
    if not found:
        raise ConfigError("there is no API key", where=where, remedy="add one, or name no place for keys")
    return found
