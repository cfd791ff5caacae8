# Read by the scripts beside it.

# Runs a command as root: directly, or by sudo without a question.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

# Makes an empty Python environment in a folder.
make_venv() {
    if ! python3 -m venv --clear "$1"; then
        # Debian ships Python without the module that fills an environment.
        as_root apt-get update
        as_root apt-get install -y --no-install-recommends python3 python3-venv
        python3 -m venv --clear "$1"
    fi
}
