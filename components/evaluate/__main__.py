"""`python -m components.evaluate`."""

from components.evaluate import core
from components.runtime import entry

if __name__ == "__main__":
    entry.main(core.run, "evaluate", "validated", "features", "dataset", "model")
