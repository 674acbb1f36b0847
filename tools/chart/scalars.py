"""Single values of the chart: what each may look like."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from components.shared.config import names
from components.shared.config.quantities import BYTES, CORES


class Closed(TypedDict):
    """A mapping of values: unknown keys are refused."""

    # mypy knows neither this name, by which pydantic is told, nor `extra_items`.
    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]


Name = names.ObjectName
NameOrNothing = names.SubdomainOrNothing
#: Beginning of object names: KServe adds to them, and a Service begins with a letter.
PrefixOrNothing = Annotated[str, Field(pattern=r"^([a-z]([a-z0-9-]{0,22}[a-z0-9])?)?$")]
SecretKey = names.DataKey
Variable = names.Variable
TwinName = Annotated[str, Field(pattern=names.TWIN)]
QuantityText = Annotated[str, Field(pattern=r"^[0-9]{1,15}(\.[0-9]{1,9})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$")]
#: An amount of anything: Kubernetes takes text and number.
Quantity = QuantityText | Annotated[float, Field(ge=0, le=BYTES[1])]
#: CPU cores.
Cores = QuantityText | Annotated[float, Field(ge=0, le=CORES)]
#: Memory; a number is bytes.
Memory = QuantityText | Annotated[int, Field(ge=BYTES[0], le=BYTES[1])]
Size = Annotated[str, Field(pattern=r"^[1-9][0-9]*(Mi|Gi|Ti)$")]
Port = Annotated[int, Field(ge=1, le=65_535)]
Seconds = Annotated[int, Field(ge=1, le=86_400)]
Replicas = Annotated[int, Field(ge=0, le=1_000)]
#: Seconds that open answers have: more than the five that a pod sleeps before it ends, which an API server
#: checks, and some to answer in.
Grace = Annotated[int, Field(ge=10, le=86_400)]
Percent = Annotated[int, Field(ge=1, le=100)]
User = Annotated[int, Field(ge=1, le=2_147_483_647)]
Duration = Annotated[str, Field(pattern=r"^[1-9][0-9]*(s|m|h)$")]
#: What a server listens on: every address of IPv4, or of both.
ListenAddress = Annotated[str, Field(pattern=r"^(0\.0\.0\.0|::)$")]
Cidr = Annotated[
    str,
    Field(
        pattern=r"^((25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})(\.(25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})){3}/(3[0-2]|[12]?[0-9])"
        r"|[0-9a-fA-F]*:[0-9a-fA-F:.]*/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))$"
    ),
]
Folder = Annotated[str, Field(pattern=r"^/[^\s:]*[^\s:/]$")]
FilePath = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*(/[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*)*$"
    ),
]
ImageRef = Annotated[str, Field(pattern=r"^([a-z0-9][A-Za-z0-9./:_@-]*[A-Za-z0-9])?$")]
ModelUri = Annotated[str, Field(pattern=r"^((s3|gs|hf|pvc|oci|https)://[^\s]+)?$")]
Labels = dict[names.Key, names.LabelValue]
Annotations = dict[names.Key, str]
#: Objects of Kubernetes that the API server checks.
Free = dict[str, Any]
