"""Configuration of who may call a server, and how much."""

from pydantic import Field

from components.shared.config.base import Settings


class Keys(Settings):
    """Where the API keys come from; they are stored as hashes only. Without any, a server is open and
    therefore listens on loopback only."""

    file: str = Field(default="", max_length=500)
    """File of entries, the mounted secret; relative to `root`. It is read again when it changes."""
    environment: str = Field(default="", max_length=100)
    """Name of an environment variable that holds the entries instead."""


class Queue(Settings):
    """How many requests a twin works on, and how many may wait for that."""

    running: int = Field(default=8, ge=1, le=10_000)
    """Requests that a twin works on at a time."""
    waiting: int = Field(default=120, ge=0, le=100_000)
    """Requests that may wait; one more gets status 503."""
    wait_seconds: float = Field(default=5.0, gt=0, le=3_600)
    """Longest wait; after it a request gets status 503."""


class Limits(Settings):
    """What is refused before work starts."""

    classic: Queue = Queue()
    """Queue of each classic twin."""
    llm: Queue = Queue(running=16, waiting=64, wait_seconds=20.0)
    """Queue of each LLM twin."""
    max_prompt_tokens: int = Field(default=8_192, ge=16, le=1_000_000)
    """Most tokens of a conversation, by the tokenizer of the model that answers; more get status 413."""
    max_choices: int = Field(default=4, ge=1, le=64)
    """Most answers to one question (`n`)."""
