# A container engine of our own below target/: images by buildah, containers by podman, nothing of the machine's own touched.
# Sourced by the checks that build and run images.
# shellcheck shell=bash

mkdir -p target/deploy-images
# Containers live on no symbolic link.
engine=$(realpath target/deploy-images)
export CONTAINERS_STORAGE_CONF=$engine/storage.conf CONTAINERS_CONF=$engine/containers.conf
cat >"$CONTAINERS_STORAGE_CONF" <<TEXT
[storage]
driver = "overlay"
graphroot = "$engine/storage"
runroot = "$engine/run"
TEXT
# Limits that a process in a container may still set, and nothing that asks systemd.
cat >"$CONTAINERS_CONF" <<'TEXT'
[containers]
default_ulimits = ["nofile=10000:10000", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
[network]
network_backend = "netavark"
TEXT

# Where a file system cannot be laid over this one, copies do.
buildah images >/dev/null 2>&1 || sed -i 's/"overlay"/"vfs"/' "$CONTAINERS_STORAGE_CONF"

has_image() { buildah inspect --type image "$1" >/dev/null 2>&1; }

# base_image: debian:bookworm-slim of Debian's own packages, as no registry of images is at hand.
base_image() {
    has_image docker.io/library/debian:bookworm-slim && return
    local root=$engine/rootfs container
    rm -rf "$root"
    debootstrap --variant=minbase bookworm "$root" >"$engine/debootstrap.log" 2>&1
    rm -rf "$root"/var/cache/apt/*.bin "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
    # As in the official image: apt keeps nothing for a next time.
    echo 'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";' >"$root/etc/apt/apt.conf.d/docker-clean"
    container=$(buildah from scratch)
    buildah copy --quiet "$container" "$root" / >/dev/null
    buildah config --cmd /bin/bash "$container"
    buildah commit --quiet --rm "$container" docker.io/library/debian:bookworm-slim
    rm -rf "$root"
}

# build_image NAME FILE [ARGUMENT…]: for a machine without a daemon. Docker's format keeps HEALTHCHECK.
build_image() {
    local name=$1 file=$2
    shift 2
    buildah bud --quiet --isolation chroot --pull-never --layers --format docker --tag "$name" --file "$file" "$@" .
}

# runtime_image BINARY: quiz-stats:latest as the second stage of Dockerfile makes it, with a program that is built already in
# place of the first.
runtime_image() {
    mkdir -p "$engine/prebuilt/out"
    cmp -s "$1" "$engine/prebuilt/out/quiz-stats" || cp "$1" "$engine/prebuilt/out/quiz-stats"
    awk '/^FROM rust/ { skip = 1 } /^FROM debian/ { skip = 0 } !skip' Dockerfile >"$engine/runtime.Dockerfile"
    build_image quiz-stats:latest "$engine/runtime.Dockerfile" --build-context "build=$engine/prebuilt"
}

# can_run: whether containers run here at all; says why not.
can_run() {
    podman run --rm --network none docker.io/library/debian:bookworm-slim true 2>"$engine/cannot-run.log" && return
    printf '# not run: no container can be started here: %s\n' "$(grep -v systemd "$engine/cannot-run.log" | tail -n 1 | cut -c1-160)"
    return 1
}
