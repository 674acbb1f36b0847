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
#: The same, or nothing.
NAME_OR_NOTHING = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$"
_PART = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
#: A name in which dots are allowed (RFC 1123 subdomain), or nothing.
SubdomainOrNothing = Annotated[str, Field(pattern=rf"^({_PART}(\.{_PART})*)?$", max_length=253)]
_DOMAIN = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_WORD = r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_DOMAINS = rf"{_DOMAIN}(\.{_DOMAIN})*"
#: Key of a label, an annotation or a taint: a word, with a domain before it or without.
Key = Annotated[str, Field(pattern=rf"^({_DOMAINS}/)?{_WORD}$")]
KeyOrNothing = Annotated[str, Field(pattern=rf"^(({_DOMAINS}/)?{_WORD})?$")]
#: Value of a label or a taint.
LabelValue = Annotated[str, Field(pattern=rf"^({_WORD})?$")]
#: Name of a resource that a device plugin offers, such as `nvidia.com/gpu`.
DEVICE = rf"{_DOMAINS}/{_WORD}"
Device = Annotated[str, Field(pattern=rf"^{DEVICE}$")]
#: Key of a Secret or ConfigMap: neither `.` nor anything that begins with two dots.
DataKey = Annotated[
    str, Field(pattern=r"^([-_a-zA-Z0-9][-._a-zA-Z0-9]{0,252}|\.[-_a-zA-Z0-9][-._a-zA-Z0-9]{0,251})$")
]
#: Name of a twin: names of objects are made from it, so it is shorter than theirs.
TWIN = r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"
#: Digest of an image; empty where the tag is meant.
Digest = Annotated[str, Field(pattern=r"^(sha256:[0-9a-f]{64})?$")]
#: Name of an environment variable.
Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,99}$")]
#: An address without a slash at its end; empty where there is none.
ADDRESS = r"^(https?://[^\s/?#]+[^\s?#]*[^\s/?#])?$"
Address = Annotated[str, Field(pattern=ADDRESS)]
