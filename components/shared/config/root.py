"""The whole of `twinstack.yaml`, its environment overrides, and its errors."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from components.shared.config.access import Breaker, Fleet, Keys, Limits
from components.shared.config.base import Settings
from components.shared.config.classic import ClassicTwin
from components.shared.config.cluster import Cluster
from components.shared.config.console import Console
from components.shared.config.interactions import Interactions
from components.shared.config.links import Links
from components.shared.config.llm import LlmTwin
from components.shared.errors import ConfigError, UnknownTwinError

Kind = Literal["classic", "llm"]
Twin = Annotated[ClassicTwin | LlmTwin, Field(discriminator="kind")]
TwinName = Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$")]


#: A password in an URI, or in an URI inside its query.
SECRET = re.compile(r"://[^/?#@]*:[^/?#@]+@")


class Stores(Settings):
    """Where state lies: one URI a system. An empty one means: inside `state`."""

    warehouse: str = ""
    """`sqlite:///PATH`, `postgresql://USER@HOST:PORT/DATABASE`, or `mongodb://HOST:PORT/DATABASE?replicaSet=NAME`.
    The password comes from `PGPASSWORD`, or from `MONGODB_USERNAME` and `MONGODB_PASSWORD`."""
    vectors: str = ""
    """`milvus-lite:///FOLDER`, or `http(s)://HOST:PORT/DATABASE` of a Milvus server, with `MILVUS_TOKEN`."""
    features: str = ""
    """`feast:///FOLDER`, or `feast+s3://BUCKET/PREFIX`, each with `?online=redis://HOST:PORT/DATABASE` where
    a Redis server holds the newest values; its password comes from `REDIS_PASSWORD`."""
    tracking: str = ""
    """`sqlite:///PATH`, or `http(s)://HOST:PORT` of an MLflow server, with credentials from
    `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`, or `MLFLOW_TRACKING_TOKEN`."""
    artifacts: str = ""
    """`file:///FOLDER`, or `s3://BUCKET/PREFIX`, with address and keys from `AWS_ENDPOINT_URL`,
    `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`."""

    @model_validator(mode="after")
    def _secrets_are_elsewhere(self) -> Self:
        for name, uri in self.model_dump().items():
            if SECRET.search(uri):
                raise ValueError(
                    f"stores.{name} holds a password; give it by an environment variable instead"
                )
        return self


class Serving(Settings):
    """The KServe process that serves every twin on this machine."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=8080, ge=1, le=65_535)
    """Port to listen on."""
    grpc_port: int = Field(default=0, ge=0, le=65_535)
    """Port of KServe's V2 protocol over gRPC for classic twins, on the same address; 0 turns it off."""
    max_body_bytes: int = Field(default=1_000_000, ge=1_000, le=100_000_000)
    """Largest request body."""
    max_question_characters: int = Field(default=8_000, ge=100, le=1_000_000)
    """Longest question to an LLM twin."""
    max_output_tokens: int = Field(default=512, ge=1, le=32_768)
    """Most tokens of one answer."""
    max_instances: int = Field(default=1_000, ge=1, le=100_000)
    """Most rows of one prediction request."""
    links: Links = Links()
    """Pages that requests name."""
    deadline_seconds: float = Field(default=120.0, gt=0, le=3_600)
    """Longest time for a whole answer; after it a request gets status 504."""
    drain_seconds: float = Field(default=0.0, ge=0, le=600)
    """How long a server that is asked to end still takes requests while it says that it is not ready; on a
    cluster a few seconds, so that nothing is sent to it any more when it stops listening."""
    keys: Keys = Keys()
    """Who may call."""
    allow_anonymous: bool = False
    """Whether a server without API keys may listen on an address other than loopback."""
    limits: Limits = Limits()
    """What is refused before work starts."""
    breaker: Breaker = Breaker()
    """When the fallback answers."""
    fleet: Fleet = Fleet()
    """The releases that are held open."""
    interactions: Interactions = Interactions()
    """What is kept of requests and answers."""

    @model_validator(mode="after")
    def _gives_up_in_time(self) -> Self:
        if self.breaker.give_up_seconds >= self.deadline_seconds:
            raise ValueError(
                f"breaker.give_up_seconds is {self.breaker.give_up_seconds:g}, deadline_seconds is "
                f"{self.deadline_seconds:g}; allowed: less than the deadline, so that the fallback can answer"
            )
        return self


