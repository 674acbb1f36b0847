#!/usr/bin/env bash
# Builds the images with buildah or docker: IMAGE, REGISTRY, TAG, BASE, PIP_OPTIONS, PUSH. Run by `make images`.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  printf 'error: %s\n' "$1" >&2
  exit 2
}

builder="${BUILDER:-$(command -v buildah || command -v docker || true)}"
[ -n "$builder" ] || fail "neither buildah nor docker is installed; install one, or name one: make images BUILDER=/path/to/buildah"
[ -z "$(git status --porcelain)" ] || fail "there are uncommitted changes; an image is named after a commit, so commit them first"
[ -z "${PUSH:-}" ] || case "${BASE:-}" in
  *@sha256:*) ;;
  *) fail "the base of a pushed image is named by digest: make images PUSH=1 BASE=python@sha256:…" ;;
esac

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
arguments=(--build-arg "GIT_COMMIT=$(git rev-parse HEAD)" --build-arg "VERSION=$version")
[ -z "${BASE:-}" ] || arguments+=(--build-arg "BASE=$BASE")
[ -z "${PIP_OPTIONS:-}" ] || arguments+=(--build-arg "PIP_OPTIONS=$PIP_OPTIONS")

for image in ${IMAGE:-pipeline train serve console}; do
  file="images/$image.Containerfile"
  [ -f "$file" ] || fail "there is no $file; the images are: pipeline train serve console"
  name="${REGISTRY:+$REGISTRY/}twinstack/$image-python:${TAG:-$version}"
  printf 'building %s\n' "$name"
  case "$(basename "$builder")" in
    # The format of docker keeps the health check, which that of OCI drops.
    buildah) "$builder" build --format docker --file "$file" --tag "$name" "${arguments[@]}" . ;;
    *) "$builder" build --file "$file" --tag "$name" "${arguments[@]}" . ;;
  esac
  [ -n "${PUSH:-}" ] || continue
  case "$(basename "$builder")" in
    buildah)
      digest_file=$(mktemp)
      "$builder" push --digestfile "$digest_file" "$name"
      digest=$(cat "$digest_file")
      rm -f "$digest_file"
      ;;
    *)
      "$builder" push "$name"
      digest=$("$builder" inspect --format '{{index .RepoDigests 0}}' "$name")
      digest="${digest##*@}"
      ;;
  esac
  printf '%s: %s\n' "$image" "$digest"
done
