# What the deployment checks need on a plain Debian machine, below target/deploy-tools; sourced by scripts/verify-deploy.
# shellcheck shell=bash

tools=$PWD/target/deploy-tools
export PATH=$PATH:$tools/bin

# need_wheels AREA: what scripts/deploy/AREA.txt pins, from PyPI, by checksum; commands and modules below $tools/AREA.
need_wheels() {
    local list=$PWD/scripts/deploy/$1.txt into=$tools/$1
    export PATH=$into/bin:$PATH PYTHONPATH=$into${PYTHONPATH:+:$PYTHONPATH}
    cmp -s "$list" "$into/installed.txt" && return
    need_pip "to check the deployment files"
    say "Installing the tools of scripts/deploy/$1.txt below target/"
    rm -rf "$into"
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --require-hashes --no-deps \
        --target "$into" --requirement "$list" || fail "the tools of $list cannot be installed" "See above; then run $0 again."
    cp "$list" "$into/installed.txt"
}

# need_sid PACKAGE COMMAND…: statically linked programs of Debian's unstable suite, unpacked and not installed: the stable
# suite has them years older, or not at all. The archive's signature is checked as ever.
need_sid() {
    local package=$1 into=$tools/sid command missing='' site
    shift
    for command in "$@"; do
        [[ -x $tools/bin/$command ]] || missing=yes
    done
    [[ -n $missing ]] || return 0
    mkdir -p "$into"/{lists/partial,cache/archives/partial,root} "$tools/bin"
    touch "$into/status"
    # The machine's own mirror.
    # shellcheck disable=SC2016
    site=$(apt-get indextargets --format '$(SITE)' 'Codename: bookworm' 2>/dev/null | head -n 1)
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s sid main\n' \
        "${site:-http://deb.debian.org/debian}" >"$into/sources.list"
    local apt=(apt-get -qq -o "Dir::Etc::SourceList=$into/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$into/lists" -o "Dir::Cache=$into/cache" -o "Dir::State::Status=$into/status"
        -o APT::Sandbox::User=root -o Acquire::Languages=none)
    [[ -n $(find "$into/lists" -name '*Packages*' -mmin -720) ]] || "${apt[@]}" -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false update ||
        fail "Debian's unstable suite is out of reach" "It is needed for $*; then run $0 again."
    say "Unpacking $package of Debian's unstable suite below target/ (for $*)"
    (cd "$into/cache" && "${apt[@]}" download "$package" && dpkg -x "$package"_*.deb "$into/root") ||
        fail "$package cannot be had" "See above; then run $0 again."
    for command in "$@"; do
        ln -sf "$(find "$into/root/usr" -name "$command" ! -type d -path "*bin*" | head -n 1)" "$tools/bin/$command"
    done
}
