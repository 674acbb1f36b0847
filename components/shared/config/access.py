"""Configuration of who may call a server, how much, and what happens where a release fails."""

from pydantic import Field

from components.shared.config.base import Settings, Share


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


class Breaker(Settings):
    """When a release that fails or is slow is left alone, and the fallback answers."""

    window_seconds: float = Field(default=30.0, gt=0, le=3_600)
    """How far back calls count."""
    calls: int = Field(default=10, ge=1, le=10_000)
    """Calls in the window below which nothing is concluded."""
    bad_share: Share = 0.5
    """Share of failed or slow calls from which on the release is left alone."""
    slow_seconds: float = Field(default=20.0, gt=0, le=3_600)
    """Time to an answer, or to its first token, from which on a call counts as slow."""
    give_up_seconds: float = Field(default=45.0, gt=0, le=3_600)
    """Time after which an answer that has not begun is given up and the fallback answers; below
    `serving.deadline_seconds`, or a release that hangs would never be left alone."""
    open_seconds: float = Field(default=15.0, gt=0, le=3_600)
    """How long the release is left alone."""
    trials: int = Field(default=3, ge=1, le=1_000)
    """Good calls in a row after which it answers everybody again."""
    retries: Share = 0.1
    """Retries a request: a failed attempt is repeated once, as long as this share is not used up; 0 turns
    retries off."""


class Fleet(Settings):
    """The releases that a server holds open."""

    poll_seconds: float = Field(default=0.5, gt=0, le=10)
    """How often the traffic document is looked at."""
    kept: int = Field(default=1, ge=0, le=20)
    """Earlier champions that stay open, so that a rollback takes effect at once."""
    standby: int = Field(default=2, ge=0, le=20)
    """Releases that are opened beforehand though they do not answer, because they may be wanted next: the one
    that `twin rollback` returns to, then the newest that waits for `twin promote`; 0 opens none."""
    standby_free: Share = 0.2
    """Share of the memory, of the container's limit where there is one, that has to be available before a
    release is opened beforehand."""
    prepare_seconds: float = Field(default=60.0, ge=0, le=3_600)
    """Longest time that `twin promote` and `twin traffic` let the running servers open a release before it
    answers; 0 does not wait."""
    retry_seconds: float = Field(default=30.0, gt=0, le=3_600)
    """Pause before a release that could not be opened is tried again."""
    shadow_waiting: int = Field(default=32, ge=1, le=10_000)
    """Requests that may wait for the shadow; further ones are dropped and counted."""
