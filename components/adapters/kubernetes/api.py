"""A few verbs of the Kubernetes API over HTTP: server-side apply, get, list, watch, delete, logs.

Plain httpx instead of a generated client: five verbs on six kinds, one dependency that is there already, the
token read anew for every call because Kubernetes renews it.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from components.adapters.kubernetes.access import Access
from components.adapters.kubernetes.answers import (
    PASSING,
    ClusterError,
    FieldConflictError,
    Status,
    explained,
    wait_of,
)

Object = dict[str, Any]

#: Who owns the fields that Twinstack applies.
MANAGER = "twinstack"

#: Tries of one call while the server is away, overloaded, or another writer was faster.
TRIES = 6
#: Seconds before the first new try; doubled from try to try.
FIRST_WAIT = 0.5
#: Seconds that connecting, and one answer, may take.
TIMEOUT = httpx.Timeout(30.0, connect=5.0)


@dataclass(frozen=True)
class Resource:
    """A namespaced kind, the way its path names it."""

    group: str
    version: str
    plural: str

    def path(self, namespace: str, name: str = "") -> str:
        """Path of one object, or of all."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        return f"{root}/namespaces/{quote(namespace)}/{self.plural}" + (f"/{quote(name)}" if name else "")


INFERENCE_SERVICES = Resource("serving.kserve.io", "v1beta1", "inferenceservices")
AUTOSCALERS = Resource("autoscaling", "v2", "horizontalpodautoscalers")
SCALED_OBJECTS = Resource("keda.sh", "v1alpha1", "scaledobjects")
TRAIN_JOBS = Resource("trainer.kubeflow.org", "v1alpha1", "trainjobs")
PODS = Resource("", "v1", "pods")
EVENTS = Resource("", "v1", "events")
CLAIMS = Resource("", "v1", "persistentvolumeclaims")


