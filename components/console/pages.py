"""Lists in pages: so many at a time, and the address of the next ones in the header `link` (RFC 8288)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, TypeVar

from fastapi import Depends, Query, Request, Response

from components.adapters.warehouse.contract import Span

#: Items of a page, and most of them.
USUAL, MOST = 100, 1_000

Item = TypeVar("Item")


@dataclass(frozen=True)
class Page:
    """Which part of a list is wanted.

    Attributes:
        request: Asks for it.
        response: Gets the address of the next page.
        after: Id of the last item of the page before; empty for the first page.
        limit: How many items.
    """

    request: Request
    response: Response
    after: str
    limit: int

    @property
    def oldest_first(self) -> Span:
        """Where the page begins in a collection by ids."""
        return Span(after=self.after)

    @property
    def newest_first(self) -> Span:
        """Where the page begins in a collection by ids, from its end."""
        return Span(before=self.after, backwards=True)

    def of(self, found: Iterable[Item], key: Callable[[Item], str]) -> list[Item]:
        """The items of this page.

        Args:
            found: Items from where the page begins; no more of them are read than the page needs.
            key: Id of an item.
        """
        items = list(islice(found, self.limit + 1))
        if len(items) > self.limit:
            del items[-1]
            following = self.request.url.include_query_params(after=key(items[-1]))
            self.response.headers["link"] = f'<?{following.query}>; rel="next"'
        return items


def page(
    request: Request,
    response: Response,
    after: Annotated[str, Query(max_length=200, description="Id of the last item of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=MOST, description="Items of a page.")] = USUAL,
) -> Page:
    """A dependency: the page that a request asks for."""
    return Page(request, response, after, limit)


Paged = Annotated[Page, Depends(page)]
