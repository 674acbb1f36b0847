"""What another version wrote: read where that can be done rightly, refused where it cannot."""

import pytest
from pydantic import ValidationError

from components.shared.evaluation import Measure
from components.shared.releases import Traffic
from components.shared.stored import Binding


def test_what_tells_something_is_read_without_the_fields_of_a_later_version() -> None:
    written = {"value": 0.5, "low": 0.4, "high": 0.6, "cases": 200}

    assert Measure.model_validate(written) == Measure(value=0.5, low=0.4, high=0.6)


def test_what_binds_is_read_where_the_fields_of_a_later_version_are_empty() -> None:
    traffic = Traffic(twin="credit", champion="a", revision=3)
    written = traffic.model_dump(mode="json") | {"mirror": None, "regions": []}

    assert Traffic.model_validate(written) == traffic
    assert Traffic.model_validate_json(Traffic.model_construct(**written).model_dump_json()) == traffic


def test_what_binds_is_refused_where_a_later_version_says_more() -> None:
    written = Traffic(twin="credit", champion="a").model_dump(mode="json") | {"mirror": "b"}

    with pytest.raises(ValidationError, match="mirror"):
        Traffic.model_validate(written)


def test_an_empty_field_of_its_own_is_kept() -> None:
    class Switched(Binding):
        on: bool

    assert Switched.model_validate({"on": False}) == Switched(on=False)


def test_what_binds_is_still_refused_where_it_is_no_object() -> None:
    with pytest.raises(ValidationError):
        Traffic.model_validate("a")
