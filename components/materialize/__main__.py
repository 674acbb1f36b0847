"""`python -m components.materialize`."""

from components.materialize import core
from components.runtime import entry

if __name__ == "__main__":
    entry.main(core.run, "materialize", "validated")
