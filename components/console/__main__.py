"""`python -m components.console`: serve the operations API."""

import argparse
from pathlib import Path

from components.shared.config import load
from components.shared.errors import exit_on_error


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m components.console", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("twinstack.yaml"), help="default: %(default)s")
    parser.add_argument("--host", help="address to listen on; default: console.host")
    parser.add_argument("--port", type=int, help="port to listen on; default: console.port")
    words = parser.parse_args()
    with exit_on_error():
        from components.console.server import serve

        serve(load(words.config), words.config, words.host, words.port)


if __name__ == "__main__":
    main()
