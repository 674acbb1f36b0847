"""Names and addresses on a cluster: what each may look like."""

from typing import Annotated, Literal

from pydantic import Field

ImageName = Literal["pipeline", "train", "serve", "console"]
StageName = Literal[
    "collect", "validate", "materialize", "embed", "snapshot", "instruct", "train", "finetune", "evaluate",
    "gate", "release", "monitor",
]  # fmt: skip

PipelineName = Literal["collect", "features", "train", "release", "monitor", "end_to_end"]

#: Name of a Kubernetes object or namespace (RFC 1123 label).
ObjectName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
#: The same, or nothing; and a name in which dots are allowed (RFC 1123 subdomain), or nothing.
NAME_OR_NOTHING = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$"
SUBDOMAIN_OR_NOTHING = r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?$"
#: Name of a twin: names of objects are made from it, so it is shorter than theirs.
TWIN = r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"
#: Digest of an image; empty where the tag is meant.
Digest = Annotated[str, Field(pattern=r"^(sha256:[0-9a-f]{64})?$")]
#: Name of an environment variable.
Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,99}$")]
#: An address without a path at its end; empty where there is none.
Address = Annotated[str, Field(pattern=r"^(https?://[^\s/?#]+[^\s?#]*[^\s/?#])?$")]
