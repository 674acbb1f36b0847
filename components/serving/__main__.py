"""`python -m components.serving`: serve the champions of all twins."""

import argparse
from pathlib import Path

from components.shared.config import load
from components.shared.errors import exit_on_error


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m components.serving", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("twinstack.yaml"), help="default: %(default)s")
    parser.add_argument("--twin", action="append", help="serve this twin; may be repeated; default: all")
    parser.add_argument("--host", help="address to listen on; default: serving.host")
    parser.add_argument("--port", type=int, help="port to listen on, 0 for a free one; default: serving.port")
    words = parser.parse_args()
    with exit_on_error():
        from components.serving.server import serve

        serve(load(words.config), words.twin, words.host, words.port)


if __name__ == "__main__":
    main()
