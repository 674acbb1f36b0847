"""A stand-in for the Kubernetes API server, over real HTTP on loopback; it is no API server.

What it does as the real one does: server-side apply with owners of fields (lists count as one field),
conflicts with their causes, resource versions, generations, deletion with preconditions, label and field
selectors of the forms that are used here, paging, watches that stream from a version, RBAC by verb and
resource, bearer tokens, and where `shared/` is there, the CRD's own schema for every object. What it does not
do: admission webhooks, finalizers, garbage collection, scheduling. Its controllers are the steps that a test
writes down; one is taken whenever a watch is opened.
"""

import copy
import importlib.util
import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from components.adapters.kubernetes.permissions import FINETUNE, RELEASE, Rule

Object = dict[str, Any]
Key = tuple[str, str, str]
Step = Callable[["Server"], str | None]

ROOT = Path(__file__).resolve().parents[4]
TOKEN = "token-of-the-stage"

KINDS = {"inferenceservices": "InferenceService", "trainjobs": "TrainJob", "pods": "Pod", "events": "Event"}


@cache
def checker() -> Any:
    """The strict check of `shared/`, where it lies beside the checkout."""
    for above in (ROOT.parent, ROOT.parent.parent):
        path = above / "shared/tools/check_manifests.py"
        if path.exists():
            spec = importlib.util.spec_from_file_location("check_manifests", path)
            assert spec and spec.loader
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    return None


@dataclass
class Server:
    """Objects, and what goes wrong.

    Attributes:
        steps: What controllers do; one is taken when a watch is opened. A step may return `drop` (the
            connection breaks), `gone` (the version is too old) or nothing.
        faults: Status codes of the next answers, oldest first; 0 means that no answer comes.
        calls: Verb and resource of every call.
        rules: What the token may do.
    """

    steps: list[Step] = field(default_factory=list)
    faults: list[int] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    rules: tuple[Rule, ...] = (*RELEASE, *FINETUNE)
    token: str = TOKEN
    logs: dict[str, list[str]] = field(default_factory=dict)
    objects: dict[Key, Object] = field(default_factory=dict)
    owners: dict[Key, dict[str, dict[str, Any]]] = field(default_factory=dict)
    version: int = 100
    page: int = 250
    url: str = ""
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _http: ThreadingHTTPServer | None = None

    def start(self) -> "Server":
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        assert self._http
        self._http.shutdown()
        self._http.server_close()

    def names(self, plural: str) -> list[str]:
        return sorted(key[2] for key in self.objects if key[0] == plural)

    def get(self, plural: str, name: str) -> Object:
        return next(one for key, one in self.objects.items() if (key[0], key[2]) == (plural, name))

    def put(self, plural: str, body: Object, namespace: str = "twinstack") -> Object:
        """Place an object, as another writer than the stage."""
        with self._lock:
            key = (plural, namespace, body["metadata"]["name"])
            self.version += 1
            meta = {"uid": f"uid-{self.version}", **body["metadata"], "resourceVersion": str(self.version)}
            self.objects[key] = {**body, "metadata": meta}
            return self.objects[key]

    def status(self, plural: str, name: str, **status: Any) -> None:
        """Set the status, as a controller does; KServe's `observedGeneration` is that of a Deployment."""
        with self._lock:
            one = self.get(plural, name)
            one["status"] = {"observedGeneration": 7, **status}
            self.version += 1
            one["metadata"]["resourceVersion"] = str(self.version)

    def apply(self, key: Key, body: Object, manager: str, force: bool) -> tuple[int, Object]:
        """Server-side apply."""
        with self._lock:
            leaves = dict(flat({k: v for k, v in body.items() if k != "status"}))
            owners = self.owners.setdefault(key, {})
            causes = [
                {"reason": "FieldManagerConflict", "message": f'conflict with "{other}"', "field": path}
                for other, owned in owners.items()
                if other != manager
                for path, value in leaves.items()
                if path in owned and owned[path] != value
            ]
            if causes and not force:
                return 409, refusal(409, "Conflict", "Apply failed", {"causes": causes})
            before = self.objects.get(key)
            made = copy.deepcopy(before) if before else {"metadata": {"uid": f"uid-{self.version}"}}
            for path in set(owners.get(manager, {})) - set(leaves):
                if not any(path in owned for other, owned in owners.items() if other != manager):
                    remove(made, path.split("\0"))
            for path, value in leaves.items():
                place(made, path.split("\0"), value)
            if causes:
                for other in owners:
                    if other != manager:
                        owners[other] = {p: v for p, v in owners[other].items() if p not in leaves}
            owners[manager] = leaves
            if check := checker():
                wrong = check.findings({k: v for k, v in made.items() if k != "status"}, "1.34")
                if wrong:
                    return 422, refusal(422, "Invalid", f"{key[2]} is invalid: {wrong}")
            meta = made["metadata"]
            changed = before is None or before.get("spec") != made.get("spec")
            meta["generation"] = meta.get("generation", 0) + int(changed)
            self.version += 1
            meta["resourceVersion"] = str(self.version)
            self.objects[key] = made
            return (200 if before else 201), made


def flat(value: Any, path: tuple[str, ...] = ()) -> Iterable[tuple[str, Any]]:
    """Every leaf with its path; a list is one leaf."""
    if isinstance(value, dict) and value:
        for key, one in value.items():
            yield from flat(one, (*path, key))
    else:
        yield "\0".join(path), value


def place(target: Object, path: list[str], value: Any) -> None:
    for part in path[:-1]:
        target = target.setdefault(part, {})
    target[path[-1]] = value


def remove(target: Object, path: list[str]) -> None:
    for part in path[:-1]:
        target = target.get(part, {})
    target.pop(path[-1], None)


