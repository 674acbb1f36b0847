"""What an API server refuses beyond the schemas, as a table of rules (`pkg/apis/*/validation` of Kubernetes).

The schemas of Kubernetes and of custom resources are checked elsewhere (tests/helm/checking.py). Decision
0075 says how the rules were compared with the real code.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

Object = dict[str, Any]
Rule = Callable[[Object], Iterator[str]]

LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
WORD = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
QUANTITY = r"([+-]?[0-9.]+)([numkMGTPE]|[KMGTPE]i|[eE][-+]?[0-9]+)?"
UNITS = {unit: Decimal(1000) ** power for power, unit in enumerate("num kMGTPE".replace(" ", "\0"), -3)}
UNITS |= {f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", 1)}

#: Pattern and longest name by kind; a subdomain of 253 letters otherwise.
NAMES = {
    "Service": (r"[a-z]([-a-z0-9]*[a-z0-9])?", 63),
    "Namespace": (LABEL, 63),
    # KServe's webhook: `IsvcNameFmt` in inference_service_validation.go.
    "InferenceService": (r"[a-z]([-a-z0-9]*[a-z0-9])?", 63),
    "LLMInferenceService": (r"[a-z]([-a-z0-9]*[a-z0-9])?", 63),
    "CronJob": (SUBDOMAIN, 52),
    "Job": (SUBDOMAIN, 63),
} | dict.fromkeys(("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"), (r"(?!\.\.?$)[^/%]+", 253))

#: Lists of pods and Services in which server-side apply takes a key once.
KEYED = {
    "containers": ("name",), "initContainers": ("name",), "env": ("name",), "volumes": ("name",),
    "volumeMounts": ("mountPath",), "imagePullSecrets": ("name",), "volumeDevices": ("devicePath",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"), "hostAliases": ("ip",),
    "ports": ("port", "containerPort", "protocol"), "resourceClaims": ("name",),
}  # fmt: skip

#: Resources that a container may ask for without a domain before their name.
NATIVE = re.compile(r"cpu|memory|ephemeral-storage|hugepages-.+")


def refusals(made: Object) -> list[str]:
    """What is wrong with an object, each with its place."""
    return [said for rule in (*GENERAL, *OF_KIND.get(made["kind"], ())) for said in rule(made)]


def qualified(name: str) -> bool:
    """Whether a key of labels, annotations, taints or resources is one."""
    prefix, slash, word = name.rpartition("/")
    whole = re.fullmatch(WORD, word) and (not slash or subdomain(prefix))
    return bool(whole)


def subdomain(name: str) -> bool:
    return len(name) <= 253 and re.fullmatch(SUBDOMAIN, name) is not None


def label_value(value: Any) -> bool:
    return isinstance(value, str) and (not value or re.fullmatch(WORD, value) is not None)


def data_key(key: str) -> bool:
    """Whether a ConfigMap or Secret may have the key."""
    return re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", key) is not None and not (key == "." or key[:2] == "..")


def quantity(value: Any) -> Decimal | None:
    """The amount; None where it is none."""
    found = re.fullmatch(QUANTITY, str(value))
    if not found or found[1].count(".") > 1:
        return None
    unit = found[2] or ""
    return Decimal(found[1]) * UNITS.get(unit, Decimal(f"1{unit}") if unit[:1] in ("e", "E") else Decimal(1))


def inside(part: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value below a part with its path."""
    yield path, part
    for key, value in (
        part.items() if isinstance(part, dict) else enumerate(part if isinstance(part, list) else ())
    ):
        yield from inside(value, f"{path}.{key}")


