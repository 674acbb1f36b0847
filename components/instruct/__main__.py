"""`python -m components.instruct`."""

from components.instruct import core
from components.runtime import entry

if __name__ == "__main__":
    entry.main(core.run, "instruct", "validated", "features")
