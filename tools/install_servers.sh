#!/usr/bin/env bash
# Installs Debian's Prometheus, Alertmanager, Pushgateway, PostgreSQL and Redis for the tests that speak with
# real servers, where this is root on a machine with apt. Elsewhere it says what is missing; those tests are
# skipped then.
set -uo pipefail

declare -A packages=(
  [promtool]=prometheus [prometheus-alertmanager]=prometheus-alertmanager
  [amtool]=prometheus-alertmanager [prometheus-pushgateway]=prometheus-pushgateway
  [pg_ctlcluster]=postgresql [redis-server]=redis-server
)
missing=()
for tool in "${!packages[@]}"; do
  command -v "$tool" >/dev/null || missing+=("${packages[$tool]}")
done
[ "${#missing[@]}" = 0 ] && exit 0

skipped() {
  echo "note: $1; tests that need ${missing[*]} are skipped" >&2
  exit 0
}

[ "$(id -u)" = 0 ] || skipped "only root may install what is missing"
command -v apt-get >/dev/null || skipped "there is no apt-get"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq || skipped "apt-get update failed"
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || skipped "apt-get could not install"
# The tests start their own; those of the packages would only hold the ports.
if [ -d /run/systemd/system ]; then
  systemctl disable --now prometheus prometheus-alertmanager prometheus-pushgateway postgresql redis-server || true
fi
