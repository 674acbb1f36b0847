"""Calling served twins over HTTP; what `twin ask` and `twin predict` are made of."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from components.shared.errors import NotFoundError, RequestError, TooLargeError, TwinError

if TYPE_CHECKING:
    import httpx

#: Seconds to connect; and between two pieces of an answer, which on two cores may take a while to begin.
CONNECT, PIECE = 5.0, 120.0

DATA = "data: "


class ServiceError(TwinError):
    """The service cannot be reached, or failed."""

    exit_code = 8


def ask(
    url: str, twin: str, question: str, *, stream: bool = True, max_tokens: int | None = None
) -> Iterator[str | dict[str, Any]]:
    """The answer in pieces of text, and at the end one mapping: `release`, `citations`, `request_id`.

    Raises:
        RequestError: The service refuses the question.
        ServiceError: It cannot be reached, or fails.
    """
    if not stream:
        found = ask_once(url, twin, question, max_tokens=max_tokens)
        yield found.pop("answer")
        yield found
        return
    import httpx
    import orjson

    extension: dict[str, Any] = {"release": "", "citations": []}
    with (
        _calling(url),
        _client(url) as client,
        client.stream("POST", _CHAT, json=_question(twin, question, True, max_tokens)) as answer,
    ):
        if answer.status_code >= httpx.codes.BAD_REQUEST:
            answer.read()
        _raise_for(answer)
        extension["request_id"] = answer.headers.get("x-request-id", "")
        for line in answer.iter_lines():
            if not line.startswith(DATA) or line == "data: [DONE]":
                continue
            event = orjson.loads(line.removeprefix(DATA))
            if "error" in event:
                raise _error(event["error"], httpx.codes.BAD_GATEWAY)
            extension.update(event.get("twinstack") or {})
            for choice in event["choices"]:
                if text := choice["delta"].get("content"):
                    yield text
    yield extension


def ask_once(url: str, twin: str, question: str, *, max_tokens: int | None = None) -> dict[str, Any]:
    """The whole answer: `answer`, `release`, `citations`, `usage`, `request_id`.

    Raises:
        RequestError: The service refuses the question.
        ServiceError: It cannot be reached, or fails.
    """
    with _calling(url), _client(url) as client:
        answer = client.post(_CHAT, json=_question(twin, question, False, max_tokens))
        _raise_for(answer)
    found = answer.json()
    return {
        "answer": found["choices"][0]["message"]["content"],
        **found["twinstack"],
        "usage": found["usage"],
        "request_id": answer.headers.get("x-request-id", ""),
    }


def predict(url: str, twin: str, instances: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One prediction an instance, by KServe's V1 protocol.

    Args:
        url: Where the twin is served.
        twin: Its name.
        instances: Each `{key: id}`, or the raw columns by name.

    Raises:
        RequestError: The service refuses an instance.
        ServiceError: It cannot be reached, or fails.
    """
    with _calling(url), _client(url) as client:
        answer = client.post(f"/v1/models/{twin}:predict", json={"instances": list(instances)})
        _raise_for(answer)
    found: list[dict[str, Any]] = answer.json()["predictions"]
    return found


_CHAT = "/openai/v1/chat/completions"


def _question(twin: str, question: str, stream: bool, max_tokens: int | None) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": twin,
        "messages": [{"role": "user", "content": question}],
        "stream": stream,
    }
    return body if max_tokens is None else {**body, "max_tokens": max_tokens}


def _client(url: str) -> "httpx.Client":
    import httpx

    # Proxies of the environment are for the outside.
    return httpx.Client(base_url=url, timeout=httpx.Timeout(PIECE, connect=CONNECT), trust_env=False)


@contextmanager
def _calling(url: str) -> Iterator[None]:
    """Turn what httpx raises into an error with a remedy."""
    import httpx

    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ServiceError(
            f"no answer from {url}: {type(error).__name__}",
            where="--url",
            remedy="start it with `twin serve`, or name another --url",
        ) from error


def _raise_for(answer: "httpx.Response") -> None:
    if answer.is_success:
        return
    try:
        found = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        found = {"message": f"HTTP status {answer.status_code} and no error that we know"}
    raise _error(found, answer.status_code)


def _error(found: Mapping[str, Any], status: int) -> TwinError:
    message, param = str(found.get("message", "")), str(found.get("param") or "")
    where = f"request {found['request_id']}" if found.get("request_id") else ""
    kinds = {404: NotFoundError, 413: TooLargeError}
    if 400 <= status < 500:  # noqa: PLR2004 - the caller's side
        return kinds.get(status, RequestError)(message, param=param, where=where)
    return ServiceError(message, where=where, remedy="see the server's log")
