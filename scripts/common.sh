# What ./run and ./test share; sourced by both, with `set -euo pipefail` in force.
# shellcheck shell=bash

# Bold only where a person looks at it.
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
    bold=$'\e[1m' plain=$'\e[0m'
else
    bold='' plain=''
fi

say() { printf '%s%s%s\n' "$bold" "$*" "$plain"; }

# fail WHAT [ADVICE]: ends the script.
fail() {
    printf '\n%s: %s\n' "${0##*/}" "$1" >&2
    [[ -z ${2:-} ]] || printf '%s\n' "$2" >&2
    exit 1
}

# install_packages WHY PACKAGE…: by apt, with sudo where that is needed.
install_packages() {
    local why=$1 as_root=()
    shift
    command -v apt-get >/dev/null ||
        fail "$* must be installed ($why), and this system has no apt" "Install it in your system's own way, then run $0 again."
    if ((EUID != 0)); then
        command -v sudo >/dev/null ||
            fail "$* must be installed ($why), and there is no sudo" "As root: apt-get install $*. Then run $0 again."
        as_root=(sudo)
    fi
    say "Installing with apt: $* ($why)"
    # A source that is out of reach matters only if a package is missing then.
    [[ -n ${packages_listed:-} ]] || "${as_root[@]}" apt-get -qq update || true
    packages_listed=yes
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" </dev/null >/dev/null ||
        fail "apt could not install $*" "See above; then run $0 again."
}

need_rust() {
    [[ -x $HOME/.cargo/bin/cargo ]] && PATH=$PATH:$HOME/.cargo/bin
    command -v cargo >/dev/null || fail "Rust is not installed" "Get it from https://rustup.rs, then run $0 again."
}

# A compiler without the C library's headers is of no use, so a program is the test.
need_c_compiler() {
    printf '#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n' | cc -xc - -o /dev/null 2>/dev/null ||
        install_packages "for linking and for the TLS library" gcc libc6-dev
}

need_pip() {
    python3 -m pip --version >/dev/null 2>&1 || install_packages "$1" python3 python3-pip
}

# need_command PACKAGE WHY COMMAND…: one of the commands, else the package.
need_command() {
    local package=$1 why=$2 name
    shift 2
    for name in "$@"; do
        command -v "$name" >/dev/null && return
    done
    install_packages "$why" "$package"
}
