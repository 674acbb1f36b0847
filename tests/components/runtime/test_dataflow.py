"""Loading of dataflows and their compiled plans."""

from pathlib import Path

import pandas as pd
import pytest

from components.runtime.dataflow import Plan, load, source
from components.shared.errors import ConfigError, DataError

MODULE = """
from typing import Union
import pandas as pd
from hamilton.function_modifiers import config

Number = Union[pd.Series, float]

def doubled(raw: Number) -> Number:
    return raw * 2

def shifted(doubled: Number, offset: float = 1.0) -> Number:
    return doubled + offset

@config.when(mode="online")
def where__online(doubled: Number) -> str:
    return "request"

@config.when(mode="batch")
def where__batch(doubled: Number) -> str:
    return "pipeline"

def apart(other: Number) -> Number:
    return other
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "flow.py").write_text(MODULE)
    return tmp_path


def test_the_same_nodes_take_series_and_scalars(folder: Path) -> None:
    plan = Plan(load("flow.py", folder), ["shifted"])
    assert plan.inputs == ("raw",)
    assert plan.optional == ("offset",)
    assert plan.run({"raw": 2.0}) == {"shifted": 5.0}
    assert plan.run({"raw": 2.0, "offset": 0.5, "unused": 1}) == {"shifted": 4.5}
    assert plan.run({"raw": pd.Series([1, 2])})["shifted"].tolist() == [3, 5]


def test_config_when_chooses_the_variant(folder: Path) -> None:
    module = load("flow.py", folder)
    assert Plan(module, ["where"], {"mode": "online"}).run({"raw": 1.0}) == {"where": "request"}
    assert Plan(module, ["where"], {"mode": "batch"}).run({"raw": 1.0}) == {"where": "pipeline"}


def test_a_plan_agrees_with_hamiltons_own_driver(folder: Path) -> None:
    plan = Plan(load("flow.py", folder), ["shifted", "where"], {"mode": "batch"})
    ours = plan.run({"raw": 3.0})
    theirs = plan.driver.execute(["shifted", "where"], inputs={"raw": 3.0})
    assert theirs == ours


def test_an_edited_file_is_a_new_module(folder: Path) -> None:
    assert Plan(load("flow.py", folder), ["doubled"]).run({"raw": 1.0}) == {"doubled": 2.0}
    (folder / "flow.py").write_text(MODULE.replace("raw * 2", "raw * 3"))
    assert Plan(load("flow.py", folder), ["doubled"]).run({"raw": 1.0}) == {"doubled": 3.0}


def test_missing_input_and_failing_node_are_named(folder: Path) -> None:
    plan = Plan(load("flow.py", folder), ["doubled", "shifted"])
    with pytest.raises(DataError, match=r"inputs \['raw'\] are missing"):
        plan.run({})
    with pytest.raises(DataError, match="node 'doubled' fails"):
        plan.run({"raw": None})


@pytest.mark.parametrize(
    "name", ["absent.py", "components.dataflows.absent", "absent_package.module", "..", ""]
)
def test_a_dataflow_that_is_not_there_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no dataflow"):
        source(name, tmp_path)


def test_broken_code_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("fine = 1\nbroken = fine / 0\n")
    with pytest.raises(ConfigError, match=r"ZeroDivisionError.*broken.py, line 2"):
        load("broken.py", tmp_path)
    (tmp_path / "untyped.py").write_text("def node(raw):\n    return raw\n")
    with pytest.raises(ConfigError, match="not a dataflow"):
        Plan(load("untyped.py", tmp_path), ["node"])


def test_unknown_output_lists_the_nodes(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"no nodes \['absent'\].*doubled"):
        Plan(load("flow.py", folder), ["absent"], {"mode": "batch"})
