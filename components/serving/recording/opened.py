"""The recorder of a server with its spool and its shipper, from start to drained end."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from components.adapters.stores import Stores
from components.serving.recording.recorder import Recorder
from components.serving.recording.records import encoded
from components.serving.recording.shipper import Shipper
from components.serving.recording.spool import Spool
from components.shared import digest
from components.shared.config import Config, dump
from components.shared.interactions import CONFIGURATIONS
from components.shared.metrics.instruments import Instruments


def spool_root(config: Config) -> Path:
    """Folder of the spools of all processes."""
    named = config.serving.interactions.spool
    return config.path(named) if named else config.state_path / "spool"


@contextlib.contextmanager
def recording(config: Config, instruments: Instruments) -> Iterator[Recorder | None]:
    """A recorder whose records are being shipped; None where nothing is to be kept.

    In the end everything is shipped, or stays in the spool for the next start.
    """
    settings = config.serving.interactions
    if not settings.enabled:
        yield None
        return
    spool = Spool(spool_root(config), settings)
    text = dump(config)
    name = digest.of_text(text)
    seen = {"_id": name, "at": datetime.now(UTC).isoformat(timespec="seconds"), "body": text}
    spool.append(encoded(CONFIGURATIONS, seen))
    # Stores of its own: no request waits behind a transaction of the shipper.
    shipper = Shipper(spool, lambda: Stores(config).warehouse, settings, instruments)
    shipper.start()
    try:
        kinds = {twin: found.kind for twin, found in config.twins.items()}
        yield Recorder(spool, settings, kinds, name, instruments)
    finally:
        shipper.close()
