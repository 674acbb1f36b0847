"""Where a predictor finds the files of its model: what KServe fetches, and what is mounted from a claim.

KServe's storage initializer takes several URIs (`storageUris`), with two exceptions that it does not tell of
(`CommonStorageInitialization` in pkg/webhook/admission/pod/storage_initializer_injector.go of kserve/kserve):
of a `pvc://CLAIM/PATH` among them it mounts the whole claim and drops the path, and an `oci://` among them it
cannot fetch, because an image becomes a container of its own by `storageUri` only. So claims are mounted
here, and images are refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from components.shared.config.cluster import Cluster
from components.shared.errors import ConfigError

#: URIs that KServe takes for the only folder of a model.
FETCHED = ("s3", "gs", "hf", "oci", "pvc", "https", "http")
#: URIs that one of several folders may have.
BESIDE_OTHERS = ("s3", "gs", "hf", "pvc")

#: Folders that KServe fetches have one parent; no claim is mounted below it, because it is mounted read-only.
PARENT, CLAIMS = "/mnt/models", "/mnt/claims"


@dataclass(frozen=True)
class Folders:
    """Folders of a model at their places.

    Attributes:
        paths: Where each lies in the container, by its name.
        fetched: What KServe fetches, as `storageUris`.
        volumes: Claims of the pod.
        mounts: Where the container has them.
    """

    paths: Mapping[str, str]
    fetched: list[dict[str, str]]
    volumes: list[dict[str, Any]]
    mounts: list[dict[str, Any]]


def folders(uris: Mapping[str, str]) -> Folders:
    """Places of several folders of one model.

    Args:
        uris: `s3://…`, `gs://…`, `hf://…` or `pvc://CLAIM/PATH`, by a name that a volume may have.
    """
    claimed = {name: uri.removeprefix("pvc://") for name, uri in uris.items() if uri.startswith("pvc://")}
    paths = {name: f"{CLAIMS if name in claimed else PARENT}/{name}" for name in uris}
    claims = {name: rest.partition("/") for name, rest in claimed.items()}
    return Folders(
        paths,
        [{"uri": uri, "mountPath": paths[name]} for name, uri in uris.items() if name not in claimed],
        [
            {"name": name, "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}
            for name, (claim, _, _) in claims.items()
        ],
        [
            {"name": name, "mountPath": paths[name], "readOnly": True} | ({"subPath": path} if path else {})
            for name, (_, _, path) in claims.items()
        ],
    )


def storage_uri(uri: str, settings: Cluster, artifacts: str) -> str:
    """What KServe's storage initializer fetches for the URI of a folder.

    A folder below a `file://` artifact store is named by the claim that the store is mounted from.

    Raises:
        ConfigError: There is no way to it.
    """
    scheme, claim = urlsplit(uri).scheme, settings.predictors.artifacts_claim
    if scheme in FETCHED:
        return uri.rstrip("/")
    root = url2pathname(urlsplit(artifacts).path).rstrip("/")
    place = url2pathname(urlsplit(uri).path)
    if claim and root and place.startswith(f"{root}/"):
        return f"pvc://{claim}/{place.removeprefix(f'{root}/')}"
    raise ConfigError(
        f"no predictor can read the model at '{uri}'",
        where="stores.artifacts",
        remedy="keep artifacts in s3://BUCKET/PREFIX, or name the volume they lie on with "
        "cluster.predictors.artifacts_claim",
    )