def metadata(made: Object) -> Iterator[str]:
    """Names by kind, labels, annotations, and what only the server writes."""
    found, kind = made["metadata"], made["kind"]
    pattern, most = NAMES.get(kind, (SUBDOMAIN, 253))
    if not re.fullmatch(pattern, found["name"]) or len(found["name"]) > most:
        yield f"metadata.name: {found['name']}"
    yield from (
        f"metadata.{one}: of the server" for one in ("managedFields", "uid", "generation") if one in found
    )
    if "status" in made:
        yield "status: of the server"
    for path, part in inside({key: made[key] for key in made if key in ("metadata", "spec")}):
        if path.endswith((".metadata.labels", ".matchLabels", ".nodeSelector", ".podLabels")):
            # A pipeline says `nodeSelector: {labels: …}`.
            found_labels = part["labels"] if isinstance(part.get("labels"), dict) else part
            yield from (
                f"{path}: {key}={it}"
                for key, it in found_labels.items()
                if not (qualified(key) and label_value(it))
            )
        if path.endswith(".metadata.annotations"):
            yield from (f"{path}: {key}" for key in part if not qualified(key.lower()))
            if sum(len(key) + len(value) for key, value in part.items()) > 256 * 1024:
                yield f"{path}: more than 256 KiB"


def lists(made: Object) -> Iterator[str]:
    """Nothing is twice in a list that is merged by a key, and nothing is null."""
    for path, part in inside(made.get("spec", {}), "spec"):
        if part is None:
            yield f"{path}: null"
        keys = KEYED.get(path.rpartition(".")[2])
        if keys and isinstance(part, list) and all(isinstance(one, dict) for one in part):
            found = [tuple(one.get(key) for key in keys) for one in part]
            yield from (f"{path}: twice {one}" for one in found if any(one) and found.count(one) > 1)


def pods_of(made: Object) -> Iterator[tuple[str, Object]]:
    """Pod specifications inside an object: whatever has containers, or is KServe's predictor."""
    for path, part in inside(made.get("spec", {}), "spec"):
        if isinstance(part, dict) and isinstance(part.get("containers"), list):
            yield path, part
        elif (
            isinstance(part, dict) and isinstance(part.get("model"), dict) and "modelFormat" in part["model"]
        ):
            yield path, {**part, "containers": [{"name": "kserve-container", **part["model"]}]}


def pods(made: Object) -> Iterator[str]:
    for path, pod in pods_of(made):
        for one in [*pod.get("initContainers", []), *pod["containers"]]:
            for of_container in (resources, variables, probes, mounts):
                yield from (f"{path}.{one.get('name')}.{said}" for said in of_container(one, pod))
        for of_pod in (tolerations, volumes, placing):
            yield from (f"{path}.{said}" for said in of_pod(pod))


def resources(one: Object, pod: Object) -> Iterator[str]:
    """Requests fit limits; what has a domain is whole, and asked for as often as it is limited to."""
    asked, limits = (one.get("resources", {}).get(part, {}) for part in ("requests", "limits"))
    for name in {**asked, **limits}:
        low, high = (quantity(part[name]) if name in part else None for part in (asked, limits))
        given = [part[name] for part in (asked, limits) if name in part]
        if any((amount := quantity(value)) is None or amount < 0 for value in given):
            yield f"resources.{name}: {given}"
        elif not NATIVE.fullmatch(name) and not (
            "/" in name and qualified(name) and not name.startswith("kubernetes.io/")
        ):
            yield f"resources.{name}: no name of a resource"
        elif not NATIVE.fullmatch(name) and any(quantity(value) % 1 for value in given):  # type: ignore[operator]
            yield f"resources.{name}: must be whole"
        elif (not NATIVE.fullmatch(name) or name.startswith("hugepages-")) and (
            high is None or low not in (None, high)
        ):
            yield f"resources.{name}: cannot be overcommitted"
        elif low is not None and high is not None and low > high:
            yield f"resources.{name}: more is asked for than the limit"


def variables(one: Object, pod: Object) -> Iterator[str]:
    for variable in one.get("env", []):
        name, source = variable.get("name", ""), variable.get("valueFrom")
        if not re.fullmatch(r"[-._a-zA-Z][-._a-zA-Z0-9]*", name) or name == "." or name[:2] == "..":
            yield f"env: {name!r} is no name"
        if source is not None and (variable.get("value") or len(source) != 1):
            yield f"env.{name}: one source"
        for kind in ("secretKeyRef", "configMapKeyRef"):
            if (named := (source or {}).get(kind)) and not data_key(named.get("key", "")):
                yield f"env.{name}: key {named.get('key')!r}"


