"""Files of models that lie in an installed package."""

from importlib.util import find_spec
from pathlib import Path

from components.shared.errors import ConfigError


def packaged(uri: str, field_name: str) -> Path:
    """The path of `package:NAME/PATH` inside an installed package, or of a local path.

    Raises:
        ConfigError: The package or the path does not exist.
    """
    path = Path(uri)
    if uri.startswith("package:"):
        name, _, inside = uri.removeprefix("package:").partition("/")
        found = find_spec(name)
        if found is None or not found.submodule_search_locations:
            raise ConfigError(
                f"{field_name} is '{uri}', but package '{name}' is not installed",
                remedy="install it, see tools/install.sh, or name a local path",
            )
        path = Path(found.submodule_search_locations[0]) / inside
    if not path.exists():
        raise ConfigError(
            f"{field_name} is '{uri}', but {path} does not exist", remedy="name an existing path"
        )
    return path