def refusal(code: int, reason: str, message: str, details: Any = None) -> Object:
    found = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
    return {**found, "reason": reason, "message": message, "details": details or {}}


def handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def answer(self, code: int, body: Object | None = None, **headers: str) -> None:
            raw = json.dumps(body or refusal(code, "Failure", f"code {code}")).encode()
            self.send_response(code)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(raw)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(raw)

        def route(self) -> tuple[str, str, str, str, dict[str, str]]:
            """Plural, namespace, name, what is below it, and the query."""
            parts = urlsplit(self.path)
            words = parts.path.strip("/").split("/")
            at = words.index("namespaces")
            plural, name, below = (*words[at + 2 :], "", "")[:3]
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            return plural, words[at + 1], name, below, query

        def allowed(self, verb: str) -> bool:
            """Authentication and RBAC, then the faults of the test."""
            plural, namespace, name, below, _ = self.route()
            resource = f"{plural}/{below}" if below else plural
            server.calls.append((verb, resource))
            if self.headers.get("authorization") != f"Bearer {server.token}":
                self.answer(401, refusal(401, "Unauthorized", "Unauthorized"))
                return False
            if not any(resource == one.resource and verb in one.verbs for one in server.rules):
                said = f'{plural} "{name}" is forbidden: User "stage" cannot {verb} resource "{resource}"'
                self.answer(403, refusal(403, "Forbidden", f'{said} in the namespace "{namespace}"'))
                return False
            if server.faults:
                fault = server.faults.pop(0)
                if not fault:
                    self.close_connection = True
                    self.connection.close()
                    return False
                if fault != 200:
                    self.answer(fault, None, retry_after="0")
                    return False
            return True

        def do_GET(self) -> None:
            plural, namespace, name, below, query = self.route()
            if query.get("watch") == "true":
                if self.allowed("watch"):
                    self.watch(plural, query)
                return None
            if not self.allowed("get" if name else "list"):
                return None
            if below == "log":
                return self.log(name, query)
            with server._lock:
                if name:
                    found = server.objects.get((plural, namespace, name))
                    if not found:
                        return self.answer(404, refusal(404, "NotFound", f'{plural} "{name}" not found'))
                    return self.answer(200, copy.deepcopy(found))
                items = [copy.deepcopy(one) for key, one in server.objects.items() if key[0] == plural]
            items = [one for one in items if selected(one, query)]
            start = int(query.get("continue", 0))
            meta = {"resourceVersion": str(server.version)}
            if start + server.page < len(items):
                meta["continue"] = str(start + server.page)
            self.answer(200, {"kind": "List", "metadata": meta, "items": items[start : start + server.page]})
            return None

        def log(self, pod: str, query: dict[str, str]) -> None:
            lines = server.logs.get(pod)
            if lines is None:
                return self.answer(400, refusal(400, "BadRequest", f"container of {pod} is waiting to start"))
            since = query.get("sinceTime", "")
            raw = "\n".join(line for line in lines if line.split(" ", 1)[0] >= since).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)
            return None

        def watch(self, plural: str, query: dict[str, str]) -> None:
            # Servers may end a watch before its time; tests need not wait for nothing.
            end, version = time.monotonic() + 0.05, int(query["resourceVersion"])
            word = server.steps.pop(0)(server) if server.steps else None
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("connection", "close")
            self.end_headers()
            self.close_connection = True
            if word == "drop":
                self.wfile.write(b'{"type": "MODIF')
                return
            if word == "gone":
                self.event("ERROR", refusal(410, "Expired", "too old resource version"))
                return
            while time.monotonic() < end:
                with server._lock:
                    fresh = [
                        copy.deepcopy(one)
                        for key, one in server.objects.items()
                        if key[0] == plural
                        and selected(one, query)
                        and int(one["metadata"]["resourceVersion"]) > version
                    ]
                for one in fresh:
                    self.event("MODIFIED", one)
                    return
                time.sleep(0.02)

        def event(self, kind: str, one: Object) -> None:
            self.wfile.write(json.dumps({"type": kind, "object": one}).encode() + b"\n")
            self.wfile.flush()

        def do_PATCH(self) -> None:
            plural, namespace, name, _, query = self.route()
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            key = (plural, namespace, name)
            for verb in ("patch",) if key in server.objects else ("patch", "create"):
                if not self.allowed(verb):
                    return
            assert self.headers["content-type"] == "application/apply-patch+yaml"
            assert body["kind"] == KINDS[plural]
            code, made = server.apply(key, body, query["fieldManager"], query["force"] == "true")
            self.answer(code, copy.deepcopy(made))

        def do_DELETE(self) -> None:
            plural, namespace, name, _, _ = self.route()
            options = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
            if not self.allowed("delete"):
                return None
            with server._lock:
                found = server.objects.get((plural, namespace, name))
                if not found:
                    return self.answer(404, refusal(404, "NotFound", f"{name} not found"))
                wanted = options.get("preconditions", {}).get("uid")
                if wanted and wanted != found["metadata"]["uid"]:
                    return self.answer(409, refusal(409, "Conflict", "the UID in the precondition differs"))
                del server.objects[(plural, namespace, name)]
                server.owners.pop((plural, namespace, name), None)
            self.answer(200, {"kind": "Status", "status": "Success"})
            return None

    return Handler


def selected(one: Object, query: dict[str, str]) -> bool:
    labels = one["metadata"].get("labels", {})
    for pair in filter(None, query.get("labelSelector", "").split(",")):
        key, _, value = pair.partition("=")
        if labels.get(key) != value:
            return False
    for pair in filter(None, query.get("fieldSelector", "").split(",")):
        key, _, value = pair.partition("=")
        found: Any = one
        for part in key.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        if found != value:
            return False
    return True
