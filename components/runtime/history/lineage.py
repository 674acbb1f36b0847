"""From one answer back to everything it rests on: release, model, data, index, documents, prompt, commit."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import JsonValue

from components.adapters.artifacts.contract import Artifacts
from components.adapters.stores import Stores
from components.runtime import champion
from components.runtime.entry import SLOTS
from components.runtime.history import interactions
from components.shared.errors import TwinError
from components.shared.evaluation import Evaluation
from components.shared.interactions import CONFIGURATIONS, Interaction
from components.shared.manifests import Manifest
from components.shared.releases import Release

#: Fields of an interaction that are shown; its texts are not.
FACTS = {
    "request_id", "twin", "at", "role", "route", "status", "key", "answered", "finish", "seconds", "cost",
}  # fmt: skip

#: Said of what was deleted meanwhile.
GONE = "gone"


@dataclass(frozen=True)
class Node:
    """A thing, and what it was made of.

    Attributes:
        kind: What sort of thing it is.
        name: Its id, version or path.
        facts: What is known of it.
        parents: What it was made of.
    """

    kind: str
    name: str
    facts: dict[str, JsonValue] = field(default_factory=dict)
    parents: tuple["Node", ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The whole tree as plain values."""
        return asdict(self)


def trace(stores: Stores, twins: Collection[str], request_id: str) -> list[Node]:
    """One tree an interaction of the request: the answer's, and its shadow's where there was one.

    Args:
        stores: Where everything lies.
        twins: Names of the twins.
        request_id: Our id, or the request id of the caller.

    Raises:
        NotFoundError: There is no such interaction.
    """
    return [_interaction(stores, one) for one in interactions.find(stores.warehouse, twins, request_id)]


def _interaction(stores: Stores, one: Interaction) -> Node:
    facts = one.model_dump(
        mode="json",
        include=FACTS,
    )
    parents = [_release(stores, one)]
    parents += [Node("no answer of", name, {"why": why}) for name, why in one.failed.items()]
    parents += [Node("shadow of", one.paired)] if one.paired else []
    if one.config:
        known = stores.warehouse.get(CONFIGURATIONS, one.config)
        first: dict[str, JsonValue] = {"first seen": known["at"]} if known else {"state": GONE}
        parents.append(Node("configuration", one.config, first))
    for said in interactions.feedback_on(stores.warehouse, one):
        parents.append(Node("feedback", said.id, {"at": said.at, "score": said.score, "text": said.text}))
    for label in interactions.labels_of(stores.warehouse, one):
        parents.append(Node("label", label.id, {"value": label.value, "event_time": label.event_time}))
    return Node("interaction", one.id, facts, tuple(parents))


def _release(stores: Stores, one: Interaction) -> Node:
    try:
        found = champion.read_release(stores.warehouse, one.twin, one.release)
    except TwinError:
        return Node("release", one.release, {"state": GONE})
    facts: dict[str, JsonValue] = {"created": found.created, "trained on": found.trained_on}
    parents = [Node("git commit", found.commit, {"dirty": found.dirty}), _model(stores, found)]
    parents.append(_evaluation(found.evaluation))
    if found.prompt_version:
        parents.append(Node("prompt version", found.prompt_version))
    features = found.index_version or found.feature_version
    made = _made(stores.artifacts, "features", features)
    if found.index_version:
        made = Node(
            made.kind, made.name, made.facts, (*_chunks(stores.artifacts, one, features), *made.parents)
        )
    return Node("release", found.id, facts, (*parents, made))


def _evaluation(numbers: Evaluation) -> Node:
    """What the release's gate decided on, every metric with its interval."""
    shown: dict[str, JsonValue] = {
        name: numbers.shown(name, measure) for name, measure in numbers.candidate.items()
    }
    if numbers.champion_release:
        shown["beside champion"] = numbers.champion_release
    return Node("evaluation", f"{numbers.cases} cases, version {numbers.cases_version}", shown)


