#!/usr/bin/env bash
# The images that Dockerfile and docker-compose.yml are built on, where the real ones can't be pulled: stand-ins under
# the same names, put together from Debian's, npm's and Maven's packages. An image that is there is left alone.
set -euo pipefail
cd "$(dirname "$0")/.."

here=.ci/stand-ins
node_image=$(awk '$1 == "FROM" { print $2; exit }' Dockerfile)
kafka_image=$(awk '$1 == "image:" && $2 ~ /^apache\/kafka:/ { print $2; exit }' docker-compose.yml)
prometheus_image=$(awk '$1 == "image:" && $2 ~ /^prom\/prometheus:/ { print $2; exit }' docker-compose.yml)
debian_image=connector-registrar-ci/debian:bookworm
pull_limit_s=120

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Quiet as long as it goes well.
quietly() {
  "$@" >"$work/output" 2>&1 && return
  echo "offline-images: failed: $*" >&2
  tail -n 30 "$work/output" >&2
  return 1
}

have() {
  docker image inspect "$1" >/dev/null 2>&1
}

can_pull() {
  timeout "$pull_limit_s" docker pull -q "$1" >/dev/null 2>&1
}

needs() {
  command -v "$1" >/dev/null && return
  quietly apt-get update -q
  DEBIAN_FRONTEND=noninteractive quietly apt-get install -q -y --no-install-recommends "$2"
}

# BuildKit would look for the base image in a registry.
build() {
  sed -i "s|^FROM debian:.*|FROM $debian_image|" "$2/Dockerfile"
  DOCKER_BUILDKIT=0 quietly docker build -t "$1" "$2"
}

debian_mirror() {
  apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' | awk '$1 == "bookworm" { print $2; exit }'
}

build_debian() {
  have "$debian_image" && return
  needs debootstrap debootstrap
  local root=$work/debian mirror
  mirror=$(debian_mirror)
  if [ -z "$mirror" ]; then
    quietly apt-get update -q
    mirror=$(debian_mirror)
  fi
  quietly debootstrap --variant=minbase --include=ca-certificates,libstdc++6 bookworm "$root" "$mirror"
  # Containers start no services, and nobody reads manuals in them.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod +x "$root/usr/sbin/policy-rc.d"
  # This machine's own authorities come along: a build inside the container may need them as much as this one.
  cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/" 2>/dev/null || true
  quietly chroot "$root" update-ca-certificates
  rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,locale}/* "$root"/dev/*
  tar -C "$root" -c . | quietly docker import \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' --change 'CMD ["bash"]' - "$debian_image"
  rm -rf "$root"
}

build_node() {
  build_debian
  local context=$work/node platform version
  platform=$(node -p 'process.platform + "-" + process.arch')
  version=$(node -p 'require("./package.json").devDependencies.node')
  mkdir -p "$context/local/lib/node_modules/npm" "$context/packages"
  quietly npm pack --pack-destination "$context/packages" "node-$platform@$version" npm@11
  tar -xzf "$context"/packages/node-*.tgz -C "$context/local" --strip-components=1 package/bin package/include
  tar -xzf "$context"/packages/npm-*.tgz -C "$context/local/lib/node_modules/npm" --strip-components=1
  rm -rf "$context/packages"
  chmod 755 "$context/local/bin/node"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$context/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$context/local/bin/npx"
  cat >"$context/Dockerfile" <<END
FROM $debian_image
COPY local /usr/local
RUN useradd --uid 1000 --user-group --create-home node && node --version
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
CMD ["node"]
END
  build "$node_image" "$context"
}

build_kafka() {
  build_debian
  needs mvn maven
  local context=$work/kafka
  cp -r "$here/kafka" "$context"
  quietly mvn -q -B -f "$context/pom.xml" "-Dkafka.version=${kafka_image#*:}" \
    dependency:copy-dependencies "-DoutputDirectory=$context/libs"
  rm "$context/pom.xml"
  build "$kafka_image" "$context"
}

build_prometheus() {
  build_debian
  local context=$work/prometheus
  cp -r "$here/prometheus" "$context"
  build "$prometheus_image" "$context"
}

provide() {
  local image=$1 stand_in=$2
  if have "$image"; then
    echo "$image: is there"
  elif can_pull "$image"; then
    echo "$image: pulled"
  else
    "$stand_in"
    echo "$image: can't be pulled; built a stand-in"
  fi
}

provide "$node_image" build_node
provide "$kafka_image" build_kafka
provide "$prometheus_image" build_prometheus
