"""A deployer on the stand-in, and steps that make a service ready or let its pods wait."""

from typing import Any

from components.adapters.kubernetes.api import Api
from components.adapters.kubernetes.deployer import KServeDeployer
from components.adapters.kubernetes.following import Clock
from tests.components.adapters.kubernetes.conftest import settings
from tests.components.adapters.kubernetes.stand_in import Server, Step

STORE = "s3://bucket/artifacts"
SERVICES = "inferenceservices"
NAME = "credit-m3"
READY = [{"type": "Ready", "status": "True"}]
WAITING = [{"type": "Ready", "status": "False", "message": "predictor is starting"}]


def deployer(api: Api, **predictors: Any) -> KServeDeployer:
    return KServeDeployer(api, settings(**predictors), STORE, Clock(sleep=lambda _: None, window=1))


def silent(_: str) -> None:
    pass


def becomes_ready(name: str = NAME, **status: Any) -> Step:
    def step(server: Server) -> None:
        has_pod(name, conditions=READY)(server)
        server.status(
            SERVICES, name, conditions=READY, modelStatus={"transitionStatus": "UpToDate"}, **status
        )

    return step


def has_pod(name: str = NAME, **status: Any) -> Step:
    """A pod as KServe makes it from the service as it is now."""

    def step(server: Server) -> None:
        metadata = {
            "name": f"{name}-predictor-1",
            "labels": {"serving.kserve.io/inferenceservice": name},
            "annotations": server.get(SERVICES, name)["spec"]["predictor"]["annotations"],
        }
        server.put("pods", {"kind": "Pod", "metadata": metadata, "status": status})

    return step


def waiting(container: str, why: str, said: str = "", **before: Any) -> dict[str, Any]:
    state = {"waiting": {"reason": why, "message": said}}
    return {"name": container, "state": state, "lastState": {"terminated": before} if before else {}}


#: What a pod says, the error in short, and what it is about.
PROBLEMS: dict[str, tuple[dict[str, Any], str, str]] = {
    "image": (
        {"containerStatuses": [waiting("kserve-container", "ImagePullBackOff", "not found: tag 9")]},
        "ImagePullBackOff: not found: tag 9",
        "pull secret",
    ),
    "storage initializer": (
        {
            "initContainerStatuses": [
                waiting("storage-initializer", "CrashLoopBackOff", exitCode=1, message="NoSuchBucket: bucket")
            ]
        },
        "credit-m3-predictor-1 cannot fetch the model: Error, exit code 1: NoSuchBucket",
        "credentials",
    ),
    "crash loop": (
        {
            "containerStatuses": [
                waiting("kserve-container", "CrashLoopBackOff", exitCode=137, reason="OOMKilled")
            ]
        },
        "CrashLoopBackOff: OOMKilled, exit code 137",
        "log of the container's last run",
    ),
    "missing secret": (
        {"containerStatuses": [waiting("kserve-container", "CreateContainerConfigError", 'secret "x"')]},
        'CreateContainerConfigError: secret "x"',
        "make the Secret",
    ),
    "wrong image name": (
        {"containerStatuses": [waiting("kserve-container", "InvalidImageName", "a b")]},
        "InvalidImageName: a b",
        "mend the image's name",
    ),
}
