"""Twin docs on the OpenAI chat API, through the real server and the official client."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest

from components.runtime.context import Context
from components.serving import client
from components.shared.errors import NotFoundError, RequestError

QUESTION = "What does the gate compare?"


@pytest.fixture
def api(served: Any) -> openai.OpenAI:
    # The client wants a key; the server takes none yet.
    key = "none"
    return openai.OpenAI(base_url=f"{served.url}/openai/v1", api_key=key, max_retries=0)


def ask(api: openai.OpenAI, **more: Any) -> Any:
    messages = [{"role": "user", "content": QUESTION}]
    return api.chat.completions.create(**{"model": "docs", "messages": messages, "max_tokens": 24, **more})


def streamed(api: openai.OpenAI, **more: Any) -> tuple[str, list[Any]]:
    chunks = list(ask(api, stream=True, stream_options={"include_usage": True}, **more))
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices), chunks


def test_stream_equals_whole_at_temperature_0(api: openai.OpenAI) -> None:
    whole = ask(api, temperature=0)
    text, chunks = streamed(api, temperature=0)
    assert text == whole.choices[0].message.content
    assert text.strip()
    assert chunks[-1].usage == whole.usage
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens
    reasons = [c.choices[0].finish_reason for c in chunks if c.choices]
    assert reasons[-1] == whole.choices[0].finish_reason
    assert not any(reasons[:-1])


def test_citations_are_chunks_of_the_index(served: Any, api: openai.OpenAI) -> None:
    from components.adapters.encoder import Encoder

    extension = ask(api).model_extra["twinstack"]
    assert extension["release"] == served.docs.id
    assert extension["citations"][0]["path"] == "gate.md"
    context = Context(served.config, "docs", "t")
    index = context.stores.vectors.open("docs", served.docs.index_version)
    found = index.dense(Encoder(context.llm.encoder).encode([QUESTION])[0], 100)
    index.close()
    known = {one.chunk_id: (one.path, one.text) for one in found}
    for one in extension["citations"]:
        assert known[one["chunk_id"]] == (one["path"], one["text"])
    _, chunks = streamed(api)
    assert chunks[0].model_extra["twinstack"] == extension


def test_seed_repeats_an_answer(api: openai.OpenAI) -> None:
    def sampled(seed: int) -> str:
        return str(ask(api, temperature=1.0, seed=seed).choices[0].message.content)

    first, again, other = sampled(1), sampled(1), sampled(2)
    assert first == again
    assert first != other
    # Together in one batch, each still draws its own numbers.
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(sampled, (1, 2, 3, 4)))) > 2


def test_stop_is_left_out(api: openai.OpenAI) -> None:
    whole = ask(api).choices[0].message.content
    word = whole.split()[2]
    cut = ask(api, stop=word).choices[0]
    assert cut.finish_reason == "stop"
    assert cut.message.content == whole[: whole.index(word)]
    assert streamed(api, stop=[word])[0] == cut.message.content


def test_length_ends_an_answer(api: openai.OpenAI) -> None:
    answer = ask(api, max_tokens=2)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 2


def test_models(served: Any, api: openai.OpenAI) -> None:
    assert [one.id for one in api.models.list()] == ["docs"]
    assert api.models.retrieve("docs").id == "docs"
    assert served.client.get("/v1/models").json() == {"models": ["credit", "docs"]}
    with pytest.raises(openai.NotFoundError, match="no LLM twin 'credit'"):
        ask(api, model="credit")


def test_long_question_names_field_length_and_limit(served: Any) -> None:
    answer = served.chat("x" * 100_000)
    assert answer.status_code == 413
    message = answer.json()["error"]["message"]
    assert answer.json()["error"]["param"] == "messages[0].content"
    assert "100000" in message
    assert str(served.config.serving.max_question_characters) in message


def test_long_conversation_has_no_room(served: Any) -> None:
    messages = [{"role": "user", "content": "word " * 1500}] * 3
    answer = served.post("/openai/v1/chat/completions", {"model": "docs", "messages": messages})
    assert answer.status_code == 413
    assert "tokens" in answer.json()["error"]["message"]


def test_a_client_that_leaves_stops_the_generation(served: Any) -> None:
    def tokens() -> float:
        name = 'twinstack_disconnect_total{twin="docs"}'
        lines = served.client.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    before = tokens()
    body = {
        "model": "docs",
        "stream": True,
        "temperature": 2.0,
        "max_tokens": 512,
        "messages": [{"role": "user", "content": "Write a very long story."}],
    }
    with served.client.stream("POST", "/openai/v1/chat/completions", json=body) as answer:
        next(line for line in answer.iter_lines() if '"content"' in line)
    # Each scrape is answered by the same event loop, so a few of them give it the time to notice.
    assert any(tokens() > before for _ in range(2000))


def test_our_own_client(served: Any) -> None:
    heard: list[Any] = list(client.ask(served.url, "docs", QUESTION, max_tokens=24))
    *pieces, last = heard
    once = client.ask_once(served.url, "docs", QUESTION, max_tokens=24)
    assert "".join(pieces) == once["answer"]
    assert last["citations"] == once["citations"]
    assert last["release"] == served.docs.id
    found = client.predict(served.url, "credit", [{"applicant_id": "A0001"}])
    assert 0 < found[0]["probability"] < 1
    with pytest.raises(NotFoundError, match="A9999"):
        client.predict(served.url, "credit", [{"applicant_id": "A9999"}])
    with pytest.raises(RequestError, match="100000"):
        list(client.ask(served.url, "docs", "x" * 100_000))


def test_no_question_in_the_log(served: Any) -> None:
    served.chat("zanzibar quokka", max_tokens=1)
    served.chat("zanzibar quokka", max_tokens=10**6)
    assert "zanzibar" not in "".join(served.log)
    assert "/openai/v1/chat/completions" in "".join(served.log)


#: What clients send who ask for nothing by it.
NEUTRAL = {
    "frequency_penalty": 0,
    "presence_penalty": 0.0,
    "logit_bias": {},
    "logprobs": False,
    "top_logprobs": 0,
    "tools": None,
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "modalities": ["text"],
    "store": False,
    "service_tier": "auto",
}


def test_fields_that_ask_for_nothing_are_taken(served: Any) -> None:
    plain, said = served.chat("x", max_tokens=2), served.chat("x", max_tokens=2, **NEUTRAL)
    assert said.status_code == 200, said.text
    assert said.json()["choices"] == plain.json()["choices"]
    body = {"model": "docs", "prompt": "x", "max_tokens": 1, "logprobs": None, "suffix": None, "echo": False}
    assert served.post("/openai/v1/completions", body).status_code == 200


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 100_000}, "max_tokens"),
        ({"max_tokens": "5"}, "max_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "nan"}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"n": 5}, "n"),
        ({"tools": []}, "tools"),
        ({"messages": []}, "messages"),
        ({"messages": "x"}, "messages"),
        ({"messages": [{"role": "user", "content": " "}]}, "messages[0]"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages[0]"),
        ({"messages": [{"role": "root", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": None}]}, "messages.0.content"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"seed": 1.5}, "seed"),
        ({"stream": 1}, "stream"),
        ({"logprobs": True}, "logprobs"),
        ({"logit_bias": {"50256": -100}}, "logit_bias.50256"),
        ({"store": True}, "store"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"reasoning_effort": "high"}, "reasoning_effort"),
    ],
)
def test_wrong_fields_are_named(served: Any, change: dict[str, Any], param: str) -> None:
    body = {"model": "docs", "messages": [{"role": "user", "content": "x"}], **change}
    answer = served.post("/openai/v1/chat/completions", json.dumps(body).encode())
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"] == param
