#!/usr/bin/env bash
# Writes a CycloneDX list of every package in .venv to sbom.cdx.json, or to the file that is named. Run by `make sbom`.
set -euo pipefail
cd "$(dirname "$0")/.."

# Its own environment: what lists must not stand in the list.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check 'cyclonedx-bom==7.5.0'
"$folder/bin/cyclonedx-py" environment --pyproject pyproject.toml --output-reproducible --output-format JSON \
  --output-file "${1:-sbom.cdx.json}" .venv/bin/python
printf 'wrote %s\n' "${1:-sbom.cdx.json}"
