"""Valid values of the chart by number: what is rare takes turns, everything else is drawn at random.

No strategy for every field: Hypothesis makes most of a few examples by copying parts of earlier ones.
"""

from random import Random

from tests.helm.rendering import Object, ci

#: Declarations of twins: two of each kind.
TWINS = ci("production-gpu")["config"]["twins"]
TWINS = {**TWINS, "risk": TWINS["credit"]}

#: Sets of twins; mostly large ones, which reach more branches at a time.
SETS = [["credit"], ["docs", "risk"], *[sorted(TWINS)] * 4]

MODELS = ("s3://b/m", "hf://o/m", "pvc://claim/m", "oci://r/m")
ADAPTERS = ("s3://b/tone", "pvc://claim", "pvc://claim/deep/tone")
TOLERATION = {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}
#: What scales, and the fewest pods.
SCALING = (("", 2), ("cpu", 1), ("requests", 0), ("requests", 1), ("none", 1))
TERM = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}
AFFINITY = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [TERM]}}}


def _flag(pick: Random) -> bool:
    return pick.random() < 0.5


def _texts(pick: Random, names: list[str]) -> dict[str, str]:
    chosen = [name for name in names if _flag(pick)]
    return {name: "".join(pick.choices("a:\n#{}'\" \\é1", k=pick.randint(0, 9))) for name in chosen}


def _nodes(pick: Random) -> Object:
    return {
        "nodeSelector": pick.choice([{}, {"pool": "gpu"}]),
        "tolerations": pick.choice([[], [TOLERATION]]),
        "affinity": pick.choice([{}, AFFINITY]),
    }


def _storage(pick: Random) -> Object:
    return {
        "claim": pick.choice(["", "claim"]),
        "create": _flag(pick),
        "accessMode": pick.choice(["ReadWriteOnce", "ReadWriteMany"]),
        "storageClass": pick.choice(["", "fast"]),
    }


def _runtime(pick: Random) -> Object:
    return {"create": _flag(pick), "image": "r/runtime:1"}


def _scaling(pick: Random, turn: int, *, zero: bool) -> Object:
    """Bounds in the right order; `zero` where the first pod can be woken."""
    by, least = SCALING[turn % len(SCALING)]
    least = least if zero else max(1, least)
    return {
        "by": by,
        "minReplicas": least,
        "maxReplicas": max(1, least) + pick.randint(0, 4),
        "cpuPercent": pick.randint(1, 100),
        "requestsPerReplica": pick.randint(1, 9),
        "waitingPerReplica": pick.randint(1, 9),
        "scaleDownSeconds": pick.randint(0, 3_600),
    }


def _predictors(pick: Random, turn: int, *, kind: str, spans: bool) -> Object:
    """A pinned predictor, or none."""
    found: Object = {
        "enabled": pick.random() < 0.9,
        "storageUri": pick.choice(MODELS),
        "modelName": pick.choice(["", "model"]),
        "image": pick.choice(["", "r/server:1"]),
        "runtimeClass": pick.choice(["", "nvidia"]),
        "scaling": _scaling(pick, turn, zero=True),
        "startupSeconds": pick.randint(1, 86_400),
        "user": pick.randint(1, 70_000),
        **_nodes(pick),
    }
    return found | _large(pick, found, spans=spans) if kind == "llm" else found


def _large(pick: Random, under: Object, *, spans: bool) -> Object:
    """What only predictors of LLMs have."""
    cache = _flag(pick)
    adapters = [] if cache and not spans else pick.choice([[], ["tone"], ["tone", "style"]])
    args = ["--max-model-len=4096", "--dtype=bfloat16", *([] if spans else ['a "b": c'])]
    found: Object = {
        "engine": "LLMInferenceService" if spans else "InferenceService",
        "gpus": pick.randint(0, 8),
        "adapters": [{"name": name, "uri": pick.choice(ADAPTERS)} for name in adapters],
        "args": pick.sample(args, pick.randint(0, 2)),
        "cache": {
            "enabled": cache,
            "scope": pick.choice(["Namespace", "Cluster"]),
            "nodeGroups": ["g"],
        },
    }
    if spans:
        by, least = under["scaling"]["by"].replace("cpu", "none"), max(1, under["scaling"]["minReplicas"])
        found["scaling"] = {**under["scaling"], "by": by, "minReplicas": least}
    elif adapters and under["storageUri"].startswith("oci://"):
        found["storageUri"] = "pvc://claim"
    return found


