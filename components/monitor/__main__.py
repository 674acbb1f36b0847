"""`python -m components.monitor`."""

from components.monitor import core
from components.runtime import entry

if __name__ == "__main__":
    entry.main(core.run, "monitor", "features", "released")
