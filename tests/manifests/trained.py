"""The pods of a fine-tuning: the runtime of the manifests, and over it the TrainJob of stage finetune."""

import copy
from typing import Any

from components.adapters.kubernetes.train_job import NODE, train_job
from components.shared.config import Config
from tests.manifests.rendering import Object


def trained(runtime: Object, config: Config) -> Object:
    """The template of the pods, merged as Kubeflow Trainer does it: by name of job and container."""
    spec = train_job(config, "docs", "0123456789abcdef", [])["spec"]
    (patch,) = spec["runtimePatches"]
    job = _named(runtime["spec"]["template"]["spec"]["replicatedJobs"])[NODE]
    over = _named(patch["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"])[NODE]
    found: Object = _merged(job["template"]["spec"]["template"], over["template"]["spec"]["template"])
    node = _named(found["spec"]["containers"])[NODE]
    trainer = spec["trainer"]
    node |= {"image": trainer["image"], "resources": trainer["resourcesPerNode"]}
    node["env"] = [*node.get("env", []), *trainer["env"]]
    return found


def _named(items: list[Object]) -> dict[str, Object]:
    return {one["name"]: one for one in items}


def _merged(under: Any, over: Any) -> Any:
    """A strategic merge, as far as pods need it: lists of what has a name go together by it."""
    if isinstance(under, dict) and isinstance(over, dict):
        both = under.keys() & over.keys()
        return copy.deepcopy({**under, **over}) | {key: _merged(under[key], over[key]) for key in both}
    if isinstance(over, list) and over and all("name" in one for one in [*under, *over]):
        return list(_merged(_named(under), _named(over)).values())
    return copy.deepcopy(over)