def _twins(pick: Random, number: int, *, standard: bool) -> list[Object]:
    """One twin at the least."""
    return [
        _twin(pick, name, number // 2 + place, number // 10 % 2 == (name == "docs"), standard=standard)
        for place, name in enumerate(pick.choice(SETS))
    ]


def _twin(pick: Random, name: str, turn: int, spans: bool, *, standard: bool) -> Object:
    kind = TWINS[name]["kind"]
    return {
        "name": name,
        "kind": kind,
        "front": {"enabled": _flag(pick), "scaling": _scaling(pick, turn, zero=not standard)},
        "traffic": {"public": _flag(pick), "concurrency": pick.randint(0, 9)},
        "storage": _storage(pick),
        "predictor": _predictors(pick, turn, kind=kind, spans=spans and standard),
    }


def _secrets(pick: Random) -> list[Object]:
    """Each with names of its own: nothing is given twice."""
    found = []
    for number in range(pick.randint(0, 2)):
        pods = pick.sample(["front", "console", "migration", "test"], pick.randint(1, 3))
        one: Object = {"name": f"secret-{number}", "for": pods}
        if _flag(pick):
            one["env"] = {f"SECRET_{number}": "key"}
        if "test" not in pods and _flag(pick):
            one["mount"] = f"/secrets/{number}"
        if _flag(pick):
            store = {"name": "vault", "kind": pick.choice(["SecretStore", "ClusterSecretStore"])}
            one["external"] = {"store": store, "data": {"key": {"key": "path"}}}
        found.append(one)
    return found


def _pods(pick: Random) -> Object:
    """What the chart's own pods have."""
    return {
        "user": pick.randint(1, 70_000),
        "address": pick.choice(["0.0.0.0", "::"]),
        "tmpSize": pick.choice(["64Mi", "2Gi"]),
        "annotations": pick.choice([{}, {"note": "on"}]),
        "spread": {
            "enabled": _flag(pick),
            "whenUnsatisfiable": pick.choice(["ScheduleAnyway", "DoNotSchedule"]),
        },
        **_nodes(pick),
    }


def _gpus(found: list[Object]) -> int:
    """What the pinned predictors take at their largest."""
    pinned = [one["predictor"] for one in found if one["predictor"]["enabled"]]
    return sum(one.get("gpus", 0) * one["scaling"]["maxReplicas"] for one in pinned)


def valid(number: int) -> Object:
    """Values that the schema and the checks of the templates take."""
    pick = Random(number)
    mode = ("Standard", "Knative")[number % 2]
    found = _twins(pick, number, standard=mode == "Standard")
    rbac = ("create", "trainer", "workflow", "kfpRuns")
    console = pick.choice([True, True, False])
    return {
        "config": {
            "cluster": {"deployment_mode": mode, "knative_pod_fields": _flag(pick)},
            "serving": {"allow_anonymous": True},
            "stores": dict.fromkeys(("warehouse", "vectors", "features", "tracking", "artifacts"), "s3://b/x"),
            "twins": {one["name"]: TWINS[one["name"]] for one in found},
        },
        "twins": found,
        "limits": {"gpus": pick.choice([0, _gpus(found), 10_000])},
        "secrets": _secrets(pick),
        "files": _texts(pick, ["a.py", "b/c_d.md"]),
        "commonLabels": pick.choice([{}, {"team": "ml"}]),
        "environment": _texts(pick, ["A", "B_C"]),
        "caBundle": {"configMap": pick.choice(["", "ca"])},
        "pods": _pods(pick),
        "console": {"enabled": console, "replicas": pick.randint(1, 3), "storage": _storage(pick)},
        "networkPolicies": {"enabled": _flag(pick), "callers": pick.choice([[], [{"podSelector": {}}]])},
        "priorityClasses": {"create": _flag(pick)},
        "rbac": {name: _flag(pick) for name in rbac},
        "serviceAccounts": {"create": _flag(pick)},
        "monitoring": {
            "labels": pick.choice([{}, {"release": "kps"}]),
            "podMonitors": {"enabled": _flag(pick)},
            "rules": {"enabled": _flag(pick)},
            "dashboards": {"enabled": _flag(pick)},
            "alertmanager": {"enabled": console and _flag(pick), "keySecret": "key"},
        },
        "servingRuntimes": {"xgboost": _runtime(pick), "huggingface": _runtime(pick)},
        "migration": {"enabled": _flag(pick)},
        "tests": {"enabled": _flag(pick)},
    }  # fmt: skip
