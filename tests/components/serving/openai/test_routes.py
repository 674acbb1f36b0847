"""The rest of OpenAI's API, through the real server and the official client."""

import base64
import json
from typing import Any

import jsonschema
import numpy as np
import openai
import pytest
from pydantic import BaseModel

from components.runtime.context import Context
from components.serving.openai.embedding_request import MAX_TEXTS

QUESTION = "What does the gate compare?"


@pytest.fixture
def api(served: Any) -> openai.OpenAI:
    key = "none"
    return openai.OpenAI(base_url=f"{served.url}/openai/v1", api_key=key, max_retries=0)


def ask(api: openai.OpenAI, question: str = QUESTION, **more: Any) -> Any:
    messages = [{"role": "user", "content": question}]
    return api.chat.completions.create(**{"model": "docs", "messages": messages, "max_tokens": 16, **more})


def twinstack(answer: BaseModel) -> dict[str, Any]:
    """What an answer tells beyond OpenAI's fields."""
    found: dict[str, Any] = (answer.model_extra or {})["twinstack"]
    return found


def problem(error: openai.APIStatusError) -> dict[str, Any]:
    assert isinstance(error.body, dict)
    return error.body


def test_several_answers_differ_and_are_all_counted(api: openai.OpenAI) -> None:
    answer = ask(api, n=3, temperature=1.0, seed=5)
    texts = [one.message.content for one in answer.choices]
    assert [one.index for one in answer.choices] == [0, 1, 2]
    assert len(set(texts)) > 1
    alone = ask(api, max_tokens=1)
    assert answer.usage.prompt_tokens == alone.usage.prompt_tokens
    assert answer.usage.completion_tokens > 16


def test_several_answers_stream_side_by_side(api: openai.OpenAI) -> None:
    whole = ask(api, n=2)
    chunks = list(ask(api, n=2, stream=True, stream_options={"include_usage": True}))
    texts, ends = ["", ""], [0, 0]
    for choice in (one for chunk in chunks for one in chunk.choices):
        texts[choice.index] += choice.delta.content or ""
        ends[choice.index] += choice.finish_reason is not None
    assert texts == [one.message.content for one in whole.choices]
    assert ends == [1, 1]
    assert chunks[-1].usage == whole.usage


def test_too_many_answers_are_refused(api: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="n is 64; allowed: 1 to 4"):
        ask(api, n=64)


def test_retrieval_off_gives_the_model_no_context(api: openai.OpenAI) -> None:
    plain = api.chat.completions.with_raw_response.create(
        model="docs",
        messages=[{"role": "user", "content": QUESTION}],
        max_tokens=4,
        extra_body={"twinstack": {"retrieval": "off"}},
    )
    answer = plain.parse()
    assert twinstack(answer)["citations"] == []
    assert "x-twinstack-citations" not in plain.headers
    assert answer.usage is not None
    assert answer.usage.prompt_tokens < ask(api).usage.prompt_tokens


def test_forced_retrieval_answers_or_says_that_nothing_fits(api: openai.OpenAI, served: Any) -> None:
    forced = {"twinstack": {"retrieval": "forced"}}
    raw = api.chat.completions.with_raw_response.create(
        model="docs", messages=[{"role": "user", "content": QUESTION}], max_tokens=4, extra_body=forced
    )
    cited = [one["chunk_id"] for one in twinstack(raw.parse())["citations"]]
    assert raw.headers["x-twinstack-citations"].split(",") == cited
    assert raw.headers["x-twinstack-release"] == served.docs.id
    # A conversation that leaves no room for a single chunk.
    messages = [{"role": "user", "content": "word " * 1500}, {"role": "user", "content": "word " * 370}]
    with pytest.raises(openai.UnprocessableEntityError, match="nothing in the corpus") as found:
        ask(api, messages=messages, max_tokens=64, extra_body=forced)
    assert problem(found.value)["param"] == "twinstack.retrieval"


@pytest.mark.parametrize(
    ("extension", "param"),
    [
        ({"retrieval": "sometimes"}, "twinstack.retrieval"),
        ({"unknown": 1}, "twinstack.unknown"),
        ({"links": ["x"] * 9}, "twinstack.links"),
        ({"links": ["http://localhost/"]}, "twinstack.links[0]"),
        ({"variables": {"a": None}}, "twinstack.variables"),
        ({"variables": {"tone": "x"}}, "twinstack.variables.tone"),
    ],
)
def test_wrong_extension_is_named(served: Any, extension: dict[str, Any], param: str) -> None:
    answer = served.chat(QUESTION, twinstack=extension)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"].startswith(param)


def test_a_page_is_further_context_with_its_url_as_citation(released: Any) -> None:
    from components.serving.llm.asking import Page
    from components.serving.llm.parts import open_retriever
    from components.serving.sharing import Loans, Shared

    _, config, _, docs = released
    loans = Loans(Shared())
    retriever = open_retriever(Context(config, "docs", "t").stores, docs, loans)
    text = "Nothing here.\n\n" * 60 + "The gate is painted green.\n\n" + "Nor here.\n\n" * 60
    cited = retriever.quote("Which colour is the gate?", Page("https://example.org/g", "Gates", text))
    loans.end()
    assert {one.path for one in cited} == {"https://example.org/g"}
    assert "painted green" in cited[0].text
    prompt = retriever.prompt(cited, {})
    assert "[1] https://example.org/g — Gates\n<<< page " in prompt


