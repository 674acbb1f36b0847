"""Refuse large files and files that are no YAML: `python tools/check_files.py FILE…`."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

#: Bytes; data and weights come as packages, not through git.
LARGEST = 500_000


def problems(paths: Sequence[Path]) -> Iterator[str]:
    """What is wrong with each file, in one line."""
    for path in paths:
        if not path.is_file():
            continue
        if path.stat().st_size > LARGEST:
            yield f"{path}: {path.stat().st_size} bytes, more than {LARGEST}; ship it another way"
        elif path.suffix in (".yaml", ".yml"):
            try:
                list(yaml.compose_all(path.read_text(encoding="utf-8")))
            except (yaml.YAMLError, UnicodeDecodeError) as error:
                yield f"{path}: not YAML: {' '.join(str(error).split())}"


def main() -> int:
    """1 where a file is refused."""
    found = list(problems([Path(word) for word in sys.argv[1:]]))
    sys.stderr.writelines(f"{one}\n" for one in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
