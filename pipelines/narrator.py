"""Tells a person, or a program, what a run does."""

import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

if TYPE_CHECKING:
    from pipelines.submission import Submitted

#: Seconds between two progress lines where the output is no terminal.
INTERVAL = 10.0


@dataclass
class Narrator:
    """Writes to a terminal with a live line, to a pipe line by line, or as JSON lines."""

    as_json: bool = False
    #: Whether why a stage failed is told with it; on this machine the run's error says it at the end.
    explains: bool = False
    console: Console = field(default_factory=lambda: Console(file=sys.stdout, highlight=False))
    _status: Live | None = None
    _spinner: Spinner = field(default_factory=lambda: Spinner("dots"))
    _last: float = 0.0

    def begin(self, pipeline: str, twin: str, log: Path) -> None:
        """A pipeline starts."""
        if self.as_json:
            self._json({"event": "pipeline", "pipeline": pipeline, "twin": twin, "log": str(log)})
            return
        self.console.print(
            Text(f"{pipeline} of twin {twin}", style="bold"), Text(f"log {log}", style="dim"), soft_wrap=True
        )

    def submitted(self, run: "Submitted") -> None:
        """A run was started on a cluster."""
        if self.as_json:
            self._json({"event": "submitted", **asdict(run)})
            return
        self.console.print(
            Text(f"{run.pipeline} of twin {run.twin}", style="bold"),
            Text(
                f"version {run.version}, {run.uploaded} on the server; it goes on after Ctrl-C", style="dim"
            ),
        )
        self.console.print(Text(run.link), soft_wrap=True)

    def ended(self, run: str, state: str, link: str) -> None:
        """A run on a cluster ended."""
        if self.as_json:
            self._json({"event": "ended", "run": run, "state": state, "link": link})
            return
        self.console.print(Text(f"{state.lower()}  "), Text(link, style="dim"), soft_wrap=True)

    def tell(self, event: dict[str, Any]) -> None:
        """One event of a stage."""
        if self.as_json:
            self._json(event)
            return
        getattr(self, f"_{event['event']}")(event)

    def end(self) -> None:
        """Stop the live line."""
        if self._status:
            self._status.stop()
            self._status = None

    def _start(self, event: dict[str, Any]) -> None:
        self._last = time.monotonic()
        self._live(f"{event['stage']} …")

    def _progress(self, event: dict[str, Any]) -> None:
        text = f"{event['stage']} {event['done']}/{event['total']} {event['what']}"
        if self.console.is_terminal:
            self._live(text)
        elif time.monotonic() - self._last >= INTERVAL:
            self._last = time.monotonic()
            self.console.print(f"  … {text}")

    def _note(self, event: dict[str, Any]) -> None:
        self.console.print(f"  · {event['stage']}: {event['text']}", soft_wrap=True, markup=False)

    def _done(self, event: dict[str, Any]) -> None:
        self.end()
        mark, text = ("=", f"skipped, {event['skipped']}") if event["skipped"] else ("✓", event["summary"])
        line = Text(f"  {mark} {event['stage']:<12} {event['seconds']:6.1f} s  ")
        line.append(text, style="dim" if event["skipped"] else "")
        self.console.print(line, soft_wrap=True)

    def _error(self, event: dict[str, Any]) -> None:
        self.end()
        text = event["text"] if self.explains else "failed"
        self.console.print(Text(f"  ✗ {event['stage']:<12}  {text}", style="red"), soft_wrap=True)

    def _live(self, text: str) -> None:
        if not self.console.is_terminal:
            return
        self._spinner.update(text=Text(text))
        if self._status is None:
            # Standard output stays the run's own: it is read for events (`runner.Follower`), not for people.
            self._status = Live(
                self._spinner,
                console=self.console,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._status.start()

    def _json(self, event: dict[str, Any]) -> None:
        self.console.file.write(json.dumps(event, ensure_ascii=False) + "\n")
        self.console.file.flush()