class Config(BaseSettings):
    """`twinstack.yaml`. Environment variables override it: `TWINSTACK_TWINS__DOCS__TRAINING__STEPS=30`."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="TWINSTACK_",
        env_nested_delimiter="__",
        use_attribute_docstrings=True,
    )

    profile: Literal["local", "cluster"] = "local"
    """`cluster` demands a URI for every store; `local` keeps all of them in `state`."""
    state: str = Field(default=".twinstack", min_length=1)
    """Folder of everything that is made; relative to `root`."""
    root: str = "."
    """Folder that relative paths start from: where `twinstack.yaml` lies."""
    stores: Stores = Stores()
    """Where state lies, store by store."""
    serving: Serving = Serving()
    """Address and limits of the server."""
    console: Console = Console()
    """The operations API."""
    cluster: Cluster = Cluster()
    """What a Kubernetes cluster runs the stages with."""
    twins: dict[TwinName, Twin] = Field(min_length=1)
    """Every twin by its name: small letters, digits and hyphens."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first, then the file, which arrives as arguments."""
        return env_settings, init_settings

    @model_validator(mode="after")
    def _one_place_a_store(self) -> Self:
        if self.profile == "cluster" and not all(self.stores.model_dump().values()):
            missing = [name for name, uri in self.stores.model_dump().items() if not uri]
            raise ValueError(f"profile 'cluster' needs stores.{', stores.'.join(missing)}")
        return self

    @property
    def root_path(self) -> Path:
        """Absolute project folder."""
        return Path(self.root).resolve()

    @property
    def state_path(self) -> Path:
        """Absolute state folder."""
        return (self.root_path / self.state).resolve()

    def path(self, relative: str) -> Path:
        """Absolute path of a path in the configuration."""
        return (self.root_path / relative).resolve()

    def twin(self, name: str) -> ClassicTwin | LlmTwin:
        """The twin of a name.

        Raises:
            UnknownTwinError: There is none.
        """
        if name not in self.twins:
            raise UnknownTwinError(
                f"no twin '{name[:60]}'", where="twins", remedy=f"use one of: {', '.join(sorted(self.twins))}"
            )
        return self.twins[name]


def _explain(error: ValidationError, where: str) -> ConfigError:
    """Every wrong value with its field, the value and what is allowed."""
    lines = []
    for found in error.errors():
        place = ".".join(
            str(part) for part in found["loc"] if part not in ("classic", "llm", "git", "folder")
        )
        value = found["input"]
        shown = "" if isinstance(value, dict | list) else f" is {value!r}"
        if found["type"] == "extra_forbidden":
            lines.append(f"{place}: unknown field")
        else:
            lines.append(f"{place}{shown}: {found['msg']}")
    return ConfigError("; ".join(lines), where=where, remedy="see docs/reference/configuration.md")


#: What Kubernetes puts into a pod's environment for a Service, for example one called `twinstack-console`.
SERVICE_LINK = re.compile(
    r"_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$"
)


def _known_variables() -> None:
    """Refuse an override of a field that does not exist, which would otherwise do nothing."""
    fields = {name.upper() for name in Config.model_fields}
    # Read by other parts, not fields of the configuration.
    others = {"GIT_COMMIT", "CRASH_AT", "CONFIG", "KEYS"}
    for name in os.environ:
        if name.startswith("TWINSTACK_") and ("__" in name or not SERVICE_LINK.search(name)):
            head = name.removeprefix("TWINSTACK_").split("__")[0]
            if head not in fields | others:
                raise ConfigError(
                    f"environment variable {name} names no field '{head.lower()}'",
                    where="environment",
                    remedy=f"use TWINSTACK_ and one of: {', '.join(sorted(fields))}",
                )


def _build(values: dict[str, Any], where: str) -> Config:
    _known_variables()
    try:
        return Config(**values)
    except ValidationError as error:
        raise _explain(error, where) from error


def load(path: Path, overlays: Sequence[Path] = ()) -> Config:
    """Read `twinstack.yaml`.

    Args:
        path: The configuration; its folder is where relative paths start from.
        overlays: Files laid over it in their order: mappings are merged, everything else is replaced.

    Raises:
        ConfigError: A file is missing, is no YAML mapping, or the whole holds a wrong value.
    """
    values = _read(path)
    root = (path.parent / values.pop("root", ".")).resolve()
    for one in overlays:
        values = merged(values, _read(one))
    where = ", ".join(str(one) for one in (path, *overlays))
    return _build({**values, "root": str(root)}, where)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Both mappings as one, level by level; what is no mapping is replaced."""
    found = dict(base)
    for key, value in over.items():
        below = found.get(key)
        found[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"cannot read the configuration: {error.strerror}",
            where=str(path),
            remedy="name the file with --config",
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"not YAML: {error}", where=str(path), remedy="mend the file") from error
    if not isinstance(values, dict):
        raise ConfigError(f"holds {type(values).__name__}, not a mapping", where=str(path))
    return values


def dump(config: Config) -> str:
    """The configuration as one JSON text, the way it travels to a stage."""
    return json.dumps(config.model_dump(mode="json", exclude_defaults=True), sort_keys=True)


def parse(text: str) -> Config:
    """The configuration that a stage was given.

    Raises:
        ConfigError: The text is no JSON mapping, or holds a wrong value.
    """
    try:
        values = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"not JSON: {error}", where="parameter config") from error
    if not isinstance(values, dict):
        raise ConfigError(f"holds {type(values).__name__}, not a mapping", where="parameter config")
    return _build(values, "parameter config")
