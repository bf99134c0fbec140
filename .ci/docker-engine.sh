#!/usr/bin/env bash
# Makes `docker` and `docker compose` work on a Debian machine that may have neither, nor systemd. What works already
# is left alone; installing needs root.
set -euo pipefail

log=${DOCKERD_LOG:-/var/log/dockerd.log}
pid_file=/var/run/docker.pid
start_limit_s=60

give_up() {
  printf 'docker-engine: %s\n' "$@" >&2
  exit 1
}

engine_answers() {
  command -v docker >/dev/null && docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

# Quiet as long as it goes well.
packages() {
  local output
  output=$(DEBIAN_FRONTEND=noninteractive apt-get "$@" 2>&1) || give_up "apt-get $* failed:" "$(tail -n 15 <<<"$output")"
}

start_engine() {
  [ "$(id -u)" = 0 ] || give_up "no Docker engine answers. Start one, or type: sudo .ci/docker-engine.sh"
  if ! command -v dockerd >/dev/null; then
    packages update -q
    packages install -q -y --no-install-recommends docker.io iptables ca-certificates
  fi
  if [ -d /run/systemd/system ]; then
    systemctl start docker
  elif ! pgrep -x dockerd >/dev/null; then
    # An engine that was killed leaves its pid file, which would keep the next one from starting.
    rm -f "$pid_file"
    mountpoint -q /sys/fs/cgroup || cgroupfs-mount
    setsid dockerd --pidfile "$pid_file" >>"$log" 2>&1 </dev/null &
  fi
  local waited_s=0
  until engine_answers; do
    [ "$waited_s" -lt "$start_limit_s" ] ||
      give_up "the engine did not answer within $start_limit_s s. The end of $log:" "$(tail -n 20 "$log" 2>&1)"
    sleep 1
    waited_s=$((waited_s + 1))
  done
}

# The first mirror in apt's own sources that serves this release.
debian_mirror() {
  local release
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
    awk -v release="$release" '$1 == release { print $2; exit }'
}

# Debian's first release with version 2 of compose is trixie; its plugins run on bookworm as they are. They are
# unpacked for this user only, from an apt state of their own, so that no other package is touched.
install_plugins() {
  local mirror root
  mirror=$(debian_mirror)
  if [ -z "$mirror" ]; then
    packages update -q
    mirror=$(debian_mirror)
  fi
  [ -n "$mirror" ] || give_up "docker compose is missing and apt knows no Debian mirror. Install Docker's compose plugin."
  root=$(mktemp -d)
  trap "rm -rf '$root'" EXIT
  mkdir -p "$root/lists/partial" "$root/cache/archives/partial" "$root/packages"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$root/sources.list"
  local own=(-q -o "Dir::Etc::SourceList=$root/sources.list" -o Dir::Etc::SourceParts=- -o APT::Sandbox::User=root
    -o "Dir::State::Lists=$root/lists" -o "Dir::Cache=$root/cache")
  packages "${own[@]}" update
  (cd "$root/packages" && packages "${own[@]}" download docker-compose docker-buildx)
  local package
  for package in "$root"/packages/*.deb; do dpkg-deb -x "$package" "$root/unpacked"; done
  local plugins=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins
  mkdir -p "$plugins"
  local name
  for name in compose buildx; do
    docker "$name" version >/dev/null 2>&1 ||
      install -m 755 "$root/unpacked/usr/libexec/docker/cli-plugins/docker-$name" "$plugins/"
  done
}

engine_answers || start_engine
docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1 || install_plugins
echo "Docker engine $(docker version --format '{{.Server.Version}}'), compose $(docker compose version --short)"
