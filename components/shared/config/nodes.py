"""Nodes of a cluster: pools and their taints."""

from typing import Literal, Self

from pydantic import Field, model_validator

from components.shared.config.base import Settings
from components.shared.config.names import NAME_OR_NOTHING, Device, Key, LabelValue


class Toleration(Settings):
    """A taint that a pod may run beside."""

    key: Key
    """Key of the taint, for example `nvidia.com/gpu`."""
    operator: Literal["Exists", "Equal"] = "Exists"
    """Whether the value of the taint matters."""
    value: LabelValue = ""
    """Value of the taint, with operator `Equal`."""
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = ""
    """Effect of the taint; empty means every effect."""

    @model_validator(mode="after")
    def _value_has_a_meaning(self) -> Self:
        if self.operator == "Exists" and self.value:
            raise ValueError("operator 'Exists' takes no value")
        return self


class Pool(Settings):
    """Nodes of one kind."""

    node_labels: dict[Key, LabelValue] = Field(min_length=1)
    """Labels that a node must carry, for example `twinstack.io/pool: gpu`."""
    tolerations: tuple[Toleration, ...] = ()
    """Taints of these nodes."""
    accelerator: Device = "nvidia.com/gpu"
    """Resource that a stage with `gpus` asks for."""
    queue: str = Field(default="", pattern=NAME_OR_NOTHING)
    """Kueue LocalQueue that admits the pods; empty where there is no Kueue."""
