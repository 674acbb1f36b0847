"""Forms of answers: what a schema may hold, how an answer is held to it, and the one repair."""

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from components.serving.llm.forming import formed
from components.serving.llm.forms import Form, FormError, Misfit, form_of
from components.serving.llm.predictor import Delta, Parameters, Prompt
from components.shared.errors import RequestError

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name"],
    "additionalProperties": False,
}


def test_an_answer_is_taken_out_of_its_fence() -> None:
    form = form_of(PERSON)
    assert form.read('{"name": "Ada"}') == '{"name": "Ada"}'
    assert form.read('```json\n{"name": "Ada"}\n```\n') == '{"name": "Ada"}'


@pytest.mark.parametrize(
    "text", ["Ada", "", '{"name": 1}', '{"age": 3}', '{"name": "a", "b": 1}', "NaN", "[" * 9999]
)
def test_what_does_not_fit_is_said_without_quoting_it_to_the_caller(text: str) -> None:
    found = form_of(PERSON).read(text)
    assert isinstance(found, Misfit)
    assert "Ada" not in found.rule


def test_any_object() -> None:
    assert form_of({}).read("3") == "3"
    assert Form().read("{}") == "{}"
    assert isinstance(Form().read("3"), Misfit)


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"$ref": "http://127.0.0.1:1/schema.json"}, "#/"),
        ({"$ref": "file:///etc/passwd"}, "#/"),
        ({"$ref": "#/nowhere"}, "names nothing"),
        ({"$id": "http://x", "type": "object"}, r"\$id"),
        ({"properties": {"a": {"pattern": "(a+)+$"}}}, "pattern"),
        ({"patternProperties": {"(a+)+$": {}}}, "patternProperties"),
        ({"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}, "itself"),
        ({"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"}, "itself"),
        ({"type": 5}, "type"),
        ({"allOf": [{}] * 5_000}, "parts"),
        ({"unevaluatedProperties": False}, "unevaluatedProperties"),
    ],
)
def test_schemas_that_reach_out_or_never_end_are_refused(schema: dict[str, Any], why: str) -> None:
    with pytest.raises(RequestError, match=why):
        form_of(schema)


def test_references_that_multiply_are_refused_at_once() -> None:
    names = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(60)}
    start = time.monotonic()
    with pytest.raises(RequestError, match="parts"):
        form_of({"$defs": {**names, "d60": {"const": 1}}, "$ref": "#/$defs/d0"})
    assert time.monotonic() - start < 1


def test_a_property_may_have_the_name_of_a_keyword() -> None:
    form = form_of({"properties": {"pattern": {"type": "string"}, "$id": {"const": {"$ref": "x"}}}})
    assert form.read('{"pattern": "x"}') == '{"pattern": "x"}'


class Scripted:
    """A predictor that says one text after the other, and remembers what it was asked."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.asked: list[Prompt] = []

    def count(self, prompt: Prompt) -> int:
        return 1

    async def stream(self, prompt: Prompt, parameters: Parameters) -> AsyncGenerator[Delta, None]:
        self.asked.append(prompt)
        for choice in range(parameters.choices):
            yield Delta(self.texts.pop(0), 10, 2 * (choice + 1), "stop", choice)

    def start(self) -> None:
        """Nothing to load."""

    def stop(self) -> None:
        """Nothing to stop."""


PROMPT: Prompt = [{"role": "user", "content": "Who?"}]


def run(predictor: Scripted, choices: int = 1) -> list[Delta]:
    async def main() -> list[Delta]:
        wanted = Parameters(max_tokens=9, choices=choices)
        return [one async for one in formed(predictor, PROMPT, wanted, form_of(PERSON))]

    return asyncio.run(main())


def test_one_repair_tells_the_model_what_was_wrong_and_counts_both_tries() -> None:
    predictor = Scripted("Ada!", '{"name": "Ada"}')
    silent = [Delta("", 10, 2), Delta("", 20, 4)]
    assert run(predictor) == [*silent, Delta('{"name": "Ada"}', 20, 4, "stop", 0)]
    second = predictor.asked[1]
    assert isinstance(second, list)
    *before, said, wanted = second
    assert before == PROMPT
    assert said == {"role": "assistant", "content": "Ada!"}
    assert "not JSON" in wanted["content"]


def test_only_the_answer_that_failed_is_repaired() -> None:
    predictor = Scripted('{"name": "A"}', '{"name": 2}', '{"name": "B"}')
    assert [(one.choice, one.text) for one in run(predictor, 2) if one.text] == [
        (0, '{"name": "A"}'),
        (1, '{"name": "B"}'),
    ]
    assert len(predictor.asked) == 2


def test_a_second_failure_is_an_error_that_quotes_nothing() -> None:
    with pytest.raises(FormError, match=r"two tries: \$\.age breaks 'minimum'") as found:
        run(Scripted("no", '{"name": "secret", "age": -5}'))
    assert "secret" not in str(found.value)
    assert found.value.http_status == 422
