"""What the Roles of `manifests/` grant, and what for; the Roles themselves are written by hand."""

from components.adapters.kubernetes.permissions import Rule

KFP = "pipelines.kubeflow.org"
KSERVE = "serving.kserve.io"
SEEN = ("get", "list", "watch")
KEPT = ("get", "list", "create")

#: Rights by the name of their Role.
ROLES: dict[str, tuple[Rule, ...]] = {
    "twinstack-recurring": (
        Rule(KFP, "pipelines", KEPT, "find the pipeline of a recurring run, or upload it"),
        Rule(KFP, "pipelines/versions", KEPT, "find the version of this content, or upload it"),
        Rule(KFP, "experiments", KEPT, "find or make the experiment that its runs belong to"),
        Rule(
            KFP,
            "jobs",
            (*KEPT, "delete"),
            "bring the recurring runs, which KFP calls jobs here, to `cluster.recurring`",
        ),
    ),
    "twinstack-viewer": (
        Rule(KSERVE, "inferenceservices", SEEN, "see twins and predictors, and whether they are ready"),
        Rule("", "pods", SEEN, "see which pods run, and why one does not"),
        Rule("", "pods/log", SEEN, "read what fronts, predictors and stages say"),
        Rule("", "events", SEEN, "read why a pod was not made or not started"),
        Rule("", "services", SEEN, "find the addresses of fronts and of the operations API"),
        Rule(KFP, "runs", ("get", "list"), "follow runs in the UI of KFP"),
        Rule(KFP, "jobs", ("get", "list"), "see recurring runs"),
        Rule(KFP, "experiments", ("get", "list"), "find runs by their experiment"),
        Rule(KFP, "pipelines", ("get", "list"), "see which pipelines there are"),
        Rule(KFP, "pipelines/versions", ("get", "list"), "see what a pipeline does"),
    ),
    "twinstack-submitter": (
        Rule(KFP, "pipelines", KEPT, "`twin submit`: find the pipeline, or upload it"),
        Rule(KFP, "pipelines/versions", KEPT, "`twin submit`: find the version, or upload it"),
        Rule(KFP, "experiments", KEPT, "`twin submit`: find or make the experiment of a run"),
        Rule(
            KFP,
            "runs",
            (*KEPT, "terminate", "retry", "archive"),
            "`twin submit`: start a run and follow it; end one, start a failed one again, put one away",
        ),
        Rule(
            KFP,
            "jobs",
            (*KEPT, "delete", "enable", "disable"),
            "`twin recurring` from one's own machine; pause a recurring run in the UI of KFP",
        ),
    ),
}

TITLES = {
    "twinstack-recurring": "CronJob of `manifests/base`: keeps the recurring runs (`twinstack-recurring`)",
    "twinstack-viewer": "People who look: groups `twinstack-viewers` and `twinstack-submitters`, "
    "`manifests/options/tenancy` (`twinstack-viewer`)",
    "twinstack-submitter": "People who submit pipelines: group `twinstack-submitters`, "
    "`manifests/options/tenancy` (`twinstack-submitter`)",
}
