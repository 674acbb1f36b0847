"""Configuration of what is kept of requests and answers, and how safely."""

from typing import Literal

from pydantic import Field

from components.shared.config.base import Settings


class Interactions(Settings):
    """Every answered request is written to a spool on the local disk before the answer's last byte goes out,
    and is brought to the warehouse from there."""

    enabled: bool = True
    """Whether anything is kept. Without it there is no lineage, no feedback and no label for an answer."""
    inputs: Literal["full", "redacted", "none"] = "full"
    """Messages and instances: as they are, without what looks like personal data, or not at all."""
    output: Literal["full", "redacted", "none"] = "full"
    """Answers, and the text of feedback."""
    retention_days: int = Field(default=90, ge=1, le=36_500)
    """Age at which `twin interactions purge` deletes interactions and feedback."""
    spool: str = Field(default="", max_length=500)
    """Folder of the spool, on a local disk that outlives the process; relative to `root`. Empty: `spool`
    inside `state`."""
    max_bytes: int = Field(default=1_073_741_824, ge=65_536, le=2**50)
    """Bytes that one process may have waiting on its disk. At that, requests get status 503 until the
    warehouse has taken some."""
    min_free_bytes: int = Field(default=268_435_456, ge=0, le=2**50)
    """Free bytes of the disk below which requests get status 503."""
    segment_bytes: int = Field(default=8_388_608, ge=4_096, le=2**30)
    """Size at which a file of the spool is closed and the next one begun."""
    fsync_seconds: float = Field(default=1.0, gt=0, le=3_600)
    """Interval of forcing the spool to the disk. A killed process loses nothing; a power cut loses at most
    what was answered in the last interval."""
    ship_seconds: float = Field(default=0.5, gt=0, le=3_600)
    """Interval of bringing what is new to the warehouse."""
    drain_seconds: float = Field(default=5.0, ge=0, le=300)
    """At the end of the process: time to bring the rest. What is left then is brought by the next start."""
