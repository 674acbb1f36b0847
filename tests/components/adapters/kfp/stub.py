"""A stub of the Kubeflow Pipelines API on this machine, for tests: it is not the server.

Its requests and answers are held to the models of the generated client (`kfp_server_api`): a request with a
field that the API does not have, or with a wrong type, is refused as the server would. What the server *does*
is reduced to what the tests need: it keeps what it is given, and a run goes through the states it is told.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import kfp_server_api as api
import yaml

BASE = "/apis/v2beta1"


@dataclass
class Request:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Kept:
    """What the stub keeps and does."""

    token: str = ""
    states: list[dict[str, Any]] = field(default_factory=list)
    faults: list[tuple[int, bytes]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    pipelines: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: list[dict[str, Any]] = field(default_factory=list)
    packages: dict[str, str] = field(default_factory=dict)
    experiments: list[dict[str, Any]] = field(default_factory=list)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    recurring: list[dict[str, Any]] = field(default_factory=list)
    page: int = 100
    url: str = ""

    def said(self, method: str, part: str) -> list[Request]:
        """Requests of a method whose path contains a part."""
        return [one for one in self.requests if one.method == method and part in one.path]


class RefusedError(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message


def checked(model: type, value: Any, place: str = "") -> None:
    """Refuse what the API's model does not have, at any depth."""
    if not isinstance(value, dict):
        raise RefusedError(400, f"{place or model.__name__} is no object")
    fields = {model.attribute_map[name]: kind for name, kind in model.openapi_types.items()}  # type: ignore[attr-defined]
    for key, inner in value.items():
        if key not in fields:
            raise RefusedError(400, f'unknown field "{place}{key}" in {model.__name__}')
        kind = fields[key]
        below = getattr(api, kind, None)
        if below is not None and getattr(below, "openapi_types", None):
            checked(below, inner, f"{place}{key}.")
        elif below is not None:  # an enumeration
            allowed = below.allowable_values
            if inner not in allowed:
                raise RefusedError(400, f"{place}{key} is {inner}, not one of {allowed}")
        elif kind.startswith("list["):
            for number, one in enumerate(inner):
                checked(getattr(api, kind[5:-1]), one, f"{place}{key}.{number}.")
        elif kind == "str" and not isinstance(inner, str):
            raise RefusedError(400, f"{place}{key} is no text")
        elif kind == "bool" and not isinstance(inner, bool):
            raise RefusedError(400, f"{place}{key} is no truth value")


