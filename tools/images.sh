#!/usr/bin/env bash
# Builds and checks the images with buildah or docker: IMAGE, REGISTRY, TAG, BASE, PIP_OPTIONS, PIP_CONFIG, PUSH.
# Run by `make images`.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/builder.sh

require_builder images
[ -z "$(git status --porcelain)" ] || fail "there are uncommitted changes; an image is named after a commit, so commit them first"
[ -z "${PUSH:-}" ] || case "${BASE:-}" in
  *@sha256:*) ;;
  *) fail "the base of a pushed image is named by digest: make images PUSH=1 BASE=python@sha256:…" ;;
esac

# What is committed and nothing else: no file that git ignores, and no edit made while the build runs.
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
git archive HEAD | tar -x -C "$context"
chmod a+rx "$context"  # the user of an image reads it

arguments=(--build-arg "GIT_COMMIT=$(git rev-parse HEAD)" --build-arg "VERSION=$version")
[ -z "${BASE:-}" ] || arguments+=(--build-arg "BASE=$BASE")
[ -z "${PIP_OPTIONS:-}" ] || arguments+=(--build-arg "PIP_OPTIONS=$PIP_OPTIONS")
[ -z "${PIP_CONFIG:-}" ] || arguments+=(--secret "id=pip,src=$PIP_CONFIG")
case "$(basename "$builder")" in
  # The format of docker keeps the health check, which that of OCI drops; docker keeps layers without being asked.
  buildah) arguments+=(--format docker --layers) ;;
esac

for image in ${IMAGE:-$IMAGES}; do
  name=$(image_name "$image")
  printf 'building %s\n' "$name"
  "$builder" build --file "$context/images/$image.Containerfile" --tag "$name" "${arguments[@]}" "$context"
  in_image "$name" "$context" /mnt/tools/check_image.py "$image"
  [ -n "${PUSH:-}" ] || continue
  case "$(basename "$builder")" in
    buildah)
      "$builder" push --digestfile "$context/digest" "$name"
      digest=$(cat "$context/digest")
      ;;
    *)
      "$builder" push "$name"
      digest=$("$builder" inspect --format '{{index .RepoDigests 0}}' "$name")
      digest="${digest##*@}"
      ;;
  esac
  printf '%s: %s\n' "$image" "$digest"
done