def probes(one: Object, pod: Object) -> Iterator[str]:
    """Numbers are positive, one handler each; a sleep ends before the pod is killed."""
    for which in ("livenessProbe", "startupProbe", "readinessProbe"):
        probe = one.get(which, {})
        numbers = ("periodSeconds", "timeoutSeconds", "failureThreshold", "successThreshold")
        yield from (f"{which}.{it}" for it in numbers if probe.get(it, 1) < 1)
        if which != "readinessProbe" and probe.get("successThreshold", 1) != 1:
            yield f"{which}.successThreshold: must be 1"
        if len({"httpGet", "exec", "tcpSocket", "grpc"} & set(probe)) > 1:
            yield f"{which}: several handlers"
    slept = one.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    if slept > pod.get("terminationGracePeriodSeconds", 30):
        yield f"lifecycle.preStop.sleep: {slept} s of {pod.get('terminationGracePeriodSeconds', 30)}"
    for port in one.get("ports", []):
        if not re.fullmatch(r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?", port.get("name", "a")):
            yield f"ports: name {port['name']}"


def mounts(one: Object, pod: Object) -> Iterator[str]:
    named = {volume.get("name") for volume in pod.get("volumes", [])}
    for mount in one.get("volumeMounts", []):
        if mount["name"] not in named and "volumes" in pod:
            yield f"volumeMounts: no volume {mount['name']}"
        if not mount.get("mountPath") or ".." in mount.get("subPath", "").split("/"):
            yield f"volumeMounts: {mount}"


def tolerations(pod: Object) -> Iterator[str]:
    for one in pod.get("tolerations", []):
        key, value, equal = one.get("key", ""), one.get("value", ""), one.get("operator", "Equal") == "Equal"
        if (key and not qualified(key)) or (not key and equal):
            yield f"tolerations: key {key!r}"
        if (equal and not label_value(value)) or (not equal and value):
            yield f"tolerations: value {value!r}"
        if "tolerationSeconds" in one and one.get("effect") != "NoExecute":
            yield "tolerations: seconds are for NoExecute"


def volumes(pod: Object) -> Iterator[str]:
    for one in pod.get("volumes", []):
        if len(one["name"]) > 63 or not re.fullmatch(LABEL, one["name"]):
            yield f"volumes: name {one['name']}"
        if len(one) != 2:
            yield f"volumes.{one['name']}: one source"
        for source in (one.get("secret", {}), one.get("configMap", {})):
            for item in source.get("items", []):
                if (
                    not data_key(item["key"])
                    or item["path"].startswith("/")
                    or ".." in item["path"].split("/")
                ):
                    yield f"volumes.{one['name']}: {item}"


def placing(pod: Object) -> Iterator[str]:
    for one in pod.get("topologySpreadConstraints", []):
        if not qualified(one["topologyKey"]) or one["maxSkew"] < 1:
            yield f"topologySpreadConstraints: {one['topologyKey']!r}"
    for name in ("serviceAccountName", "priorityClassName", "runtimeClassName"):
        if pod.get(name) and not subdomain(pod[name]):
            yield f"{name}: {pod[name]}"


#: Fields that name another object, and fields that hold such a name.
NAMING = ("claimName", "secretName", "storageClassName")
NAMED = ("secretKeyRef", "secretRef", "configMapRef", "configMap", "configMapKeyRef")


def references(made: Object) -> Iterator[str]:
    """Names of other objects, wherever they stand."""
    for path, part in inside(made.get("spec", {}), "spec"):
        key = path.rpartition(".")[2]
        name = (
            part.get("name") if key in NAMED and isinstance(part, dict) else part if key in NAMING else None
        )
        if isinstance(name, str) and name and not subdomain(name):
            yield f"{path}: {name}"


def data(made: Object) -> Iterator[str]:
    found = {**made.get("data", {}), **made.get("binaryData", {}), **made.get("stringData", {})}
    yield from (f"data: key {key}" for key in found if not data_key(key))
    if sum(len(value.encode()) for value in found.values()) > 1024 * 1024:
        yield "data: more than 1 MiB"


def workload(made: Object) -> Iterator[str]:
    spec = made["spec"]
    wanted = spec["selector"].get("matchLabels", {}).items()
    if not wanted or not wanted <= spec["template"]["metadata"].get("labels", {}).items():
        yield "spec.selector: the template's labels"


def once(made: Object) -> Iterator[str]:
    """A Job's pods end by themselves."""
    spec = made["spec"]["jobTemplate"]["spec"] if made["kind"] == "CronJob" else made["spec"]
    if spec["template"]["spec"].get("restartPolicy") not in ("Never", "OnFailure"):
        yield "restartPolicy: Never or OnFailure"
    if made["kind"] == "CronJob" and (
        len(made["spec"]["schedule"].split()) != 5 or "TZ" in made["spec"]["schedule"]
    ):
        yield f"spec.schedule: {made['spec']['schedule']}"


def service(made: Object) -> Iterator[str]:
    ports = made["spec"].get("ports", [])
    if len(ports) > 1 and not all(port.get("name") for port in ports):
        yield "spec.ports: several need names"


def budget(made: Object) -> Iterator[str]:
    if len({"minAvailable", "maxUnavailable"} & set(made["spec"])) != 1:
        yield "spec: minAvailable or maxUnavailable"


def autoscaler(made: Object) -> Iterator[str]:
    spec = made["spec"]
    if not 1 <= spec.get("minReplicas", 1) <= spec["maxReplicas"]:
        yield "spec.minReplicas"
    for way in spec.get("behavior", {}).values():
        if not 0 <= way.get("stabilizationWindowSeconds", 0) <= 3600 or not all(
            one["value"] > 0 and 0 < one["periodSeconds"] <= 1800 for one in way.get("policies", [])
        ):
            yield "spec.behavior"


def ways(made: Object) -> Iterator[str]:
    """A peer is somebody, and addresses stand alone; a range of ports ends after it begins."""
    for path, part in inside(made["spec"], "spec"):
        if re.search(r"\.(from|to)\.\d+$", path) and (not part or ("ipBlock" in part and len(part) > 1)):
            yield f"{path}: {part}"
        if re.search(r"\.ports\.\d+$", path) and not part.get("port", 0) <= part.get("endPort", 65_535):
            yield f"{path}: {part}"


def rights(made: Object) -> Iterator[str]:
    for rule in made.get("rules") or []:
        if not rule.get("verbs") or not (
            rule.get("nonResourceURLs") or (rule.get("resources") and "apiGroups" in rule)
        ):
            yield f"rules: {rule}"


def binding(made: Object) -> Iterator[str]:
    for one in made.get("subjects") or []:
        if one["kind"] == "ServiceAccount" and not one.get("namespace"):
            yield f"subjects: {one['name']} without a namespace"


def priority(made: Object) -> Iterator[str]:
    if made["metadata"]["name"].startswith("system-") or made["value"] > 1_000_000_000:
        yield "value: the system's"


def claim(made: Object) -> Iterator[str]:
    amount = quantity(made["spec"]["resources"]["requests"]["storage"])
    if not made["spec"].get("accessModes") or amount is None or amount <= 0:
        yield "spec: access modes and an amount"


def bounds(made: Object) -> Iterator[str]:
    for one in made["spec"]["limits"]:
        order = [one[part] for part in ("min", "defaultRequest", "default", "max") if part in one]
        for low, high in pairwise(order):
            if any(quantity(low[name]) > quantity(high[name]) for name in {*low} & {*high}):  # type: ignore[operator]
                yield f"spec.limits: {one}"


GENERAL: tuple[Rule, ...] = (metadata, lists, pods, references)
OF_KIND: dict[str, tuple[Rule, ...]] = {
    "ConfigMap": (data,), "Secret": (data,), "Deployment": (workload,), "Job": (once,), "CronJob": (once,),
    "Service": (service,), "PodDisruptionBudget": (budget,), "HorizontalPodAutoscaler": (autoscaler,),
    "NetworkPolicy": (ways,), "Role": (rights,), "ClusterRole": (rights,), "RoleBinding": (binding,),
    "ClusterRoleBinding": (binding,), "PriorityClass": (priority,), "PersistentVolumeClaim": (claim,),
    "LimitRange": (bounds,),
}  # fmt: skip