class Handler(BaseHTTPRequestHandler):
    """Routes of the API that the stack uses."""

    kept: Kept
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: apart, every answer waits 40 ms for an acknowledgement

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""

    def _answer(self) -> None:
        address = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        kind = self.headers.get("content-type", "")
        body: Any = self._multipart(raw) if "multipart" in kind else json.loads(raw) if raw else None
        asked = Request(
            self.command, address.path, dict(parse_qsl(address.query)), dict(self.headers.items()), body
        )
        self.kept.requests.append(asked)
        if self.kept.faults:
            status, text = self.kept.faults.pop(0)
            self._send(status, text)
            return
        try:
            if self.kept.token and self.headers.get("authorization") != f"Bearer {self.kept.token}":
                raise RefusedError(401, "Request header error: there is no valid token")
            self._send(200, json.dumps(self._route(asked)).encode())
        except RefusedError as refused:
            problem = json.dumps(
                {"error": refused.message, "code": refused.status, "message": refused.message}
            )
            self._send(refused.status, problem.encode())

    def _multipart(self, raw: bytes) -> str:
        head = f"content-type: {self.headers['content-type']}\r\n\r\n".encode()
        (part,) = message_from_bytes(head + raw, policy=HTTP).iter_parts()
        return str(
            part.get_content() if part.get_content_maintype() == "text" else part.get_content().decode()
        )

    def _send(self, status: int, text: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _route(self, asked: Request) -> dict[str, Any]:
        if not asked.path.startswith(BASE):
            raise RefusedError(404, "no such path")
        parts = asked.path.removeprefix(f"{BASE}/").split("/")
        answer: dict[str, Any] = getattr(self, f"_{asked.method.lower()}_{parts[0]}")(asked, parts[1:])
        checked(_model_of(asked.method, parts), answer, "answer.")
        return answer

    def _get_pipelines(self, asked: Request, rest: list[str]) -> dict[str, Any]:
        if rest[0] == "names":
            if rest[1] not in self.kept.pipelines:
                raise RefusedError(404, f"pipeline {rest[1]} not found")
            return self.kept.pipelines[rest[1]]
        name = _filtered(asked)
        found = [one for one in self.kept.versions if one["pipeline_id"] == rest[0]]
        return {"pipeline_versions": [one for one in found if one["display_name"] == name]}

    def _post_pipelines(self, asked: Request, rest: list[str]) -> dict[str, Any]:
        if rest == ["upload_version"]:
            return self._uploaded(asked)
        checked(api.V2beta1Pipeline, asked.body)
        made = {**asked.body, "pipeline_id": f"p-{len(self.kept.pipelines) + 1}"}
        self.kept.pipelines[made["name"]] = made
        return made

    def _uploaded(self, asked: Request) -> dict[str, Any]:
        spec, *_ = yaml.safe_load_all(asked.body)
        if "pipelineInfo" not in spec:
            raise RefusedError(400, "unknown template format")
        known = {one["name"] for one in self.kept.versions}
        if asked.query["name"] in known:
            raise RefusedError(409, f"{asked.query['name']} exists already")
        made = {
            "pipeline_id": asked.query["pipelineid"],
            "pipeline_version_id": f"v-{len(self.kept.versions) + 1}",
            "name": asked.query["name"],
            "display_name": asked.query["display_name"],
        }
        self.kept.versions.append(made)
        self.kept.packages[made["pipeline_version_id"]] = asked.body
        return made

    def _get_experiments(self, asked: Request, _: list[str]) -> dict[str, Any]:
        name = _filtered(asked)
        space = asked.query.get("namespace", "")
        return {
            "experiments": [
                one
                for one in self.kept.experiments
                if one["display_name"] == name and one.get("namespace", "") == space
            ]
        }

    def _post_experiments(self, asked: Request, _: list[str]) -> dict[str, Any]:
        checked(api.V2beta1Experiment, asked.body)
        made = {**asked.body, "experiment_id": f"e-{len(self.kept.experiments) + 1}"}
        self.kept.experiments.append(made)
        return made

    def _post_runs(self, asked: Request, _: list[str]) -> dict[str, Any]:
        checked(api.V2beta1Run, asked.body)
        self._parameters(asked.body)
        made = {**asked.body, "run_id": f"r-{len(self.kept.runs) + 1}", "state": "PENDING"}
        self.kept.runs[made["run_id"]] = made
        return made

    def _parameters(self, body: dict[str, Any]) -> None:
        """The parameters have to be those of the uploaded pipeline."""
        version = body["pipeline_version_reference"]["pipeline_version_id"]
        spec = next(iter(yaml.safe_load_all(self.kept.packages[version])))
        declared = spec["root"]["inputDefinitions"]["parameters"]
        given = body["runtime_config"]["parameters"]
        if unknown := set(given) - set(declared):
            raise RefusedError(400, f"unknown parameters {sorted(unknown)}")
        if missing := {name for name, one in declared.items() if not one.get("isOptional")} - set(given):
            raise RefusedError(400, f"missing parameters {sorted(missing)}")

    def _get_runs(self, _: Request, rest: list[str]) -> dict[str, Any]:
        if rest[0] not in self.kept.runs:
            raise RefusedError(404, f"run {rest[0]} not found")
        if self.kept.states:
            self.kept.runs[rest[0]].update(self.kept.states.pop(0))
        return self.kept.runs[rest[0]]

    def _get_recurringruns(self, asked: Request, _: list[str]) -> dict[str, Any]:
        start = int(asked.query.get("page_token") or 0)
        mine = [
            one for one in self.kept.recurring if one["experiment_id"] == asked.query.get("experiment_id")
        ]
        found: dict[str, Any] = {"recurringRuns": mine[start : start + self.kept.page]}
        if start + self.kept.page < len(mine):
            found["next_page_token"] = str(start + self.kept.page)
        return found

    def _post_recurringruns(self, asked: Request, _: list[str]) -> dict[str, Any]:
        checked(api.V2beta1RecurringRun, asked.body)
        self._parameters(asked.body)
        if len(asked.body["trigger"]["cron_schedule"]["cron"].split()) != 6:
            raise RefusedError(400, "the cron expression needs six fields")
        number = len(self.kept.requests)
        made = {
            **asked.body,
            "recurring_run_id": f"j-{number}",
            "status": "ENABLED" if asked.body["mode"] == "ENABLE" else "DISABLED",
        }
        self.kept.recurring.append(made)
        return made

    def _delete_recurringruns(self, _: Request, rest: list[str]) -> dict[str, Any]:
        self.kept.recurring[:] = [one for one in self.kept.recurring if one["recurring_run_id"] != rest[0]]
        return {}


def _model_of(method: str, parts: list[str]) -> type:
    """What the API answers with."""
    listed = {
        "pipelines": api.V2beta1ListPipelineVersionsResponse,
        "experiments": api.V2beta1ListExperimentsResponse,
        "recurringruns": api.V2beta1ListRecurringRunsResponse,
    }
    one = {
        "pipelines": api.V2beta1PipelineVersion if "upload_version" in parts else api.V2beta1Pipeline,
        "experiments": api.V2beta1Experiment,
        "recurringruns": api.V2beta1RecurringRun,
        "runs": api.V2beta1Run,
    }
    many = method == "GET" and parts[0] in listed and "names" not in parts
    found: type = (listed if many else one)[parts[0]]
    return found


def _filtered(asked: Request) -> str:
    """The name that a list is filtered by."""
    (only,) = json.loads(asked.query["filter"])["predicates"]
    if only["operation"] != "EQUALS" or only["key"] != "display_name":
        raise RefusedError(400, "unknown filter")
    return str(only["stringValue"])


@contextmanager
def running() -> Iterator[Kept]:
    """A stub that listens on loopback until the block ends."""
    kept = Kept()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Kfp", (Handler,), {"kept": kept}))
    kept.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
