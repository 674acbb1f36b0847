"""The whole of `twinstack.yaml`, with its environment overrides."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from components.shared.config.classic import ClassicTwin
from components.shared.config.cluster import Cluster
from components.shared.config.console import Console
from components.shared.config.llm import LlmTwin
from components.shared.config.names import TWIN
from components.shared.config.serving import Serving
from components.shared.config.stores import Stores
from components.shared.errors import UnknownTwinError

#: A password in an URI, or in an URI inside its query.
SECRET = re.compile(r"://[^/?#@]*:[^/?#@]+@")

Twin = Annotated[ClassicTwin | LlmTwin, Field(discriminator="kind")]
TwinName = Annotated[str, Field(pattern=TWIN)]


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

    @model_validator(mode="after")
    def _secrets_are_elsewhere(self) -> Self:
        for place, text in _texts(self.model_dump(), ()):
            if SECRET.search(text):
                field = ".".join(place)
                raise ValueError(f"{field} holds a password; give it by an environment variable instead")
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


def _texts(part: Any, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text of a configuration with its place."""
    if isinstance(part, str):
        yield place, part
    elif isinstance(part, dict):
        for name, value in part.items():
            yield from _texts(value, (*place, name))
    elif isinstance(part, list | tuple):
        for number, value in enumerate(part):
            yield from _texts(value, (*place, str(number)))
