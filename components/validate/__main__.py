"""`python -m components.validate`."""

from components.validate import core
from components.runtime import entry

if __name__ == "__main__":
    entry.main(core.run, "validate", "collected")
