"""Safetensors weights made from a GGUF file, named after what they are made from and by.

Imports nothing of ours: a build of an image runs this file by itself, so that its layer of weights changes
with the packages and not with every commit (`images/`).
"""

import contextlib
import functools
import hashlib
import json
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

#: Weights that an image holds ready, below the environment: nobody may write there, and no variable names it.
READY = Path(sys.prefix) / "share" / "twinstack" / "foundation"

#: Raise it when `convert` writes something else than before.
FORMAT = 1


def name(source: Path) -> str:
    """Name of the folder of converted weights: another file, way of converting or transformers has another.

    Args:
        source: The GGUF file.
    """
    with source.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    return f"{content}-{FORMAT}-transformers-{version('transformers')}"


def convert(source: Path, target: Path) -> None:
    """Write weights in bfloat16, tokenizer and configuration of a GGUF file into a folder.

    Args:
        source: The GGUF file.
        target: Receives them; readable by everybody.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    where = {"gguf_file": source.name}
    with _read_once():
        model: Any = AutoModelForCausalLM.from_pretrained(source.parent, dtype=torch.bfloat16, **where)
        tokenizer = AutoTokenizer.from_pretrained(source.parent, **where)
    # The weights are plain numbers from here on; the quantised form is neither kept nor named.
    model.hf_quantizer = None
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)
    config = json.loads((target / "config.json").read_text(encoding="utf-8"))
    config.pop("quantization_config", None)
    (target / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    for path in target.iterdir():
        path.chmod(0o644)


@contextlib.contextmanager
def _read_once() -> Iterator[None]:
    """Have gguf remember what transformers asks it for again and again: two thirds of a conversion.

    It parses the header, of 100,000 fields, for configuration, weights and tokenizer each, and makes the
    table of tensor names for every module.
    """
    import gguf

    before = {name: getattr(gguf, name) for name in ("GGUFReader", "get_tensor_name_map")}
    for name, found in before.items():
        setattr(gguf, name, functools.cache(found))
    try:
        yield
    finally:
        for name, found in before.items():
            setattr(gguf, name, found)


if __name__ == "__main__":
    for given in sys.argv[1:]:
        convert(Path(given), READY / name(Path(given)))
