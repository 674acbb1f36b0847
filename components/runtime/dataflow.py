"""Hamilton dataflows, loaded by name or by file and compiled once into a plan.

A dataflow is a module of pure functions: a function is a node, its name is the noun it computes, its
arguments are the nodes it needs. The same functions take pandas Series in a pipeline, scalars in a request.
"""

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import components.dataflows  # noqa: F401 - sets how Hamilton is imported
from components.shared import digest
from components.shared.errors import ConfigError, DataError, TwinError

Config = Mapping[str, Any]

#: A node's name, its function, the nodes it always needs, the inputs it has a default for.
Step = tuple[str, Callable[..., Any], tuple[str, ...], tuple[str, ...]]

REMEDY = "name an importable module, or a .py file beside twinstack.yaml"


def source(name: str, root: Path) -> Path:
    """The file that a dataflow's code lies in, found without running it.

    Args:
        name: Import path (`components.dataflows.credit`) or `.py` path (`my_features.py`).
        root: Folder that a relative `.py` path starts from.

    Raises:
        ConfigError: There is no such module or file.
    """
    if name.endswith(".py"):
        path = (root / name).resolve()
        if not path.is_file():
            raise ConfigError(f"no dataflow file '{name}'", where=str(path), remedy=REMEDY)
        return path
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError) as error:
        raise ConfigError(f"no dataflow module '{name}': {error}", where="dataflow", remedy=REMEDY) from error
    if found is None or not found.origin or found.origin == "frozen":
        raise ConfigError(f"no dataflow module '{name}'", where="dataflow", remedy=REMEDY)
    return Path(found.origin)


def load(name: str, root: Path) -> ModuleType:
    """The module of a dataflow.

    A file is loaded under a name made of its content, so an edited file is a new module.

    Args:
        name: Import path or `.py` path.
        root: Folder that a relative `.py` path starts from.

    Raises:
        ConfigError: There is no such module, or its code fails when it is run.
    """
    path = source(name, root)
    try:
        if not name.endswith(".py"):
            return importlib.import_module(name)
        alias = f"twinstack_dataflow_{path.stem}_{digest.of_text(str(path))}_{digest.of_file(path)}"
        if alias in sys.modules:
            return sys.modules[alias]
        spec = importlib.util.spec_from_file_location(alias, path)
        if spec is None or spec.loader is None:
            raise ImportError("Python cannot load it")
        module = importlib.util.module_from_spec(spec)
        # Hamilton looks a function's module up by name.
        sys.modules[alias] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[alias]
            raise
        return module
    except Exception as error:
        # A user's module may fail in any way; the line is what they need.
        lines = [one.lineno for one in traceback.extract_tb(error.__traceback__) if one.filename == str(path)]
        line = f", line {lines[-1]}" if lines else ""
        raise ConfigError(
            f"dataflow '{name}' does not load: {type(error).__name__}: {error}",
            where=f"{path}{line}",
            remedy="mend the module",
        ) from error


def nodes(module: ModuleType, config: Config | None = None) -> tuple[str, ...]:
    """Names of the nodes that a dataflow computes.

    Raises:
        ConfigError: The graph is broken.
    """
    graph = Plan(module, (), config).driver.graph
    return tuple(sorted(name for name, node in graph.nodes.items() if not node.user_defined))


class Plan:
    """A dataflow compiled for some outputs: the order of calls is found once, a run only makes them.

    Safe to run from several threads: it keeps no state between runs.

    Args:
        module: The module of nodes.
        outputs: Names of the nodes that are wanted.
        config: What `@config.when` chooses by, for example `{"mode": "online"}`; also an
            input.

    Raises:
        ConfigError: The graph is broken, or has no node of a wanted name.
    """

    def __init__(self, module: ModuleType, outputs: Iterable[str], config: Config | None = None) -> None:
        self.module = module
        self.outputs = tuple(outputs)
        self.config = dict(config or {})
        nodes = self.driver.graph.nodes
        computed = sorted(name for name, node in nodes.items() if not node.user_defined)
        if unknown := [name for name in self.outputs if name not in computed]:
            raise ConfigError(
                f"no nodes {unknown}",
                where=f"dataflow {module.__name__}",
                remedy=f"use some of: {', '.join(computed)}",
            )
        self._steps: list[Step] = []
        self._place_all(nodes)

    def _place_all(self, nodes: Mapping[str, Any]) -> None:
        """Order the calls so that each comes after what it needs, and note what has to be given."""
        from hamilton.node import DependencyType

        required: dict[str, None] = {}
        optional: dict[str, None] = {}
        placed: set[str] = set()

        def place(name: str) -> None:
            placed.add(name)
            always: list[str] = []
            maybe: list[str] = []
            for need, (_, dependency) in nodes[name].input_types.items():
                given = need not in nodes or nodes[need].user_defined
                needed = dependency is DependencyType.REQUIRED
                (always if needed or not given else maybe).append(need)
                if given and need not in self.config:
                    (required if needed else optional)[need] = None
                elif not given and need not in placed:
                    place(need)
            self._steps.append((name, nodes[name].callable, tuple(always), tuple(maybe)))

        for name in self.outputs:
            if name not in placed:
                place(name)
        #: Names that `run` must be given.
        self.inputs = tuple(required)
        #: Names that `run` may be given: their nodes have a default.
        self.optional = tuple(name for name in optional if name not in required)

    @cached_property
    def driver(self) -> Any:
        """Hamilton's own driver of the same graph, for drawings, lineage and its executors."""
        from hamilton import driver

        try:
            return driver.Builder().with_modules(self.module).with_config(self.config).build()
        except Exception as error:
            # Hamilton raises bare ValueError, TypeError and own classes for a broken graph.
            raise ConfigError(
                f"not a dataflow: {type(error).__name__}: {error}",
                where=f"module {self.module.__name__}",
                remedy="mend its functions",
            ) from error

    def run(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Compute the outputs, in their order.

        Args:
            inputs: Name to value: Series of one length, or scalars. Names that no node needs are passed over.

        Raises:
            DataError: An input is missing, or a node fails on its values.
        """
        values = {**self.config, **inputs}
        name = ""
        try:
            for name, call, always, maybe in self._steps:
                words = {need: values[need] for need in always}
                if maybe:
                    words.update({need: values[need] for need in maybe if need in values})
                values[name] = call(**words)
        except TwinError:
            raise
        except Exception as error:
            if missing := [one for one in self.inputs if one not in values]:
                raise DataError(
                    f"inputs {missing} are missing",
                    where=f"dataflow {self.module.__name__}",
                    remedy="give every one of them",
                ) from error
            raise DataError(
                f"node '{name}' fails: {type(error).__name__}: {error}",
                where=f"dataflow {self.module.__name__}",
                remedy="check the types of its inputs, or mend the node",
            ) from error
        return {output: values[output] for output in self.outputs}
