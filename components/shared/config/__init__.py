"""One configuration: closed, bounded, frozen models of `twinstack.yaml`."""

from components.shared.config.base import Gate, GateRule, Kind
from components.shared.config.classic import ClassicTwin
from components.shared.config.llm import LlmTwin
from components.shared.config.reading import dump, load, parse
from components.shared.config.root import Config, Twin

__all__ = ["ClassicTwin", "Config", "Gate", "GateRule", "Kind", "LlmTwin", "Twin", "dump", "load", "parse"]
