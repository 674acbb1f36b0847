"""The local LLM predictor beside its floor, a bare loop of transformers, and llama.cpp on the same weights.

Each side runs in a process of its own, so that the threads of one do not slow down another.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks.report import Row

#: Tokens of an answer, answers at once, tokens of a long prompt, and runs of which the best counts.
TOKENS, STREAMS, PROMPT, RUNS = 64, 8, 600, 3

START = "Once upon a time there was a small village where"

#: llama.cpp with the batching of its server, built for any x86-64 with AVX2: no compiler, and no AVX-512.
LLAMA = "xllamacpp==2026.10.11549"

#: Prints the same numbers as `ours`, for a GGUF file.
OTHER = f"""
import json, os, sys, threading, time
import xllamacpp
settings = xllamacpp.CommonParams()
settings.model.path, settings.verbosity = sys.argv[1], 0
settings.n_parallel, settings.n_ctx = {STREAMS}, 1024 * {STREAMS}
settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = len(os.sched_getaffinity(0))
server = xllamacpp.Server(settings)
def ask(prompt, tokens):
    words = dict(prompt=prompt, max_tokens=tokens, temperature=0, ignore_eos=True, cache_prompt=False)
    return server.handle_completions(words)["timings"]
def together():
    threads = [threading.Thread(target=ask, args=({START!r}, {TOKENS})) for _ in range({STREAMS})]
    start = time.perf_counter()
    for one in threads: one.start()
    for one in threads: one.join()
    return {STREAMS} * {TOKENS} / (time.perf_counter() - start)
one = max(ask({START!r}, {TOKENS})["predicted_per_second"] for _ in range({RUNS}))
read = max(ask(list(range(1000, 1000 + {PROMPT})), 1)["prompt_per_second"] for _ in range({RUNS}))
print(json.dumps(dict(one=one, together=max(together() for _ in range({RUNS})), read=read)))
"""


def rows() -> list[Row]:
    """Tokens a second: one stream, eight streams, reading a prompt."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        bare, mine = _side("bare", folder), _side("ours", folder)
        theirs = _llama(folder)
    floor = bare["bandwidth"] / bare["bytes"]
    found = [
        Row("predictor: one stream", mine["one"], "tokens/s", floor, "tokens/s, floor: weights once a token"),
        Row(
            "predictor: one stream", mine["one"], "tokens/s", bare["one"], "tokens/s, bare transformers loop"
        ),
    ]
    for kind, other in theirs.items():
        found += [
            Row(
                "predictor: one stream", mine["one"], "tokens/s", other["one"], f"tokens/s, llama.cpp {kind}"
            ),
            Row(
                f"predictor: {STREAMS} streams together",
                mine["together"],
                "tokens/s",
                other["together"],
                f"tokens/s, llama.cpp {kind}",
            ),
            Row(
                f"predictor: reading {PROMPT} tokens",
                mine["read"],
                "tokens/s",
                other["read"],
                f"tokens/s, llama.cpp {kind}",
            ),
        ]
    return found


def _side(name: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.predictor", name, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _llama(folder: Path) -> dict[str, dict[str, float]]:
    """Numbers of llama.cpp by what kind of weights it read; empty where it does not install."""
    from components.adapters.packaged import packaged
    from components.shared.config.llm import Foundation

    home = folder / "environment"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    installed = subprocess.run(
        [python, "-m", "pip", "install", "-q", "--only-binary=:all:", LLAMA], check=False
    )
    if installed.returncode:
        print(f"predictor: {LLAMA} does not install here, so llama.cpp is not measured")
        return {}
    shipped = packaged(Foundation().model, "foundation.model")
    same = folder / "same.gguf"
    _write(shipped, folder, same)
    found = {}
    for kind, path in {"on the same weights": same, "as shipped, 4 bits": shipped}.items():
        done = subprocess.run([python, "-c", OTHER, str(path)], capture_output=True, text=True, check=True)
        found[kind] = json.loads(done.stdout.splitlines()[-1])
    return found


def _write(shipped: Path, cache: Path, target: Path) -> None:
    """The weights that we serve, in bfloat16, as GGUF with the metadata of the shipped file."""
    import gguf
    import torch
    from safetensors.torch import load_file

    from components.adapters import foundation
    from components.shared.config.llm import Foundation

    read = gguf.GGUFReader(str(shipped))
    written = gguf.GGUFWriter(str(target), "llama")
    for name, one in read.fields.items():
        if not name.startswith("GGUF.") and name not in ("general.architecture", "general.file_type"):
            inner = one.types[-1] if one.types[0] == gguf.GGUFValueType.ARRAY else None
            written.add_key_value(name, one.contents(), one.types[0], inner)

    def number(name: str) -> int:
        return int(read.fields[f"llama.{name}"].contents())

    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, number("block_count"))
    heads = {"q_proj": number("attention.head_count"), "k_proj": number("attention.head_count_kv")}
    for name, loaded in load_file(foundation.weights(Foundation(), cache) / "model.safetensors").items():
        said = names.get_name(name, try_suffixes=(".weight",))
        if said is None:
            raise SystemExit(f"GGUF has no name for {name}")
        tensor = loaded
        # llama.cpp turns neighbouring numbers of a head together, transformers its two halves.
        if count := heads.get(name.split(".")[-2]):
            tensor = tensor.reshape(count, 2, -1, tensor.shape[1]).swapaxes(1, 2).reshape(tensor.shape)
        if tensor.ndim == 1:
            written.add_tensor(said, tensor.float().numpy())
        else:
            raw = tensor.contiguous().view(torch.uint8).numpy()
            written.add_tensor(said, raw, raw_dtype=gguf.GGMLQuantizationType.BF16)
    written.write_header_to_file()
    written.write_kv_data_to_file()
    written.write_tensors_to_file()
    written.close()


