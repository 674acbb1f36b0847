"""`python -m components.embed`."""

from components.embed import core
from components.runtime import entry

if __name__ == "__main__":
    entry.main(core.run, "embed", "validated")
