"""A corpus of bodies that nobody should send: good ones with one thing wrong, and bytes that are no JSON."""

import copy
import json
from collections.abc import Iterator, Sequence
from typing import Any

V1, V2, CHAT = "/v1/models/credit:predict", "/v2/models/credit/infer", "/openai/v1/chat/completions"
COMPLETIONS, EMBEDDINGS = "/openai/v1/completions", "/openai/v1/embeddings"

FEEDBACK = "/v1/feedback"

#: A path and a good body for it.
Good = tuple[str, dict[str, Any]]

#: A good body of every route of a front; the smallest work that it can ask for.
GOOD: tuple[Good, ...] = (
    (V1, {"instances": [{"applicant_id": "A0001"}]}),
    (V2, {"inputs": [{"name": "applicant_id", "shape": [1], "datatype": "BYTES", "data": ["A0001"]}]}),
    (
        CHAT,
        {
            "model": "docs",
            "messages": [{"role": "user", "content": "What is a gate?"}],
            "max_tokens": 1,
            "temperature": 0,
            "stop": ["x"],
            "stream": False,
            "twinstack": {"retrieval": "off"},
        },
    ),
    (
        CHAT,
        {
            "model": "docs",
            "messages": [{"role": "user", "content": [{"type": "text", "text": "What is a gate?"}]}],
            "max_completion_tokens": 1,
            "n": 1,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "a", "schema": {"type": "string"}},
            },
            "stream": True,
            "stream_options": {"include_usage": True},
            "twinstack": {"retrieval": "off", "variables": {}},
        },
    ),
    (COMPLETIONS, {"model": "docs", "prompt": "The gate", "max_tokens": 1, "stream": True, "seed": 1}),
    (EMBEDDINGS, {"model": "docs", "input": ["a gate"], "encoding_format": "float"}),
    (FEEDBACK, {"model": "docs", "request_id": "r1", "score": 1, "text": "good"}),
)

#: Without them an answer is long: good, and slow.
TOKENS = ("max_tokens", "max_completion_tokens")

#: What takes the place of each value of a good body. The long text is longer than a question may be: a model
#: that reads it would cost more than all the others.
WRONG: tuple[Any, ...] = (
    None, True, -1, 10**30, "", "x" * 8_001, "\ud800", "../../etc/passwd", "'; DROP TABLE documents;--", [],
    [None] * 50, {"a": {"b": {}}},
)  # fmt: skip

#: Bodies that are no JSON objects, or more than a parser can take.
BYTES: tuple[bytes, ...] = (
    b"", b"nonsense", b"\xff\xfe\x00", b"[" * 20_000, b'{"a":' * 20_000, b'{"instances": [NaN]}', b"null",
    b"1e999", b'"text"', b"[]", b'{"model": "docs"', b"\x00" * 100, b"{" + b'"a":1,' * 5_000 + b'"b":2}',
    b'{"model": "docs", "model": 1}', "{\"prompt\": \"\u202e\"}".encode("utf-16"), b"--boundary\r\n\r\n",
    b"a=1&b=2", b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
)  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Path of every value inside a value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield (*path, key)
        yield from _places(inner, (*path, key))


def _changed(body: dict[str, Any], path: tuple[Any, ...], wrong: Any) -> dict[str, Any]:
    made = copy.deepcopy(body)
    inner: Any = made
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = wrong
    return made


def corpus(good: Sequence[Good] = GOOD) -> list[tuple[str, bytes]]:
    """Path and body, each pair once."""
    found = [(path, each) for path, _ in good for each in BYTES]
    for path, body in good:
        # `surrogatepass` would refuse a lone surrogate; JSON's escape carries it.
        found += [
            (path, json.dumps(_changed(body, place, wrong)).encode())
            for place in _places(body)
            for wrong in WRONG
            if wrong is not None or place[-1] not in TOKENS
        ]
        found += [(path, json.dumps({**body, key: 1}).encode()) for key in ("x" * 5_000, "__proto__", "")]
    return list(dict.fromkeys(found))