def bare(cache: Path) -> dict[str, float]:
    """The model called token by token, without batching, sampling or text; and what memory gives."""
    import torch
    from transformers import DynamicCache

    from components.adapters import foundation
    from components.shared.config.llm import Foundation

    found = foundation.base(Foundation(), cache, dtype="bfloat16")
    ids = found.tokenizer(START, return_tensors="pt")["input_ids"]

    def loop() -> float:
        past = DynamicCache(config=found.model.config)
        with torch.inference_mode():
            made = found.model(ids, past_key_values=past, use_cache=True)
            start = time.perf_counter()
            for _ in range(TOKENS):
                made = found.model(made.logits[:, -1:].argmax(-1), past_key_values=past, use_cache=True)
        return TOKENS / (time.perf_counter() - start)

    numbers = torch.ones(2**27)

    def reading() -> float:
        start = time.perf_counter()
        numbers.sum()
        return numbers.nbytes / (time.perf_counter() - start)

    size = sum(one.nbytes for one in found.model.parameters())
    return {"one": _best(loop), "bandwidth": _best(reading), "bytes": size}


def ours(cache: Path) -> dict[str, float]:
    """The predictor as the front uses it, from prompt to text."""
    from components.adapters import foundation
    from components.adapters.encoder import Encoder
    from components.serving.llm.local import LocalPredictor
    from components.serving.llm.predictor import Parameters
    from components.shared.config.llm import Encoder as EncoderSettings
    from components.shared.config.llm import Foundation

    # As in a front: the thread that opens a release has embedded a text, and keeps its OpenMP team.
    Encoder(EncoderSettings()).encode(["warm up"])
    found = foundation.load(Foundation(), cache, streams=True)
    predictor = LocalPredictor(lambda: (found.model, found.tokenizer))
    predictor.start()
    long = found.tokenizer.decode(found.tokenizer(START * PROMPT)["input_ids"][:PROMPT])

    async def answer(prompt: str, tokens: int) -> list[tuple[float, int]]:
        pieces = predictor.stream(prompt, Parameters(max_tokens=tokens))
        return [(time.perf_counter(), one.completion_tokens) async for one in pieces]

    async def one() -> float:
        seen = await answer(START, TOKENS)
        return (seen[-1][1] - seen[0][1]) / (seen[-1][0] - seen[0][0])

    async def together() -> float:
        start = time.perf_counter()
        seen = await asyncio.gather(*(answer(START, TOKENS) for _ in range(STREAMS)))
        return sum(each[-1][1] for each in seen) / (time.perf_counter() - start)

    async def read() -> float:
        start = time.perf_counter()
        return PROMPT / ((await answer(long, 1))[0][0] - start)

    try:
        return {each.__name__: _best(partial(_ran, each)) for each in (one, together, read)}
    finally:
        predictor.stop()


def _ran(measure: Callable[[], Coroutine[None, None, float]]) -> float:
    return asyncio.run(measure())


def _best(measure: Callable[[], float]) -> float:
    return max(measure() for _ in range(RUNS))


SIDES: dict[str, Callable[[Path], dict[str, Any]]] = {"bare": bare, "ours": ours}

if __name__ == "__main__":
    print(json.dumps(SIDES[sys.argv[1]](Path(sys.argv[2]))))
