"""The HTTP side of the stand-in for the Kubernetes API server."""

import copy
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.components.adapters.kubernetes.stand_in import HANGS, KINDS, Object, Server, refusal, selected


class Listener(ThreadingHTTPServer):
    """Listens on a free port of loopback."""

    daemon_threads = True

    def __init__(self, kept: Server) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.kept = kept


class Handler(BaseHTTPRequestHandler):
    """One request to the objects of a stand-in."""

    protocol_version = "HTTP/1.1"
    server: "Listener"

    @property
    def kept(self) -> Server:
        return self.server.kept

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
        self.kept.calls.append((verb, resource))
        if self.headers.get("authorization") != f"Bearer {self.kept.token}":
            self.answer(401, refusal(401, "Unauthorized", "Unauthorized"))
            return False
        if not any(resource == one.resource and verb in one.verbs for one in self.kept.rules):
            said = f'{plural} "{name}" is forbidden: User "stage" cannot {verb} resource "{resource}"'
            self.answer(403, refusal(403, "Forbidden", f'{said} in the namespace "{namespace}"'))
            return False
        if self.kept.faults:
            fault = self.kept.faults.pop(0)
            if fault in (0, HANGS):
                self.close_connection = True
                if fault == HANGS:
                    self.connection.recv(1)  # nothing comes; it ends when the caller hangs up
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
        with self.kept.lock:
            if name:
                found = self.kept.objects.get((plural, namespace, name))
                if not found:
                    return self.answer(404, refusal(404, "NotFound", f'{plural} "{name}" not found'))
                return self.answer(200, copy.deepcopy(found))
            items = [copy.deepcopy(one) for key, one in self.kept.objects.items() if key[0] == plural]
        items = [one for one in items if selected(one, query)]
        start = int(query.get("continue", 0))
        meta = {"resourceVersion": str(self.kept.version)}
        if start + self.kept.page < len(items):
            meta["continue"] = str(start + self.kept.page)
        self.answer(200, {"kind": "List", "metadata": meta, "items": items[start : start + self.kept.page]})
        return None

    def log(self, pod: str, query: dict[str, str]) -> None:
        lines = self.kept.logs.get(pod)
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
        word = self.kept.steps.pop(0)(self.kept) if self.kept.steps else None
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
            with self.kept.lock:
                fresh = [
                    copy.deepcopy(one)
                    for key, one in self.kept.objects.items()
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
        for verb in ("patch",) if key in self.kept.objects else ("patch", "create"):
            if not self.allowed(verb):
                return
        assert self.headers["content-type"] == "application/apply-patch+yaml"
        assert body["kind"] == KINDS[plural]
        code, made = self.kept.apply(key, body, query["fieldManager"], query["force"] == "true")
        self.answer(code, copy.deepcopy(made))

    def do_DELETE(self) -> None:
        plural, namespace, name, _, _ = self.route()
        options = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        if not self.allowed("delete"):
            return None
        with self.kept.lock:
            found = self.kept.objects.get((plural, namespace, name))
            if not found:
                return self.answer(404, refusal(404, "NotFound", f"{name} not found"))
            wanted = options.get("preconditions", {}).get("uid")
            if wanted and wanted != found["metadata"]["uid"]:
                return self.answer(409, refusal(409, "Conflict", "the UID in the precondition differs"))
            self.kept.drop((plural, namespace, name))
        self.answer(200, {"kind": "Status", "status": "Success"})
        return None
