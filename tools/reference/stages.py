"""The page about stages, from their KFP shells."""

import importlib
import re
from pathlib import Path
from typing import Any

import components
from components.runtime.entry import SLOTS
from components.shared import images

INTRO = """# Stages

## What a stage is
A stage is one Kubeflow component in its own container on a cluster, and one folder in `components/`. \
The columns say which slots it reads, which slot it leaves, and which image it runs in.

## Inputs are optional
Every input slot may be left out; the twin's newest output is used then. Parameters are `config`, the \
JSON text of the configuration, and `twin`, the twin's name; stages that train also take `allow_dirty`.
"""

#: Order of the macro DAG; variants by kind side by side.
ORDER = (
    "collect", "validate", "materialize", "embed", "snapshot", "instruct", "train", "finetune",
    "evaluate", "gate", "release", "monitor",
)  # fmt: skip

PARAMETERS = {"config", "twin", "allow_dirty"}


def names() -> list[str]:
    """Stages that have a shell, in the order of the DAG; unknown ones last."""
    root = Path(components.__file__).parent
    found = {path.parent.name for path in root.glob("*/component.py")}
    return [one for one in ORDER if one in found] + sorted(found - set(ORDER))


def page() -> str:
    """The whole page: a table, then a section a stage."""
    rows, sections = [], []
    for name in names():
        spec = _spec(name)
        image = _image(spec)
        reads = [one for one in (spec.inputs or {}) if one not in PARAMETERS]
        leaves = list(spec.outputs or {})
        rows.append(f"| `{name}` | {_code(reads) or 'the sources'} | {_code(leaves)} | {image} |")
        sections.append(_section(name, reads, spec, image))
    table = "\n".join(["| stage | reads | leaves | image |", "|---|---|---|---|", *rows])
    slots = "\n".join(f"- `{slot}` is filled by {_code(stages, ' or ')}." for slot, stages in SLOTS.items())
    return (
        f"{INTRO}\n## Table of stages\n{table}\n\n## Which stage fills a slot\n{slots}\n\n"
        + "\n\n".join(sections)
        + "\n"
    )


def _section(name: str, reads: list[str], spec: Any, image: str) -> str:
    doc = (importlib.import_module(f"components.{name}").__doc__ or "").strip().splitlines()[0]
    outputs = ", ".join(f"`{slot}` ({out.type.split('@')[0]})" for slot, out in (spec.outputs or {}).items())
    inputs = _code(reads) or "no other stage's output"
    # "Stage: what it does" or "Stage (kind and slot): what it does".
    doc = re.sub(r"^Stage(?: \((.*?)\))?: ", lambda found: f"{found[1]}: " if found[1] else "", doc)
    return (
        f"## Stage `{name}`\n{doc[0].upper()}{doc[1:]}\n\n"
        f"It reads {inputs}, leaves {outputs}, and runs in the image `{image}`. "
        f"By hand: `python -m components.{name} --twin NAME`."
    )


def _spec(name: str) -> Any:
    module = importlib.import_module(f"components.{name}.component")
    return getattr(module, name).component_spec


def _image(spec: Any) -> str:
    known = {getattr(images, one): one.lower() for one in ("PIPELINE", "TRAIN", "SERVE")}
    return known[spec.implementation.container.image]


def _code(words: Any, joined: str = ", ") -> str:
    return joined.join(f"`{one}`" for one in words)
