"""Amounts of CPU and memory, as Kubernetes takes them: text with a unit, or a plain number."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from components.shared.config.base import Settings

#: Most cores, and fewest and most bytes, of one container; less than a megabyte is a forgotten unit.
CORES, BYTES = 1_024, (1_000_000, 10**15)

CORES_TEXT = r"^([1-9][0-9]*m|[0-9]+(\.[0-9]+)?)$"
MEMORY_TEXT = r"^([1-9][0-9]*(Mi|Gi|Ti)|[1-9][0-9]{6,14}|10{15})$"


def _cores(given: Any) -> Any:
    """A number as text: 4 and 4.0 as `4`."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        return given
    if not 0 < given <= CORES:
        raise ValueError(f"cores have to be more than 0 and at most {CORES:,}")
    return f"{given:g}"


def _memory(given: Any) -> Any:
    """Bytes as text. Helm hands large whole numbers on as floats."""
    if isinstance(given, str) and given.isdigit():
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int | float):
        return given
    if given != int(given) or not BYTES[0] <= given <= BYTES[1]:
        raise ValueError("memory without a unit is whole bytes, at least 1,000,000; write 512Mi, 4Gi or 1Ti")
    return str(int(given))


#: CPU cores: `2`, `0.5` or `500m`; a number is taken as well.
Cores = Annotated[
    str,
    BeforeValidator(_cores),
    Field(pattern=CORES_TEXT),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": CORES_TEXT},
                {"type": "number", "exclusiveMinimum": 0, "maximum": CORES},
            ]
        }
    ),
]

#: Memory with a binary unit: `512Mi`, `4Gi`; bytes as a number are taken as well.
Memory = Annotated[
    str,
    BeforeValidator(_memory),
    Field(pattern=MEMORY_TEXT),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": MEMORY_TEXT},
                {"type": "integer", "minimum": BYTES[0], "maximum": BYTES[1]},
            ]
        }
    ),
]

#: What a unit multiplies by.
UNITS = {"m": 0.001, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}


def amount(quantity: str) -> float:
    """Cores, or bytes, of a quantity."""
    number = quantity.rstrip("mMGTi")
    return float(number) * UNITS.get(quantity.removeprefix(number), 1.0)


class Sized(Settings):
    """Requests and limits of a container; Kubernetes refuses a request above its limit."""

    @model_validator(mode="after")
    def _requests_fit_their_limits(self) -> Self:
        for name in ("cpu", "memory"):
            wanted, most = getattr(self, name), getattr(self, f"{name}_limit")
            if amount(wanted) > amount(most):
                raise ValueError(f"{name} {wanted} is above {name}_limit {most}")
        return self
