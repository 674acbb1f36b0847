"""`python -m components.collect`."""

from components.collect import core
from components.runtime import entry

if __name__ == "__main__":
    entry.main(core.run, "collect")
