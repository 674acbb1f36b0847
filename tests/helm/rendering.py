"""The chart, rendered by Helm's own engine, and how to walk what comes out."""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from helm_python import Chart, HelmError

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "helm" / "twinstack"
TEMPLATES = CHART / "templates"
CI = {path.stem.removesuffix("-values"): path for path in sorted((CHART / "ci").glob("*-values.yaml"))}
NAMESPACE = "twinstack"

Object = dict[str, Any]


class StrictLoader(yaml.CSafeLoader):
    """Refuses a key that is there twice, as the API server does; `1e5` is a number, as it is to Go."""


def _mapping(loader: StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    if twice := {key for key in keys if keys.count(key) > 1}:
        raise ValueError(f"keys twice: {twice}")
    return loader.construct_mapping(node, deep=True)


StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)$"),
    list("-+.0123456789"),
)
StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def ci(name: str, **more: Any) -> Object:
    """Values of a file in `ci/`, with others laid over them."""
    return merged(yaml.safe_load(CI[name].read_text(encoding="utf-8")), more)


def merged(under: Object, over: Object) -> Object:
    """As Helm merges values: mappings key by key, everything else as a whole."""
    found = copy.deepcopy(under)
    for key, value in over.items():
        inner = found.get(key)
        found[key] = merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return found


def twin(values: Object, name: str, **over: Any) -> Object:
    """Values whose entry of one twin has others laid over it."""
    entries = [merged(one, over) if one["name"] == name else one for one in values["twins"]]
    return {**values, "twins": entries}


def files(
    values: Object, *, chart: Path = CHART, release: str = "twinstack", namespace: str = NAMESPACE
) -> dict[str, str]:
    """Text of every template by its path inside `templates/`."""
    # A handle keeps state between renderings: one each.
    with Chart.load(chart) as loaded:
        found = loaded.render(values, name=release, namespace=namespace)
    return {path.split("/templates/", 1)[1]: text for path, text in found.items()}


def render(values: Object, template: str = "", **more: Any) -> list[Object]:
    """Objects of every template, or of one."""
    return read({path: text for path, text in files(values, **more).items() if template in ("", path)})


def read(texts: dict[str, str]) -> list[Object]:
    """Objects of rendered templates."""
    return [
        made
        for path, text in texts.items()
        if path != "NOTES.txt"
        for made in yaml.load_all(text, Loader=StrictLoader)
        if made
    ]


def one(objects: list[Object], kind: str, name: str) -> Object:
    """The object of a kind and a name."""
    (found,) = [it for it in objects if it["kind"] == kind and it["metadata"]["name"] == name]
    return found


@dataclass(frozen=True)
class Pod:
    """A pod that an object leads to, with the labels that it carries in the end."""

    of: str
    spec: Object
    labels: dict[str, str]

    @property
    def containers(self) -> list[Object]:
        """Every container, init containers too."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]


def pods(objects: list[Object]) -> list[Pod]:
    """Every pod that objects lead to.

    KServe's have the labels that it adds. The container that fetches their models is not here: it is what the
    ClusterStorageContainer of `manifests/options/kserve` says, and is checked with that.
    """
    return [pod for made in objects for pod in _pods(made)]


def _pods(made: Object) -> Iterator[Pod]:
    metadata = made["metadata"]
    where = f"{made['kind']}/{metadata['name']}"
    match made["kind"]:
        case "Pod":
            yield Pod(where, made["spec"], metadata.get("labels", {}))
        case "Deployment" | "Job":
            template = made["spec"]["template"]
            yield Pod(where, template["spec"], template["metadata"].get("labels", {}))
        case "InferenceService":
            predictor = made["spec"]["predictor"]
            spec = {**predictor, "containers": predictor.get("containers") or [predictor["model"]]}
            own = {"serving.kserve.io/inferenceservice": metadata["name"], "component": "predictor"}
            yield Pod(where, spec, {**metadata.get("labels", {}), **own})
        case "LLMInferenceService":
            yield Pod(where, made["spec"]["template"], made["spec"].get("labels", {}))
        case "ServingRuntime":
            yield Pod(where, made["spec"], {})


def refused(values: Object) -> str:
    """What Helm says of values that the schema refuses."""
    with Chart.load(CHART) as chart, pytest.raises(HelmError) as found:
        chart.validate_schema(values)
    return str(found.value)


PAGES = sorted((ROOT / "docs").rglob("*.md"))


def base() -> Object:
    """What a reader has before a block is added: every twin, every store, nothing else."""
    full = ci("production-gpu")["config"]
    config = {key: full[key] for key in ("stores", "twins", "serving")}
    return {"config": config, "twins": [{"name": "docs", "kind": "llm"}]}
