"""Valid values always render to valid objects; valid values with one mistake are always refused."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helm.checking import findings
from tests.helm.generating import valid
from tests.helm.places import DEFAULTS, changed, leaves, mappings
from tests.helm.rendering import TEMPLATES, Object, files, merged, read, refused

EXAMPLES = 40

#: What some example has to have had, beside each value of each key.
BRANCHES = {
    f"{mode} {part} of {kind} by {by}"
    for mode in ("Standard", "Knative")
    for kind in ("classic", "llm")
    for part in ("front", "InferenceService")
    for by in ("cpu", "requests", "none")
} | {
    "Standard LLMInferenceService of llm by requests",
    "Knative front of classic at 0", "Knative front of llm at 0",
    "Standard InferenceService of classic at 0", "Standard InferenceService of llm at 0",
    "Knative InferenceService of llm at 0",
    "InferenceService with adapters", "LLMInferenceService with adapters",
    "InferenceService with cache", "LLMInferenceService with cache",
    *(f"secret with {part}" for part in ("env", "mount", "external")),
    *(f"secret for {pods}" for pods in ("front", "console", "migration", "test")),
}  # fmt: skip

#: Values that are the same in every example: what makes it valid, and names.
FIXED = {"serving", "stores", "image", "keySecret", "nodeGroups", "external", "env", "mount"}


def _branches(values: Object) -> Iterator[str]:
    mode = values["config"]["cluster"]["deployment_mode"]
    for twin in values["twins"]:
        one = twin["predictor"]
        engine = one.get("engine", "InferenceService")
        for name, part in {"front": twin["front"], engine: one}.items():
            if not part["enabled"]:
                continue
            scaling = part["scaling"]
            given = "cpu" if twin["kind"] == "classic" and mode == "Standard" else "requests"
            yield f"{mode} {name} of {twin['kind']} by {scaling['by'] or given}"
            if not scaling["minReplicas"]:
                yield f"{mode} {name} of {twin['kind']} at 0"
        if one["enabled"] and one.get("adapters"):
            yield f"{engine} with adapters"
        if one["enabled"] and one.get("cache", {}).get("enabled"):
            yield f"{engine} with cache"
    for secret in values["secrets"]:
        yield from (f"secret with {part}" for part in secret if part not in ("name", "for"))
        yield from (f"secret for {pods}" for pods in secret["for"])


def _key(path: str) -> str:
    """The same key of every twin and every secret."""
    return ".".join(name for name in path.split(".") if not name.isdigit())


@cache
def _findings(made: str) -> list[tuple[str, str]]:
    """Many objects are the same in every example."""
    return findings(json.loads(made))


def test_valid_values_render_to_valid_objects_and_reach_every_branch() -> None:
    branches: set[str] = set()
    templates: dict[str, set[bool]] = {}
    taken: dict[str, set[str]] = {}

    for number in range(EXAMPLES):
        values = valid(number)
        branches.update(_branches(values))
        for path, value in leaves(values):
            taken.setdefault(_key(path), set()).add(json.dumps(value))
        texts = files(values)
        for path, text in texts.items():
            templates.setdefault(path, set()).add("kind:" in text)
        wrong = [(made["kind"], found) for made in read(texts) for found in _findings(json.dumps(made))]
        assert wrong == [], number
    assert BRANCHES - branches == set()
    assert [key for key, given in taken.items() if len(given) < 2 and not FIXED & set(key.split("."))] == []
    assert [path for path, made in templates.items() if True not in made and path != "NOTES.txt"] == []
    assert {path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.yaml")} <= templates.keys()


MISTAKES = ("another type", "a number beyond every bound", "an unknown key")


@given(number=st.integers(0, 10_000), data=st.data())
@settings(max_examples=2 * EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_valid_values_with_one_mistake_are_refused(number: int, data: st.DataObject) -> None:
    whole = merged(DEFAULTS, valid(number))
    places = dict(leaves(whole))
    numbers = [path for path, value in places.items() if type(value) in (int, float)]
    match data.draw(st.sampled_from(MISTAKES)):
        case "another type":
            path = data.draw(st.sampled_from(sorted(places)))
            mistake: Any = {"a": "mapping"}
        case "an unknown key":
            path = f"{data.draw(st.sampled_from(sorted(mappings(whole))))}.mistyped".lstrip(".")
            mistake = data.draw(st.sampled_from([True, 1, {}]))
        case _:
            path = data.draw(st.sampled_from(numbers))
            mistake = data.draw(st.sampled_from([-(10**13), 10**13]))
    refused(changed(whole, path, mistake))
