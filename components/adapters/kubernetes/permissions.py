"""What stages and commands may do on the cluster: chart, manifests and documentation hold these rules."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A rule of a Role, in RBAC's words, and what it is for; `names` limits it to objects of those names."""

    group: str
    resource: str
    verbs: tuple[str, ...]
    purpose: str
    names: tuple[str, ...] = ()


#: Stage `release`, `twin promote` and `twin rollback`.
RELEASE = (
    Rule(
        "serving.kserve.io",
        "inferenceservices",
        ("get", "list", "watch", "create", "patch", "delete"),
        "server-side apply (create, patch), waiting, taking back, cleaning up",
    ),
    Rule(
        "autoscaling",
        "horizontalpodautoscalers",
        ("get", "create", "patch", "delete"),
        "server-side apply of what scales a predictor on CPU, and taking it away",
    ),
    Rule(
        "keda.sh",
        "scaledobjects",
        ("get", "create", "patch", "delete"),
        "server-side apply of what scales a predictor on requests, and taking it away",
    ),
    Rule("", "pods", ("list",), "why a predictor is not ready: image, node, storage initializer, crash"),
    Rule("", "events", ("list",), "why no pod was made: quota, Pod Security"),
)

#: Stage `finetune` on more than one GPU.
FINETUNE = (
    Rule(
        "trainer.kubeflow.org",
        "trainjobs",
        ("get", "watch", "create", "patch", "delete"),
        "server-side apply (create, patch), waiting, taking back",
    ),
    Rule("", "pods", ("list",), "which pods train, and why one does not start"),
    Rule("", "pods/log", ("get",), "logs and metrics of the training"),
)

#: `twin prune`: a person's; the chart gives it to nobody.
PRUNE = (
    Rule("serving.kserve.io", "inferenceservices", ("list", "delete"), "predictors of twins that are gone"),
    Rule("", "persistentvolumeclaims", ("list", "delete"), "claims of fronts of twins that are gone"),
)
