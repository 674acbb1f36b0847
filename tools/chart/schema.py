"""`values.schema.json`: strict, from the types of the values and from `Config`."""

import json
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter

from components.shared.config.names import ADDRESS
from components.shared.config.root import SECRET, Config
from tools.chart.comments import described
from tools.chart.values import Values

Schema = dict[str, Any]

#: Mappings of the defaults that hold what Kubernetes takes.
PLAIN = ("resources", "labels")

#: Keywords whose keys are names, not keywords.
NAMED = ("properties", "patternProperties", "$defs")

HEAD: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Values of the chart twinstack",
    "$comment": "Written by tools/generate_docs.py. Change the code, not this file.",
}

DEFINITIONS = "#/$defs/"

#: A text without a password in an address: values are written into objects that many may read. `const` fails,
#: because Helm then says this sentence; of `not` it gives no reason, of `pattern` it repeats the password.
WITHOUT_PASSWORD: Schema = {
    "if": {"type": "string", "pattern": SECRET.pattern},
    "then": {"const": "an address without a password; pods get it by `secrets`, stages by `cluster.secrets`"},
}


def schema(values: Path) -> str:
    """The schema as text; descriptions of values come from the comments of `values.yaml`."""
    own = TypeAdapter(Values).json_schema()
    config = Config.model_json_schema()
    definitions = {
        **own.pop("$defs"),
        **{f"Config.{name}": part for name, part in config.pop("$defs").items()},
    }
    config = _renamed(config)
    definitions = {
        name: _renamed(part) if name.startswith("Config.") else part for name, part in definitions.items()
    }
    whole = {**own, "$defs": definitions}
    whole["properties"]["config"] = _without_demands(config)
    # Helm hands the values of subcharts' parents down under this name.
    whole["properties"]["global"] = {"type": "object"}
    _refuse_passwords(whole)
    defaults = yaml.safe_load(values.read_text(encoding="utf-8"))
    strict = {**HEAD, **_strict(whole), "allOf": [_demands(defaults)]}
    for path, text in described(values).items():
        if (place := _at(strict, path.split("."))) is not None:
            place.setdefault("description", text)
    return json.dumps(strict, indent=1, ensure_ascii=False) + "\n"


def _demands(defaults: Schema) -> Schema:
    """Every default is there, because templates count on it: `monitoring:` with nothing below takes it away.

    Lists may be emptied so, and so may entries of mappings that are Kubernetes' own.
    """
    named = {key: value for key, value in defaults.items() if not isinstance(value, list)}
    inner = {
        key: _demands(value)
        for key, value in named.items()
        if isinstance(value, dict) and value and key not in PLAIN
    }
    return {"required": sorted(named)} | ({"properties": inner} if inner else {})


def _renamed(part: Any) -> Any:
    """References to the definitions of `Config` under their new names."""
    if isinstance(part, dict):
        return {key: _renamed(value) for key, value in part.items()}
    if isinstance(part, list):
        return [_renamed(one) for one in part]
    if isinstance(part, str) and part.startswith(DEFINITIONS):
        return f"{DEFINITIONS}Config.{part.removeprefix(DEFINITIONS)}"
    return part


def _without_demands(config: Schema) -> Schema:
    """A chart without a twin renders; what it needs for one, the templates and the migration say."""
    config.pop("required", None)
    config["properties"]["twins"].pop("minProperties", None)
    return config


def _refuse_passwords(whole: Schema) -> None:
    """In addresses of stores, models and servers, and in plain variables."""
    fields = {
        f"{name}.{field}": part
        for name, kind in whole["$defs"].items()
        if name.startswith("Config.")
        for field, part in kind.get("properties", {}).items()
    }
    places = [
        part
        for name, part in fields.items()
        if name.startswith("Config.Stores.")
        or name == "Config.Foundation.model"
        or part.get("pattern") == ADDRESS
    ]
    for variables in (whole["properties"]["environment"], fields["Config.Cluster.variables"]):
        places += variables["patternProperties"].values()
    for place in places:
        place.update(WITHOUT_PASSWORD)


def _strict(part: Any) -> Any:
    """No titles, no unknown keys, and choices by `kind` or `type` that name the wrong field."""
    if isinstance(part, list):
        return [_strict(one) for one in part]
    if not isinstance(part, dict):
        return part
    if "discriminator" in part:
        return _chosen(part)
    found = {
        key: {name: _strict(one) for name, one in value.items()} if key in NAMED else _strict(value)
        for key, value in part.items()
        if key not in ("title", "default")
    }
    if "patternProperties" in found:
        found["additionalProperties"] = False
    elif found.get("additionalProperties") is False and "properties" in found:
        # Helm's refusal of an unknown key then lists the keys that there are.
        found["propertyNames"] = {"enum": sorted(found["properties"])}
    return found


def _chosen(part: Schema) -> Schema:
    """`oneOf` with a discriminator as `if` and `then`: a failure is about a field, not about every choice."""
    name = part["discriminator"]["propertyName"]
    choices = part["discriminator"]["mapping"]
    return {
        "type": "object",
        "required": [name],
        "properties": {name: {"enum": list(choices)}},
        "allOf": [
            {"if": {"properties": {name: {"const": value}}, "required": [name]}, "then": {"$ref": target}}
            for value, target in choices.items()
        ],
    }


def _at(whole: Schema, path: list[str]) -> Schema | None:
    """The part of the schema that describes a value."""
    part: Schema | None = whole
    for name in path:
        assert part is not None
        if "$ref" in part:
            part = whole["$defs"][part["$ref"].removeprefix(DEFINITIONS)]
        part = part.get("properties", {}).get(name)
        if part is None:
            return None
    return part
