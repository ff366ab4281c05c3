#!/usr/bin/env bash
# Makes the framework's environment. CAUSALMIX_SOURCE is what pip installs: a name or a folder.
set -e
HERE=$(dirname "$0")
. "$HERE/.setup/setup_env"
. "$AMLB_ROOT/frameworks/shared/setup.sh" "$HERE" true
PIP install --upgrade "${CAUSALMIX_SOURCE:-autogluon-causalmix}" "autogluon.tabular[lightgbm]" pyarrow
PY -c "from importlib.metadata import version; print(version('autogluon-causalmix'))" \
    >> "$HERE/.setup/installed"
# The benchmark asks for the exit status when the pipes close: a child holds them open until then.
sleep 1 &
