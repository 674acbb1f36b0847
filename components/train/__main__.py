"""`python -m components.train`."""

from components.runtime import entry
from components.train import core

if __name__ == "__main__":
    entry.main(core.run, "train", "dataset")
