"""Places in values of the chart, as paths with dots; entries of `twins` and `secrets` by their number."""

import copy
from collections.abc import Iterator
from typing import Any

import yaml

from tests.helm.rendering import CHART, Object

DEFAULTS: Object = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))

#: Mappings that hold whatever Kubernetes takes, or names of the user's choice.
OPEN = (
    "commonLabels", "files", "environment", "config.stores", "config.twins", "config.cluster.images.digests",
    "nodeSelector", "pods.annotations", "serviceAccounts.annotations", "monitoring.labels",
    "requiredDuringSchedulingIgnoredDuringExecution", "dashboards.labels", "tests.instances", "requests",
    "limits",
)  # fmt: skip

#: Lists whose entries are mappings of the chart's own.
LISTS = ("twins", "secrets")


def _walk(part: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    yield path, part
    if path in LISTS and isinstance(part, list):
        part = dict(enumerate(part))
    if isinstance(part, dict) and not path.endswith(OPEN):
        for key, value in part.items():
            yield from _walk(value, f"{path}.{key}" if path else str(key))


def mappings(values: Object) -> Iterator[str]:
    """Closed mappings, whose keys are known."""
    return (path for path, part in _walk(values) if isinstance(part, dict) and not path.endswith(OPEN))


def leaves(values: Object) -> Iterator[tuple[str, Any]]:
    """Single values, and lists as a whole."""
    return ((path, part) for path, part in _walk(values) if not isinstance(part, dict))


def changed(values: Object, path: str, value: Any) -> Object:
    """A copy with one value changed."""
    found: Object = copy.deepcopy(values)
    *parents, last = path.split(".")
    place: Any = found
    for name in parents:
        place = place[int(name) if isinstance(place, list) else name]
    place[last] = value
    return found
