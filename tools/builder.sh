# What images.sh and sbom.sh share: the builder, the names of the images, and a command inside one. Sourced, not run.
IMAGES="pipeline train serve console"

fail() {
  printf 'error: %s\n' "$1" >&2
  exit 2
}

builder="${BUILDER:-$(command -v buildah || command -v docker || true)}"
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)

require_builder() {
  [ -n "$builder" ] || fail "neither buildah nor docker is installed; install one, or name one: make $1 BUILDER=/path/to/buildah"
}

image_name() {
  case " $IMAGES " in
    *" $1 "*) printf '%s' "${REGISTRY:+$REGISTRY/}twinstack/$1-python:${TAG:-$version}" ;;
    *) fail "there is no image '$1'; the images are: $IMAGES" ;;
  esac
}

# in_image NAME FOLDER WORD…: the image's Python with these words and our input; FOLDER is there as /mnt, to read.
in_image() {
  local name=$1 folder=$2 container status=0
  shift 2
  case "$(basename "$builder")" in
    buildah)
      container=$("$builder" from "$name")
      "$builder" run --volume "$folder:/mnt:ro" "$container" -- python "$@" || status=$?
      "$builder" rm "$container" > /dev/null
      return "$status"
      ;;
    *)
      "$builder" run --rm --interactive --read-only --tmpfs /tmp --network none --cap-drop ALL \
        --volume "$folder:/mnt:ro" --entrypoint python "$name" "$@"
      ;;
  esac
}
