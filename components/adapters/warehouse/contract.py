"""What a document warehouse is: JSON documents in collections, changed in transactions."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from components.shared.errors import TwinError

Document = dict[str, Any]

#: Value of a field, or several of which it may be any.
Values = str | Collection[str]

#: Documents of one query of a scan: what is in memory at a time.
PAGE = 500


@dataclass(frozen=True)
class Span:
    """Documents between two ids, both left out, and from which end they come.

    Attributes:
        after: Smaller ids, and this one, are left out.
        before: Larger ids, and this one, are left out; empty is no bound.
        backwards: Whether the largest id comes first.
    """

    after: str = ""
    before: str = ""
    backwards: bool = False


ALL = Span()


def paged(read: Callable[[Span], Sequence[Document]], span: Span) -> Iterator[Document]:
    """Every document of a span, a page at a time.

    Args:
        read: Gives the first `PAGE` documents of a span.
        span: Which.
    """
    while True:
        page = read(span)
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1]["_id"]
        span = replace(span, before=last) if span.backwards else replace(span, after=last)


@dataclass(frozen=True)
class Expected:
    """What a document has to be for a change to take place.

    Attributes:
        collection: Its collection.
        key: Its id.
        revision: Value of its field `revision`; None where the document must not exist.
    """

    collection: str
    key: str
    revision: int | None


class WarehouseError(TwinError):
    """The warehouse's server cannot be reached, or refuses."""

    exit_code = 10
    http_status = 503
    kind = "warehouse_error"


class ConflictError(TwinError):
    """Somebody else changed the same thing in the meantime; nothing was changed."""

    exit_code = 9
    http_status = 409
    kind = "conflict_error"


def require(expected: Expected, found: Mapping[str, Any] | None) -> None:
    """Compare a document with what it has to be.

    Raises:
        ConflictError: It is another one.
    """
    # A document of before there were revisions counts as revision 0.
    if (None if found is None else found.get("revision") or 0) != expected.revision:
        raise ConflictError(
            f"'{expected.key}' in {expected.collection} was changed by somebody else",
            where="warehouse",
            remedy="look at it again, then repeat the command",
        )


class Warehouse(Protocol):
    """Documents with an `_id`, in named collections."""

    def apply(
        self,
        changes: Mapping[str, tuple[Iterable[Document], Iterable[str]]],
        expected: Expected | None = None,
    ) -> None:
        """Upsert and delete, collection by collection, all in one transaction.

        Raises:
            ConflictError: The expected document is another one by now.
        """

    def get(self, collection: str, key: str) -> Document | None:
        """One document, or None."""

    def scan(self, collection: str, span: Span = ALL, **equal: Values) -> Iterator[Document]:
        """Documents whose fields equal the given values, in the order of their ids; `PAGE` in memory."""

    def count(self, collection: str, **equal: Values) -> int:
        """How many documents `scan` would give."""
