"""`python -m components.validate`."""

from components.runtime import entry
from components.validate import core

if __name__ == "__main__":
    entry.main(core.run, "validate", "collected")
