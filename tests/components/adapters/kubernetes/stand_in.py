"""A stand-in for the Kubernetes API server, over real HTTP on loopback; it is no API server.

What it does as the real one does: server-side apply with owners of fields (lists count as one field),
conflicts with their causes, resource versions, generations, deletion with preconditions, label and field
selectors of the forms that are used here, paging, watches that stream from a version, RBAC by verb and
resource, bearer tokens, and where `shared/` is there, the CRD's own schema for every object. Its
garbage collector takes at once what a deleted object owned. What it does not do: admission webhooks,
finalizers, scheduling. Its controllers are the steps that a test writes down; one is taken whenever a watch
is opened.
"""

import copy
import importlib.util
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from components.adapters.kubernetes.permissions import FINETUNE, RELEASE, Rule
from tests.kubernetes.versions import KUBERNETES

Object = dict[str, Any]
Key = tuple[str, str, str]
Step = Callable[["Server"], str | None]

ROOT = Path(__file__).resolve().parents[4]
TOKEN = "token-of-the-stage"

KINDS = {
    "inferenceservices": "InferenceService",
    "horizontalpodautoscalers": "HorizontalPodAutoscaler",
    "scaledobjects": "ScaledObject",
    "trainjobs": "TrainJob",
    "pods": "Pod",
    "events": "Event",
    "persistentvolumeclaims": "PersistentVolumeClaim",
}


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


#: A fault: the server says nothing.
HANGS = -1


@dataclass
class Server:
    """Objects, and what goes wrong.

    Attributes:
        steps: What controllers do; one is taken when a watch is opened. A step may return `drop` (the
            connection breaks), `gone` (the version is too old) or nothing.
        faults: Status codes of the next answers, oldest first; 0 breaks the connection, `HANGS` keeps it open
            without an answer until the caller gives up.
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
    lock: threading.RLock = field(default_factory=threading.RLock)
    _http: ThreadingHTTPServer | None = None

    def start(self) -> "Server":
        from tests.components.adapters.kubernetes.stand_in_http import Listener

        self._http = Listener(self)
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
        with self.lock:
            key = (plural, namespace, body["metadata"]["name"])
            self.version += 1
            meta = {"uid": f"uid-{self.version}", **body["metadata"], "resourceVersion": str(self.version)}
            self.objects[key] = {**body, "metadata": meta}
            return self.objects[key]

    def status(self, plural: str, name: str, **status: Any) -> None:
        """Set the status, as a controller does; KServe's `observedGeneration` is that of a Deployment."""
        with self.lock:
            one = self.get(plural, name)
            one["status"] = {"observedGeneration": 7, **status}
            self.version += 1
            one["metadata"]["resourceVersion"] = str(self.version)

    def drop(self, key: Key) -> None:
        """Delete an object and what it owns."""
        uid = self.objects.pop(key)["metadata"]["uid"]
        self.owners.pop(key, None)
        for other, one in list(self.objects.items()):
            if any(owner["uid"] == uid for owner in one["metadata"].get("ownerReferences", [])):
                self.drop(other)

    def apply(self, key: Key, body: Object, manager: str, force: bool) -> tuple[int, Object]:
        """Server-side apply."""
        with self.lock:
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
            made: Object = copy.deepcopy(before) if before else {"metadata": {"uid": f"uid-{self.version}"}}
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
                wrong = check.findings({k: v for k, v in made.items() if k != "status"}, KUBERNETES)
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
