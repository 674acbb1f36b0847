"""Recipes to KFP YAML: as they run on a laptop, and with what a cluster adds."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import yaml

from components.shared import digest
from components.shared.config import Kind
from components.shared.files import write_atomic

if TYPE_CHECKING:
    from components.shared.config.cluster import Cluster

COMPILED = Path(__file__).parent / "compiled"


def compiled_path(name: str, kind: Kind, folder: Path = COMPILED) -> Path:
    """File of a compiled pipeline."""
    return folder / f"{name}-{kind}.yaml"


def compile_all(folder: Path = COMPILED) -> list[Path]:
    """Write every recipe for both kinds; the same recipes give the same bytes."""
    from kfp.compiler import Compiler

    from pipelines.recipes import RECIPES, pipeline

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in RECIPES:
        for kind in get_args(Kind):
            path = compiled_path(name, kind, folder)
            Compiler().compile(pipeline(name, kind), str(path))
            written.append(path)
    return written


def compile_for_cluster(folder: Path, cluster: "Cluster") -> list[Path]:
    """Write every recipe for both kinds with the settings of a cluster.

    `packages/` holds what the KFP server takes by upload, `objects/` the same as `Pipeline` and
    `PipelineVersion` objects for a server that keeps its pipelines in Kubernetes, with a kustomization.
    """
    from pipelines.recipes import RECIPES

    written = []
    for name in RECIPES:
        for kind in get_args(Kind):
            package, objects = folder / "packages", folder / "objects"
            made = compiled_path(name, kind, package)
            write_atomic(made, package_of(name, kind, cluster))
            as_objects = compiled_path(name, kind, objects)
            write_atomic(as_objects, _objects(name, kind, cluster, version_name(made.read_text("utf-8"))))
            written += [made, as_objects]
    kustomization = folder / "objects" / "kustomization.yaml"
    write_atomic(kustomization, _kustomization(sorted(one.name for one in written[1::2])))
    return [*written, kustomization]


def package_of(name: str, kind: Kind, cluster: "Cluster") -> str:
    """One pipeline for a cluster, as the YAML text that a KFP server takes."""
    return _compiled(name, kind, cluster)


def version_name(package: str) -> str:
    """Name of a pipeline's version: the digest of its content, so that equal content is one version."""
    return digest.of_text(package)


def _objects(name: str, kind: Kind, cluster: "Cluster", version: str) -> str:
    from kfp.compiler.compiler_utils import KubernetesManifestOptions

    pipeline = f"{name.replace('_', '-')}-{kind}"
    options = KubernetesManifestOptions(
        pipeline_version_name=f"{pipeline}-{version}",
        pipeline_version_display_name=version,
        namespace=cluster.namespace,
        include_pipeline_manifest=True,
    )
    return _compiled(
        name, kind, cluster, kubernetes_manifest_format=True, kubernetes_manifest_options=options
    )


def _compiled(name: str, kind: Kind, cluster: "Cluster", **options: Any) -> str:
    from kfp.compiler import Compiler

    from pipelines.on_cluster import cluster_pipeline

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pipeline.yaml"
        Compiler().compile(cluster_pipeline(name, kind, cluster), str(path), **options)
        return path.read_text(encoding="utf-8")


def _kustomization(resources: list[str]) -> str:
    head = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    return yaml.safe_dump({**head, "resources": resources}, sort_keys=False)
