#!/usr/bin/env bash
# Writes a CycloneDX list of every Python package in .venv, or with IMAGE in that image. Run by `make sbom`.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/builder.sh

# A place of its own: what lists must not stand in the list. The tool is plain Python and runs with that of an image.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/made"
"$folder/made/bin/python" -m pip install --quiet --disable-pip-version-check --target "$folder/tool" 'cyclonedx-bom==7.5.0'
cp pyproject.toml "$folder"
chmod -R a+rX "$folder"

list() { # PYTHON, and where FOLDER lies for it
  printf '%s\n' "import runpy, sys; sys.path.insert(0, '$2/tool')" \
    "sys.argv[1:] = ['environment', '--pyproject', '$2/pyproject.toml', '--output-reproducible', '--output-format', 'JSON', '$1']" \
    "runpy.run_module('cyclonedx_py', run_name='__main__')"
}

if [ -n "${IMAGE:-}" ]; then
  require_builder sbom
  file="${1:-sbom-$IMAGE.cdx.json}"
  in_image "$(image_name "$IMAGE")" "$folder" -c "$(list /opt/twinstack/bin/python /mnt)" > "$folder/list"
else
  file="${1:-sbom.cdx.json}"
  .venv/bin/python -c "$(list .venv/bin/python "$folder")" > "$folder/list"
fi
cp "$folder/list" "$file"
printf 'wrote %s\n' "$file"
