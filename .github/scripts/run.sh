#!/usr/bin/env bash
# The composite action: installs the tool from the action's own checkout and runs one of the scripts beside this one.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
case ${COMMAND:-} in
  validate | plan | apply | drift) ;;
  *)
    echo "command must be validate, plan, apply or drift" >&2
    exit 64
    ;;
esac
[ "${RECONCILER_INSTALLED:-}" = yes ] || "$here/install.sh"
exec python "$here/$COMMAND.py"
