"""Configuration of reading pages that a request names."""

from typing import Annotated, Literal

from pydantic import Field, IPvAnyNetwork, WithJsonSchema

from components.shared.config.base import Settings

#: A network, or one address; a schema says its letters, and `Config` whether it is one.
Network = Annotated[
    IPvAnyNetwork,
    WithJsonSchema({"type": "string", "pattern": r"^[0-9a-fA-F:]*[.:][0-9a-fA-F:.]+(/[0-9.]{1,15})?$"}),
]


class Links(Settings):
    """Pages that a chat request names and that are read as further context."""

    allow: Literal["off", "listed", "public"] = "off"
    """`off` refuses every link; `listed` reads pages of `hosts` only; `public` reads any page whose host has
    public addresses only."""
    hosts: tuple[str, ...] = ()
    """Hosts that may be read from, by name; `*.example.org` stands for every host below example.org."""
    networks: tuple[Network, ...] = ()
    """Networks that may be read from though they are not public, for example those of an intranet's wiki."""
    ports: tuple[int, ...] = (80, 443)
    """Ports that may be read from."""
    redirects: int = Field(default=3, ge=0, le=10)
    """Most redirects; each target is checked like a link."""
    max_bytes: int = Field(default=500_000, ge=1_000, le=5_000_000)
    """Largest page."""
    seconds: float = Field(default=5.0, gt=0, le=60)
    """Longest time for a page, redirects included."""
