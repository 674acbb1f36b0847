"""A state folder knows where it was made."""

from pathlib import Path

import pytest

from components.shared.errors import StorageError
from pipelines.place import require_same


def test_a_moved_state_folder_is_refused_until_it_is_found_at_its_old_path(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    require_same(old)
    require_same(old)
    old.rename(new)
    with pytest.raises(StorageError, match=f"made at {old} and lies at {new} now.*link its old path"):
        require_same(new)
    old.symlink_to(new)
    require_same(new)
