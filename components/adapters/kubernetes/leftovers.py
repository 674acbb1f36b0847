"""What a namespace still holds for twins that the configuration no longer has.

Helm deletes what it made for a twin, but for the claim of its front, which outlives the release on purpose;
it does not know the predictors, which the release stage made.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from components.adapters.kubernetes.api import CLAIMS, INFERENCE_SERVICES, Api, Object
from components.adapters.kubernetes.inference_service import COMPONENT, MANAGED_BY, TWIN

#: Kinds and the labels by which ours are known: predictors of the release stage, claims of the chart.
KINDS = (
    ("InferenceService", INFERENCE_SERVICES, f"{MANAGED_BY}=twinstack"),
    ("PersistentVolumeClaim", CLAIMS, f"app.kubernetes.io/part-of=twinstack,{COMPONENT}=front"),
)


@dataclass(frozen=True)
class Leftover:
    """An object of a twin.

    Attributes:
        twin: Name of the twin.
        kind: Kind of the object.
        name: Its name.
        found: The object as it was seen: one of its name that is made later is another.
    """

    twin: str
    kind: str
    name: str
    found: Object


def leftovers(api: Api, twins: Collection[str]) -> list[Leftover]:
    """What belongs to none of the twins, in the order of their names.

    Raises:
        ClusterError: The cluster refuses, or cannot be reached.
    """
    found = [
        Leftover(one["metadata"]["labels"].get(TWIN, ""), kind, one["metadata"]["name"], one)
        for kind, resource, labels in KINDS
        for one in api.find(resource, labels=labels)
    ]
    return sorted((one for one in found if one.twin and one.twin not in twins), key=_order)


def delete(api: Api, objects: Iterable[Leftover]) -> None:
    """Delete objects; what they own goes with them.

    Raises:
        ClusterError: The cluster refuses, or cannot be reached; doing it again goes on.
    """
    resources = {kind: resource for kind, resource, _ in KINDS}
    for one in objects:
        api.delete(resources[one.kind], one.found)


def _order(one: Leftover) -> tuple[str, str, str]:
    return one.twin, one.kind, one.name
