"""What every scaffold of a twin does: a name that is allowed, files that overwrite nothing."""

import re
from collections.abc import Mapping
from pathlib import Path

from components.shared.config.names import TWIN
from components.shared.errors import ConfigError
from components.shared.files import write_atomic

IGNORED = ".twinstack/\n__pycache__/\n"


def require_name(name: str) -> None:
    """Refuse a name that the configuration would refuse.

    Raises:
        ConfigError: The name is not allowed.
    """
    if not re.fullmatch(TWIN, name):
        raise ConfigError(
            f"'{name}' is no name of a twin",
            where="name",
            remedy="use up to 40 small letters, digits and hyphens, a letter first, no hyphen last",
        )


def write(folder: Path, contents: Mapping[str, str]) -> list[Path]:
    """Write the files of a scaffold, and what git shall leave out.

    Args:
        folder: Where they go; made where it is missing.
        contents: Path below the folder to text.

    Returns:
        The files that were written.

    Raises:
        ConfigError: A file would be overwritten; nothing was written.
    """
    every = {**contents, ".gitignore": IGNORED}
    if there := [one for one in every if (folder / one).exists()]:
        raise ConfigError(
            f"{', '.join(there)} would be overwritten",
            where=str(folder),
            remedy="name another folder with --folder, or move the files away",
        )
    for file, content in every.items():
        write_atomic(folder / file, content)
    return [folder / file for file in every]
