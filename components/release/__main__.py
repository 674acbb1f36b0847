"""`python -m components.release`."""

from components.release import core
from components.runtime import entry

if __name__ == "__main__":
    entry.main(core.run, "release", "evaluation", "decision", "features", "dataset", "model")
