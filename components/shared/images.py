"""Which container image a stage runs in: few images, by dependency set (`images/*.Containerfile`)."""

from importlib.metadata import version

from components.shared.config.cluster import Images
from components.shared.config.names import ImageName

_TAG = version("twinstack")

#: CPU image of data and evaluation stages.
PIPELINE = f"twinstack/pipeline-python:{_TAG}"

#: CUDA image of stages that train an LLM.
TRAIN = f"twinstack/train-python:{_TAG}"

#: KServe fronts and predictors.
SERVE = f"twinstack/serve-python:{_TAG}"

#: Web pages and operations API.
CONSOLE = f"twinstack/console-python:{_TAG}"

NAMES: dict[ImageName, str] = {"pipeline": PIPELINE, "train": TRAIN, "serve": SERVE, "console": CONSOLE}


def reference(name: ImageName, settings: Images) -> str:
    """What a cluster pulls: by digest where there is one, else by tag."""
    repository, _, version_tag = NAMES[name].rpartition(":")
    place = f"{settings.registry}/{repository}" if settings.registry else repository
    if digest := settings.digests.get(name):
        return f"{place}@{digest}"
    return f"{place}:{settings.tag or version_tag}"
