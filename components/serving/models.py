"""KServe's list of models, of which a caller sees those that its key is for."""

from typing import Any

from kserve import ModelRepository

from components.serving.exchange import current


class Models(ModelRepository):  # type: ignore[misc]
    """The fronts by the names of their twins.

    Every look of KServe's protocols at a model goes through it, over HTTP and gRPC. Health has no key and
    sees all of them.
    """

    def get_model(self, name: str) -> Any:
        """One of them; None where there is none of the name.

        Raises:
            ForbiddenError: The caller's key is for other twins.
        """
        current().require_twin(name)
        return super().get_model(name)

    def get_models(self) -> dict[str, Any]:
        """All that the caller may ask."""
        caller = current()
        return {name: model for name, model in super().get_models().items() if caller.reaches(name)}
