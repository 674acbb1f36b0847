#!/usr/bin/env bash
# Installs Debian's Prometheus, Alertmanager and Pushgateway for the tests of rules and dashboards, where this
# is root on a machine with apt. Elsewhere it says what is missing; the tests that need them are skipped then.
set -uo pipefail

missing=0
for tool in promtool prometheus prometheus-alertmanager amtool prometheus-pushgateway; do
  command -v "$tool" >/dev/null || missing=1
done
[ "$missing" = 0 ] && exit 0

skipped() {
  echo "note: $1; tests that need Prometheus are skipped" >&2
  exit 0
}

[ "$(id -u)" = 0 ] || skipped "Prometheus is not installed, and only root may install it"
command -v apt-get >/dev/null || skipped "Prometheus is not installed, and there is no apt-get"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq || skipped "apt-get update failed"
apt-get install -y -qq --no-install-recommends prometheus prometheus-alertmanager prometheus-pushgateway \
  >/dev/null || skipped "apt-get could not install Prometheus"
# The tests start their own; those of the packages would only hold the ports.
if [ -d /run/systemd/system ]; then
  systemctl disable --now prometheus prometheus-alertmanager prometheus-pushgateway || true
fi