def _model(stores: Stores, found: Release) -> Node:
    facts: dict[str, JsonValue] = {"uri": found.model_uri}
    if found.run:
        facts["MLflow run"] = found.run
    try:
        tags = stores.registry.tags(found.twin, found.model_version)
        facts |= {name.removeprefix("twinstack."): value for name, value in tags.items()}
    except Exception as error:  # MLflow raises errors of its own where a version was deleted
        facts["state"] = f"{GONE} from the registry ({type(error).__name__})"
    dataset = _made(stores.artifacts, "dataset", found.dataset_version)
    return Node("model version", f"{found.twin} {found.model_version}", facts, (dataset,))


def _manifest(artifacts: Artifacts, slot: str, version: str) -> Manifest | None:
    for stage in SLOTS.get(slot, ()):
        if found := artifacts.with_version(stage, version):
            return found
    return None


def _made(artifacts: Artifacts, slot: str, version: str) -> Node:
    """What a stage left, with all it was made of."""
    kind = {"features": "index or feature version", "dataset": "dataset version"}.get(slot, slot)
    found = _manifest(artifacts, slot, version)
    if found is None:
        return Node(kind, version, {"state": GONE})
    facts: dict[str, JsonValue] = {"stage": found.stage, "recipe": found.recipe, "summary": found.summary}
    if "revisions" in found.facts:
        facts["revisions"] = found.facts["revisions"]
    parents = tuple(_made(artifacts, name, parent) for name, parent in found.parents.items())
    return Node(kind, version, facts, parents)


def _chunks(artifacts: Artifacts, one: Interaction, index: str) -> list[Node]:
    """The chunks in the prompt, each with its document and the revision that it was collected at."""
    features = _manifest(artifacts, "features", index)
    if features is None or not one.context:
        return [Node("chunk", name, {"state": GONE}) for name in one.context]
    import pyarrow.parquet as pq

    wanted = [("chunk_id", "in", list(one.context))]
    columns = ["chunk_id", "document_id", "path", "heading", "start", "end"]
    table = pq.read_table(features.folder / "chunks.parquet", columns=columns, filters=wanted)
    rows = {row["chunk_id"]: row for row in table.to_pylist()}
    documents = _documents(artifacts, features, {row["document_id"] for row in rows.values()})
    made = []
    for name, score in zip(one.context, one.scores, strict=False):
        row = rows.get(name)
        if row is None:
            made.append(Node("chunk", name, {"state": GONE}))
            continue
        facts = {"heading": row["heading"], "from": row["start"], "to": row["end"], "score": score}
        document = Node("document", row["path"], documents.get(row["document_id"], {"state": GONE}))
        made.append(Node("chunk", name, facts, (document,)))
    return made


def _documents(artifacts: Artifacts, features: Manifest, ids: set[str]) -> dict[str, dict[str, JsonValue]]:
    """Digest and source revision of documents by their ids."""
    validated = _manifest(artifacts, "validated", features.parents.get("validated", ""))
    if validated is None:
        return {}
    collected = _manifest(artifacts, "collected", validated.parents.get("collected", ""))
    revisions = str(collected.facts.get("revisions", "")).split(", ") if collected else []
    import pyarrow.parquet as pq

    table = pq.read_table(
        validated.folder / "documents.parquet", columns=["id", "digest"], filters=[("id", "in", list(ids))]
    )
    return {
        row["id"]: {"digest": row["digest"], "source": _source(row["id"], revisions)}
        for row in table.to_pylist()
    }


def _source(document_id: str, revisions: list[str]) -> str:
    """The source of a document with its revision, from an id `TWIN/NUMBER-TYPE/PATH`."""
    number = document_id.split("/")[1].split("-", maxsplit=1)[0]
    place = int(number) if number.isdigit() else len(revisions)
    return revisions[place] if place < len(revisions) else GONE
