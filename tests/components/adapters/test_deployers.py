"""What lets a release answer, on a laptop."""

from components.adapters.deployers import InProcess
from tests.components.samples import release


def test_a_laptop_leaves_a_release_as_it_is() -> None:
    assert InProcess().deploy(release("r1"), print) == ""
    elsewhere = "http://models.example/v1#smol"
    assert InProcess().deploy(release("r1", predictor=elsewhere), print) == elsewhere


def test_a_laptop_has_nothing_to_take_back() -> None:
    assert InProcess().clean("t", []) == InProcess().withdraw(release("r1")) == []
