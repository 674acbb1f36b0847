"""Configuration of the operations API."""

from pydantic import Field

from components.shared.config.base import Settings


class Console(Settings):
    """The operations API: alerts, approvals, labels, sources, runs."""

    host: str = "127.0.0.1"
    """Address to listen on; another than loopback needs `serving.keys`."""
    port: int = Field(default=8081, ge=1, le=65_535)
    """Port to listen on."""
    max_body_bytes: int = Field(default=10_000_000, ge=1_000, le=1_000_000_000)
    """Largest request body; labels come in bulk."""
    requests_per_minute: int | None = Field(default=600, ge=1, le=1_000_000)
    """Most requests a minute of an API key whose entry names no `requests_per_minute`; one more gets status
    429. Without keys nobody is limited."""
    concurrency: int | None = Field(default=8, ge=1, le=10_000)
    """Most requests at a time of an API key whose entry names no `concurrency`."""
    monitor_on: tuple[str, ...] = ("TwinstackDrift*",)
    """Names of alerts that start the pipeline `monitor` for their twin; `*` stands for anything."""
    retrain_every_days: float = Field(default=7.0, ge=0, le=365)
    """A retraining of a twin is proposed at most this often, in days."""
