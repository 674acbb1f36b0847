"""The end of `twin run end_to_end`: what answers now, how good it is, how to call it."""

import json
from collections.abc import Sequence

from components.adapters.stores import Stores
from components.runtime import champion
from components.shared.config import ClassicTwin, Config
from components.shared.evaluation import Evaluation, Measure
from components.shared.releases import Release
from pipelines import output
from pipelines.runner import StageRecord

#: The metric shown for a kind.
HEADLINE = {"classic": ("roc_auc", "ROC AUC"), "llm": ("answer_f1", "answer F1")}


def show(config: Config, records: Sequence[StageRecord]) -> None:
    """Print the time of every twin, the table of champions, and one `curl` an endpoint."""
    stores = Stores(config)
    base = f"http://{config.serving.host}:{config.serving.port}"
    found = [one for name in config.twins if (one := champion.champion_of(stores.warehouse, name))]
    for name in dict.fromkeys(record.twin for record in records):
        mine = [record for record in records if record.twin == name]
        skipped = sum(1 for record in mine if record.skipped)
        output.say(
            f"{name}: {sum(one.seconds for one in mine):.1f} s, {skipped} of {len(mine)} stages skipped"
        )
    output.say("")
    output.table("Champions", [_row(stores, one, base) for one in found])
    output.say("While `twin serve` runs:\n")
    output.say("\n\n".join(line for one in found for line in curls(config, stores, one.twin, base)))


def _row(stores: Stores, release: Release, base: str) -> dict[str, str]:
    name, title = HEADLINE[release.kind]
    return {
        "twin": release.twin,
        "release": release.id,
        "trained on": release.trained_on,
        "quality": quality(release.evaluation, name, title),
        "index": _size(stores, release),
        "endpoint": base + endpoint(release.kind, release.twin),
    }


def endpoint(kind: str, twin: str) -> str:
    """Path that a twin is served at."""
    return "/openai/v1/chat/completions" if kind == "llm" else f"/v1/models/{twin}:predict"


def quality(numbers: Evaluation, name: str, title: str) -> str:
    """The headline metric of candidate and baseline, each with its interval."""
    if name not in numbers.candidate:
        return f"{title} not measured"  # by the version that evaluated it
    text = f"{title} {_measure(numbers.candidate[name])}"
    if name in numbers.baseline:
        text += f"; {numbers.baseline_name} {_measure(numbers.baseline[name])}"
    return text


def _measure(found: Measure) -> str:
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def _size(stores: Stores, release: Release) -> str:
    if release.kind == "llm":
        made = stores.artifacts.with_version("embed", release.index_version)
        return f"{made.facts['chunks']} chunks" if made else "gone"
    made = stores.artifacts.with_version("materialize", release.feature_version)
    names = made.facts["features"] if made else None
    return (
        f"{made.facts['rows']} rows × {len(names)} features" if made and isinstance(names, list) else "gone"
    )


def curls(config: Config, stores: Stores, twin: str, base: str) -> list[str]:
    """Commands that call the twin as it is served; a classic one for an id that it has."""
    found = config.twin(twin)
    if not isinstance(found, ClassicTwin):
        body = {"model": twin, "messages": [{"role": "user", "content": "What is a release?"}]}
        return [_curl(base + endpoint(found.kind, twin), body)]
    key = found.table.key
    first = next(iter(stores.warehouse.scan("rows", twin=twin)))["key"]
    v1 = {"instances": [{key: first}]}
    v2 = {"inputs": [{"name": key, "shape": [1], "datatype": "BYTES", "data": [first]}]}
    return [_curl(base + endpoint(found.kind, twin), v1), _curl(f"{base}/v2/models/{twin}/infer", v2)]


def _curl(url: str, body: object) -> str:
    return f"curl -s {url} -H 'Content-Type: application/json' \\\n  -d '{json.dumps(body)}'"
