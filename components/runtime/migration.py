"""`python -m components.runtime.migration`: open every store, which brings it up to what this version needs.

The chart runs it after an installation and before an upgrade; where it fails, nothing is replaced.
"""

import argparse
import sys
from pathlib import Path

from components.adapters.stores import Stores
from components.shared.config import Config, load
from components.shared.errors import exit_on_error

#: Stores in the order in which a failure says most.
STORES = ("artifacts", "warehouse", "vectors", "features", "registry")


def migrate(config: Config) -> tuple[str, ...]:
    """Open every store and read every twin's traffic. Doing so again changes nothing.

    Returns:
        Names of the stores.

    Raises:
        TwinError: A store cannot be opened, or a twin's traffic not be read.
    """
    from components.runtime.champion import champion_of

    stores = Stores(config)
    for name in STORES:
        getattr(stores, name)
    for twin in config.twins:
        champion_of(stores.warehouse, twin)
    return STORES


def main() -> None:
    """Migrate the stores of a configuration file."""
    parser = argparse.ArgumentParser(prog="python -m components.runtime.migration", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("twinstack.yaml"), help="default: %(default)s")
    words = parser.parse_args()
    with exit_on_error():
        opened = migrate(load(words.config))
    sys.stdout.write(f"stores are up to date: {', '.join(opened)}\n")


if __name__ == "__main__":
    main()
