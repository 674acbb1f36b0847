"""Where a state folder was made: feature store, registry and artifacts name their files by whole paths."""

from pathlib import Path

from components.shared.errors import StorageError
from components.shared.files import write_atomic

FILE = "place"


def require_same(state: Path) -> None:
    """Note where the state folder lies, the first time; later it has to be found at that path.

    Raises:
        StorageError: It was moved or copied, so that its parts would look for each other at the old place.
    """
    noted = state / FILE
    if not noted.exists():
        write_atomic(noted, str(state))
        return
    before = Path(noted.read_text(encoding="utf-8"))
    if before.resolve() != state:
        raise StorageError(
            f"the state folder was made at {before} and lies at {state} now",
            where=str(noted),
            remedy="move it back, or link its old path to the new one, or name another `state` to start anew",
        )
