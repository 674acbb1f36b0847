"""`python -m components.snapshot`."""

from components.runtime import entry
from components.snapshot import core

if __name__ == "__main__":
    entry.main(core.run, "snapshot", "validated", "features")
