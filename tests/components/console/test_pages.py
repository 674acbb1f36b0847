"""A page holds what was asked for, and names the next one only where there is one."""

import pytest
from fastapi import Request, Response

from components.console.pages import Page


@pytest.mark.parametrize(
    ("there", "shown", "more"), [(0, 0, False), (2, 2, False), (3, 3, False), (4, 3, True)]
)
def test_the_next_page_is_named_only_where_something_is_left(there: int, shown: int, *, more: bool) -> None:
    request = Request(
        {"type": "http", "method": "GET", "path": "/runs", "headers": [], "query_string": b"limit=3"}
    )
    response = Response()
    items = [f"id{number}" for number in range(there)]
    assert Page(request, response, "", 3).of(items, str) == items[:shown]
    assert response.headers.get("link") == ('<?limit=3&after=id2>; rel="next"' if more else None)
