#!/usr/bin/env bash
# Installs the tool from a checkout of its repository: the folder given, or the one that holds this script.
set -euo pipefail
folder=${1:-$(dirname "$0")/../..}
python -P -m pip install --quiet --disable-pip-version-check "$folder"