class Api:
    """One namespace of one API server.

    Args:
        access: Where the server is and who asks.
        sleep: Waits between tries.
    """

    def __init__(self, access: Access, sleep: Callable[[float], None] = time.sleep) -> None:
        self._access = access
        self._sleep = sleep
        verify: Any = access.context()
        self._client = httpx.Client(base_url=access.server, verify=verify, timeout=TIMEOUT)

    @property
    def namespace(self) -> str:
        """The namespace that is spoken of."""
        return self._access.namespace

    def apply(self, resource: Resource, body: Object, *, force: bool = False) -> Object:
        """Server-side apply: make the object's fields what `body` says, and leave those of others alone.

        Args:
            resource: Its kind.
            body: The fields that Twinstack owns, as `twinstack`.
            force: Take fields that another manager owns.

        Raises:
            FieldConflictError: Another manager owns a field with another value.
            ClusterError: The server refuses, or cannot be reached.
        """
        return self._call(
            "patch",
            resource,
            body["metadata"]["name"],
            params={"fieldManager": MANAGER, "force": str(force).lower()},
            content=json.dumps(body),
            headers={"content-type": "application/apply-patch+yaml"},
        )

    def get(self, resource: Resource, name: str) -> Object | None:
        """An object, or None."""
        try:
            return self._call("get", resource, name)
        except ClusterError as error:
            if error.code == Status.MISSING:
                return None
            raise

    def find(self, resource: Resource, *, labels: str = "", fields: str = "") -> list[Object]:
        """Objects that carry labels and fields, page by page."""
        params = {"limit": "250"}
        params |= {"labelSelector": labels} if labels else {}
        params |= {"fieldSelector": fields} if fields else {}
        found: list[Object] = []
        while True:
            page = self._call("list", resource, "", params=params)
            found += page.get("items") or []
            if not (more := page.get("metadata", {}).get("continue")):
                return found
            params["continue"] = more

    def delete(self, resource: Resource, found: Object) -> None:
        """Delete this very object: one of its name that was made since stays, and gone is gone."""
        body = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "preconditions": {"uid": found["metadata"]["uid"]},
        }
        try:
            self._call("delete", resource, found["metadata"]["name"], content=json.dumps(body))
        except ClusterError as error:
            if error.code not in (Status.MISSING, Status.CONFLICT):
                raise

    def watch(self, resource: Resource, found: Object, seconds: int) -> Iterator[Object]:
        """Newer states of an object, until it is deleted, the time is up or the server ends the stream.

        A stream that breaks ends without an error: whoever waits looks at the object itself again.
        """
        params = {
            "watch": "true",
            "fieldSelector": f"metadata.name={found['metadata']['name']}",
            "resourceVersion": found["metadata"]["resourceVersion"],
            "timeoutSeconds": str(seconds),
        }
        path = resource.path(self.namespace)
        timeout = httpx.Timeout(seconds + 5.0, connect=5.0)
        try:
            with self._client.stream(
                "GET", path, params=params, headers=self._access.headers(), timeout=timeout
            ) as answer:
                if answer.status_code != Status.OK:
                    return
                for line in answer.iter_lines():
                    event = json.loads(line)
                    if event["type"] not in ("ADDED", "MODIFIED"):
                        return  # deleted, or the version is too old to watch from
                    yield event["object"]
        except (httpx.HTTPError, ValueError, KeyError):
            return

    def logs(self, pod: str, *, container: str = "", since: str = "", tail: int = 0) -> list[str]:
        """Lines that a container wrote, each with the time it was written; none while it has not started.

        Args:
            pod: Name of the pod.
            container: Name of the container, where there are several.
            since: Only lines of this RFC 3339 time and later.
            tail: Only so many of the last lines; 0 means all.
        """
        params = {"timestamps": "true"}
        params |= {"container": container} if container else {}
        params |= {"sinceTime": since} if since else {}
        params |= {"tailLines": str(tail)} if tail else {}
        try:
            answer = self._send(
                "GET", f"{PODS.path(self.namespace, pod)}/log", "get", "pods/log", params=params
            )
        except ClusterError as error:
            if error.code in (Status.MISSING, Status.BAD_REQUEST):
                return []
            raise
        return answer.text.splitlines()

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _call(self, verb: str, resource: Resource, name: str, **words: Any) -> Object:
        method = {"patch": "PATCH", "delete": "DELETE"}.get(verb, "GET")
        answer = self._send(method, resource.path(self.namespace, name), verb, resource.plural, **words)
        found: Object = answer.json()
        return found

    def _send(self, method: str, path: str, verb: str, kind: str, **words: Any) -> httpx.Response:
        """Send, and send again what may pass: every verb here has the same effect twice as once.

        Raises:
            ClusterError: With the server's own words.
        """
        headers = words.pop("headers", {})
        wait, problem = FIRST_WAIT, ""
        for tries_left in reversed(range(TRIES)):
            try:
                # The token is read for every try: it may have been renewed.
                answer = self._client.request(
                    method, path, headers={**headers, **self._access.headers()}, **words
                )
            except httpx.HTTPError as error:
                problem = f"{type(error).__name__}: {error}"
            else:
                if answer.is_success:
                    return answer
                refusal = explained(answer, verb, kind, self.namespace)
                if not tries_left or not _passing(refusal, verb):
                    raise refusal
                wait = max(wait, wait_of(answer.headers))
            if tries_left:
                self._sleep(wait)
                wait *= 2
        raise ClusterError(
            f"the Kubernetes API server does not answer: {problem}",
            where=f"{self._access.server}, {verb} {kind}",
            remedy="look at the API server and the network policies; running again is safe",
        )


def _passing(refusal: ClusterError, verb: str) -> bool:
    """Whether the same call may succeed later; a conflict about no owner of fields is a race of writers."""
    if refusal.code == Status.CONFLICT:
        return verb == "patch" and not isinstance(refusal, FieldConflictError)
    return refusal.code in PASSING


def condition(found: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """A condition in the status of an object; empty where it has none of that type."""
    for one in found.get("status", {}).get("conditions") or []:
        if one.get("type") == kind:
            return dict(one)
    return {}
