"""Which container image a stage runs in: few images, by dependency set (`images/*.Containerfile`)."""

from importlib.metadata import version

_TAG = version("twinstack")

#: CPU image of data and evaluation stages.
PIPELINE = f"twinstack/pipeline-python:{_TAG}"

#: CUDA image of stages that train an LLM.
TRAIN = f"twinstack/train-python:{_TAG}"

#: KServe fronts and predictors.
SERVE = f"twinstack/serve-python:{_TAG}"

#: Web pages and operations API.
CONSOLE = f"twinstack/console-python:{_TAG}"
