"""What the Roles of `manifests/` grant, and what for; the Roles themselves are written by hand."""

from tools.chart.right import Right

KFP = "pipelines.kubeflow.org"
KSERVE = "serving.kserve.io"
SEEN = ("get", "list", "watch")
KEPT = ("get", "list", "create")

#: Rights by the name of their Role.
ROLES: dict[str, tuple[Right, ...]] = {
    "twinstack-recurring": (
        Right(KFP, "pipelines", KEPT, "find the pipeline of a recurring run, or upload it"),
        Right(KFP, "pipelines/versions", KEPT, "find the version of this content, or upload it"),
        Right(KFP, "experiments", KEPT, "find or make the experiment that its runs belong to"),
        Right(
            KFP,
            "jobs",
            (*KEPT, "delete"),
            "bring the recurring runs, which KFP calls jobs here, to `cluster.recurring`",
        ),
    ),
    "twinstack-viewer": (
        Right(KSERVE, "inferenceservices", SEEN, "see twins and predictors, and whether they are ready"),
        Right("", "pods", SEEN, "see which pods run, and why one does not"),
        Right("", "pods/log", SEEN, "read what fronts, predictors and stages say"),
        Right("", "events", SEEN, "read why a pod was not made or not started"),
        Right("", "services", SEEN, "find the addresses of fronts and of the operations API"),
        Right(KFP, "runs", ("get", "list"), "follow runs in the UI of KFP"),
        Right(KFP, "jobs", ("get", "list"), "see recurring runs"),
        Right(KFP, "experiments", ("get", "list"), "find runs by their experiment"),
        Right(KFP, "pipelines", ("get", "list"), "see which pipelines there are"),
        Right(KFP, "pipelines/versions", ("get", "list"), "see what a pipeline does"),
    ),
    "twinstack-submitter": (
        Right(KFP, "pipelines", KEPT, "`twin submit`: find the pipeline, or upload it"),
        Right(KFP, "pipelines/versions", KEPT, "`twin submit`: find the version, or upload it"),
        Right(KFP, "experiments", KEPT, "`twin submit`: find or make the experiment of a run"),
        Right(
            KFP,
            "runs",
            (*KEPT, "terminate", "retry", "archive"),
            "`twin submit`: start a run and follow it; end one, start a failed one again, put one away",
        ),
        Right(
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