def test_completions_go_on_with_a_raw_text(api: openai.OpenAI, served: Any) -> None:
    prompt = "The capital of France is"
    whole = api.completions.create(model="docs", prompt=prompt, max_tokens=8, temperature=0)
    assert whole.object == "text_completion"
    assert "Paris" in whole.choices[0].text
    # Neither a chat template nor a system prompt was put around it.
    assert whole.usage is not None
    assert whole.usage.prompt_tokens == 5
    chunks = list(
        api.completions.create(
            model="docs",
            prompt=prompt,
            max_tokens=8,
            temperature=0,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert "".join(one.text for c in chunks for one in c.choices) == whole.choices[0].text
    assert chunks[-1].usage == whole.usage
    assert twinstack(chunks[0])["release"] == served.docs.id
    two = api.completions.create(model="docs", prompt=prompt, max_tokens=8, temperature=1, seed=1, n=2)
    assert len({one.text for one in two.choices}) == 2


def test_embeddings_are_those_of_the_releases_encoder(api: openai.OpenAI, served: Any) -> None:
    from components.adapters.encoder import Encoder

    texts = ["An index version is immutable.", "The gate blocks."] * 20
    wanted = Encoder(Context(served.config, "docs", "t").llm.encoder).encode(texts)
    found = api.embeddings.create(model="docs", input=texts, encoding_format="float")
    vectors = np.array([one.embedding for one in found.data])
    assert vectors.shape == (40, 384)
    assert np.abs(vectors - wanted).max() < 0.02  # bfloat16, batches of another shape
    assert found.usage.prompt_tokens > 40
    # The official client asks for base64 where nothing else is said, and decodes it.
    default = api.embeddings.create(model="docs", input=texts[0], dimensions=384)
    assert np.abs(np.array(default.data[0].embedding) - wanted[0]).max() < 0.02
    raw = served.post(
        "/openai/v1/embeddings", {"model": "docs", "input": texts[0], "encoding_format": "base64"}
    ).json()
    assert len(base64.b64decode(raw["data"][0]["embedding"])) == 384 * 4


def test_the_document_describes_our_routes_and_the_one_shape_of_errors(served: Any) -> None:
    document = served.client.get("/openapi.json").json()
    for path, field in (("chat/completions", "messages"), ("completions", "prompt"), ("embeddings", "input")):
        operation = document["paths"][f"/openai/v1/{path}"]["post"]
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        assert field in body["required"] and body["additionalProperties"] is False
        assert "$ref" not in json.dumps(body)
        assert "200" in operation["responses"]
    extension = document["paths"]["/openai/v1/chat/completions"]["post"]["requestBody"]
    assert "retrieval" in json.dumps(extension)
    for path in document["paths"].values():
        for operation in path.values():
            shape = operation["responses"]["default"]["content"]["application/json"]["schema"]
            assert shape == {"$ref": "#/components/schemas/Problem"}
    error = served.client.get("/nope").json()
    jsonschema.validate(error, document["components"]["schemas"]["Problem"])


def test_embeddings_refuse_what_they_do_not_do(api: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="dimensions is 64; the encoder of this twin has 384"):
        api.embeddings.create(model="docs", input="x", dimensions=64)
    with pytest.raises(openai.BadRequestError, match="input"):
        api.embeddings.create(model="docs", input=["x"] * (MAX_TEXTS + 1))
    with pytest.raises(openai.BadRequestError, match="input"):
        api.embeddings.create(model="docs", input=[[1, 2]])
    with pytest.raises(openai.NotFoundError):
        api.embeddings.create(model="credit", input="x")


def test_an_answer_that_is_no_json_is_a_clear_error(api: openai.OpenAI) -> None:
    shape = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"const": "never said"}}}
    with pytest.raises(openai.UnprocessableEntityError, match="two tries") as found:
        ask(api, response_format=shape)
    assert problem(found.value)["type"] == "response_format_error"
    assert problem(found.value)["param"] == "response_format"


def test_an_answer_of_the_form_is_bare_json(api: openai.OpenAI) -> None:
    shape = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "integer"}}}
    shown = [
        ("One plus one?", "2"),
        ("Two plus two?", "4"),
        ("Five plus five?", "10"),
        ("Two plus one?", "3"),
    ]
    messages = [
        {"role": role, "content": text}
        for pair in shown
        for role, text in zip(("user", "assistant"), pair, strict=True)
    ]
    answer = ask(
        api,
        messages=[*messages, {"role": "user", "content": "Three plus three?"}],
        response_format=shape,
        extra_body={"twinstack": {"retrieval": "off"}},
    )
    assert isinstance(json.loads(answer.choices[0].message.content or ""), int)


@pytest.mark.parametrize(
    ("shape", "param"),
    [
        ({"type": "grammar"}, "response_format"),
        ({"type": "json_schema"}, "response_format"),
        ({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": 5}}}, "response_format"),
    ],
)
def test_wrong_form_is_refused_before_work(served: Any, shape: dict[str, Any], param: str) -> None:
    answer = served.chat(QUESTION, response_format=shape)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"].startswith(param)
