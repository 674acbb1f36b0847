"""The server of all twins."""

from typing import Self

from pydantic import Field, model_validator

from components.shared.config.access import Breaker, Fleet, Keys, Limits
from components.shared.config.base import Settings
from components.shared.config.interactions import Interactions
from components.shared.config.links import Links


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
