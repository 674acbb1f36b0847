"""`python -m components.gate`."""

from components.gate import core
from components.runtime import entry

if __name__ == "__main__":
    entry.main(core.run, "gate", "evaluation")
