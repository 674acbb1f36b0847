"""Files, overlays and texts that hold a configuration, and errors that a person can mend."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from components.shared import yaml_text
from components.shared.config.explaining import explained
from components.shared.config.root import Config
from components.shared.errors import ConfigError

#: What Kubernetes puts into a pod's environment for a Service, for example one called `twinstack-console`.
SERVICE_LINK = re.compile(
    r"_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$"
)


def _known_variables() -> None:
    """Refuse an override of a field that does not exist, which would otherwise do nothing."""
    fields = {name.upper() for name in Config.model_fields}
    # Read by other parts, not fields of the configuration.
    others = {"GIT_COMMIT", "CRASH_AT", "RUN_PID", "CONFIG", "KEYS"}
    for name in os.environ:
        if name.startswith("TWINSTACK_") and ("__" in name or not SERVICE_LINK.search(name)):
            head = name.removeprefix("TWINSTACK_").split("__")[0]
            if head not in fields | others:
                raise ConfigError(
                    f"environment variable {name} names no field '{head.lower()}'",
                    where="environment",
                    remedy=f"use TWINSTACK_ and one of: {', '.join(sorted(fields))}",
                )


def _build(values: dict[str, Any], where: str) -> Config:
    _known_variables()
    try:
        return Config(**{str(name): value for name, value in values.items()})
    except ValidationError as error:
        raise explained(error, where) from error


def load(path: Path, overlays: Sequence[Path] = ()) -> Config:
    """Read `twinstack.yaml`.

    Args:
        path: The configuration; its folder is where relative paths start from.
        overlays: Files laid over it in their order: mappings are merged, everything else is replaced.

    Raises:
        ConfigError: A file is missing, is no YAML mapping, or the whole holds a wrong value.
    """
    values = _read(path)
    root = (path.parent / _folder(values.pop("root", "."), path)).resolve()
    for one in overlays:
        values = merged(values, _read(one))
    where = ", ".join(str(one) for one in (path, *overlays))
    return _build({**values, "root": str(root)}, where)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Both mappings as one, level by level; what is no mapping is replaced."""
    found = dict(base)
    for key, value in over.items():
        below = found.get(key)
        found[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        values = yaml_text.read(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(
            f"cannot read the configuration: {error.strerror}",
            where=str(path),
            remedy="name the file with --config",
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"not UTF-8: byte 0x{error.object[error.start]:02x} at offset {error.start}",
            where=str(path),
            remedy="save it as UTF-8",
        ) from error
    except ValueError as error:
        raise ConfigError(f"not YAML: {error}", where=str(path), remedy="mend the file") from error
    if not isinstance(values, dict):
        raise ConfigError(
            "is empty" if values is None else f"holds {type(values).__name__}, not a mapping",
            where=str(path),
            remedy="start one with `twin new classic NAME` or `twin new llm NAME`, "
            "see docs/reference/configuration.md",
        )
    return values


def _folder(value: Any, path: Path) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"root is {value!r}: not a text", where=str(path), remedy="name a folder")
    return value


def dump(config: Config) -> str:
    """The configuration as one JSON text, the way it travels to a stage."""
    return json.dumps(config.model_dump(mode="json", exclude_defaults=True), sort_keys=True)


def parse(text: str) -> Config:
    """The configuration that a stage was given.

    Raises:
        ConfigError: The text is no JSON mapping, or holds a wrong value.
    """
    try:
        values = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"not JSON: {error}", where="parameter config") from error
    if not isinstance(values, dict):
        raise ConfigError(f"holds {type(values).__name__}, not a mapping", where="parameter config")
    return _build(values, "parameter config")
