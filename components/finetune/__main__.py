"""`python -m components.finetune`."""

from components.finetune import core
from components.runtime import entry

if __name__ == "__main__":
    entry.main(core.run, "finetune", "dataset")
