"""A project of kind llm in a folder of its own, over weights that the session converted."""

import json
from pathlib import Path
from typing import Any

from components.adapters import foundation
from components.runtime.context import Context, Draft
from components.shared.config import Config, load
from components.shared.config.llm import Finetune, Foundation
from components.shared.manifests import Manifest

ROOT = Path(__file__).resolve().parents[2]


def docs(state: Path, cache: Path, **training: object) -> Config:
    """The shipped docs twin with its own state folder, the shared weights and a training of its own."""
    values = load(ROOT / "twinstack.yaml").model_dump(mode="json")
    values["state"] = str(state)
    values["twins"] = {"docs": values["twins"]["docs"]}
    values["twins"]["docs"]["training"].update(training)
    state.mkdir(parents=True, exist_ok=True)
    (state / "foundation").symlink_to(cache.resolve())
    return Config(**values)


def adapted(cache: Path, folder: Path, strength: float) -> Any:
    """The shipped model beside an adapter of so much noise, the same every time, saved in a folder."""
    import torch

    from components.finetune import training

    made = training.adapted(foundation.base(Foundation(), cache, dtype="float32").model, Finetune(rank=4), 1)
    torch.manual_seed(1)
    with torch.no_grad():
        for name, one in made.named_parameters():
            if "lora_B" in name:
                one.normal_(0, strength)
    training.save(made, folder, "test")
    return made


def conversation(number: int) -> list[dict[str, str]]:
    return [
        {"role": "user", "content": f"What is the code of room {number}?"},
        {"role": "assistant", "content": f"The code of room {number} is {number * 7919 % 1000}."},
    ]


def dataset(config: Config, examples: int = 24) -> Manifest:
    """A committed dataset of short conversations."""

    def build(folder: Path) -> Draft:
        for part, numbers in {"train": range(examples), "held_out": range(100, 104)}.items():
            rows = [json.dumps({"document": f"{one}", "messages": conversation(one)}) for one in numbers]
            (folder / f"{part}.jsonl").write_text("\n".join([*rows, ""]))
        return Draft("", {})

    return Context(config, "docs", "instruct").commit(settings={}, parents={}, build=build)
