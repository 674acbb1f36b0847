"""Every right that chart and manifests grant, and what it is for: the chart's Roles, a reference page."""

from collections.abc import Sequence

import yaml

from components.adapters.kubernetes.permissions import FINETUNE, PRUNE, RELEASE, Rule
from tools.chart import manifest_rights

HEAD = (
    "# Written by tools/generate_docs.py from tools/chart/permissions.py. Change the code, not this file.\n"
)


#: Sets of rights by name. The first is granted where a twin of the configuration needs predictors; the `rbac`
#: values of the chart switch the others.
SETS: dict[str, tuple[Rule, ...]] = {
    "release": RELEASE,
    "trainer": FINETUNE,
    "workflow": (
        Rule(
            "argoproj.io",
            "workflowtaskresults",
            ("create", "patch"),
            "Argo's executor reports the outcome of a step",
        ),
        Rule(
            "argoproj.io",
            "workflowtasksets",
            ("list", "watch"),
            "Argo's agent takes its tasks, where KFP lets it run the drivers (an executor plugin)",
        ),
        Rule(
            "argoproj.io", "workflowtasksets/status", ("patch",), "Argo's agent reports how the drivers ended"
        ),
        Rule(
            "", "configmaps", ("get",), "the KFP launcher reads where artifacts of KFP go", ("kfp-launcher",)
        ),
        Rule(
            "",
            "secrets",
            ("get",),
            "the KFP launcher reads the key of KFP's object store",
            ("mlpipeline-minio-artifact",),
        ),
    ),
    "console": (
        Rule(
            "pipelines.kubeflow.org",
            "runs",
            ("get", "create"),
            "start a run that a person or an alert asks for, and follow it; KFP asks Kubernetes",
        ),
        Rule(
            "pipelines.kubeflow.org",
            "experiments",
            ("get", "list", "create"),
            "find or make the experiment that a run belongs to",
        ),
        Rule(
            "pipelines.kubeflow.org",
            "pipelines",
            ("get", "list", "create"),
            "find the pipeline, or upload it where the server has none",
        ),
        Rule(
            "pipelines.kubeflow.org",
            "pipelines/versions",
            ("get", "list", "create"),
            "find the version of this content, or upload it",
        ),
    ),
}

#: Rights that a command needs and the chart gives to nobody, by the title of their section.
OWN = {"Whoever runs `twin prune`: not granted by the chart": PRUNE}

TITLES = {
    "release": "Pipelines and operations API: stage `release`, `twin promote`, `twin rollback`, an approval "
    "(not granted where every twin answers in its front or elsewhere)",
    "trainer": "Pipelines: stage `finetune` on several GPUs (`rbac.trainer`)",
    "workflow": "Pipelines: running as the chart's own service account (`rbac.workflow`)",
    "console": "Operations API (`rbac.kfpRuns`)",
}

INTRO = """# Permissions

## Who has which
| service account | whose pods | rights |
|---|---|---|
| `twinstack-serving` | fronts and predictors | none, and no token |
| `twinstack-pipelines` | stages of the pipelines | the Role `RELEASE-pipelines`, below |
| `twinstack-console` | operations API | the Role `RELEASE-console`: stage `release` and `twin submit` |
| `default` | migration job, pods of `helm test` | none, and no token |
| `twinstack-recurring` (`manifests/base`) | CronJob that keeps the recurring runs | the Role \
`twinstack-recurring`; its token is for Kubeflow Pipelines, not for Kubernetes |

Every Role is in the namespace of the release. There is no ClusterRole, no wildcard, and no right to read \
every Secret. A Role without a right is not made. The names of the accounts are \
`config.cluster.service_accounts` and `console.serviceAccount`.

## What the person who installs needs
Rights to create the objects of the chart in one namespace, and, because Kubernetes lets nobody grant what \
they do not have, the rights below themselves. Cluster-wide objects are made only where they are switched \
on: PriorityClass (`priorityClasses.create`) and LocalModelCache (`cache.scope: Cluster`).
"""


def data() -> str:
    """Rules of the Roles as YAML, for the chart's template."""
    return HEAD + yaml.safe_dump(
        {name: [_rule(right) for right in rights] for name, rights in SETS.items()}, sort_keys=False
    )


def _rule(right: Rule) -> dict[str, list[str]]:
    names = {"resourceNames": list(right.names)} if right.names else {}
    return {"apiGroups": [right.group], "resources": [right.resource], **names, "verbs": list(right.verbs)}


def page() -> str:
    """The page of the reference: a table a set."""
    sections = {TITLES[name]: rights for name, rights in SETS.items()} | OWN
    sections |= {manifest_rights.TITLES[name]: rights for name, rights in manifest_rights.ROLES.items()}
    return "\n".join([INTRO, *(_section(title, rights) for title, rights in sections.items())])


def _section(title: str, rights: Sequence[Rule]) -> str:
    lines = ["| API group | resource | verbs | what for |", "|---|---|---|---|"]
    for right in rights:
        resource = right.resource + (f" named `{', '.join(right.names)}`" if right.names else "")
        lines.append(f"| {right.group or 'core'} | {resource} | {', '.join(right.verbs)} | {right.purpose} |")
    return f"## {title}\n" + "\n".join(lines) + "\n"
