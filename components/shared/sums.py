"""What a committed folder held: `SHA256SUMS` beside its files, as `sha256sum --check SHA256SUMS` reads it.

It travels with the files wherever they are copied, so whoever opens a copy can tell that it is what was made.
It finds damage and hands that changed a file; it is no signature.
"""

from collections.abc import Mapping
from pathlib import Path

from components.shared import digest

NAME = "SHA256SUMS"

#: Name, size and time of change of every file of a folder that was found whole in this process.
Seen = tuple[tuple[str, int, int], ...]

_whole: dict[Path, Seen] = {}


def write(folder: Path, digests: Mapping[str, str]) -> None:
    """Leave the digests of a folder's files in it, by relative path."""
    lines = [f"{found}  {name}\n" for name, found in sorted(digests.items())]
    (folder / NAME).write_text("".join(lines), encoding="utf-8")


def changed(folder: Path) -> list[str]:
    """Files that are not what was written into the folder, by relative path; none where no digests lie there.

    A folder that was found whole is read again only where size or time of a file differ.

    Raises:
        FileNotFoundError: A file is gone.
    """
    path = folder / NAME
    if not path.exists():  # of an earlier version
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    wanted = {name: found for found, _, name in (line.partition("  ") for line in lines)}
    if _whole.get(folder) == (seen := _seen(folder, wanted)):
        return []
    found = [name for name, one in wanted.items() if digest.whole(folder / name) != one]
    if not found:
        _whole[folder] = seen
    return found


def _seen(folder: Path, names: Mapping[str, str]) -> Seen:
    stats = [(name, (folder / name).stat()) for name in [*names, NAME]]
    return tuple((name, one.st_size, one.st_mtime_ns) for name, one in stats)
