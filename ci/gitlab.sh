#!/usr/bin/env bash
# One job on GitLab: lays the folders out as the scripts expect them, and runs one.
# usage: gitlab.sh validate|plan|apply|drift    in the clone of the project
set -euo pipefail
scripts=$(cd "$(dirname "$0")/../.github/scripts" && pwd)
job=${1:-}
case $job in
  validate | plan | apply | drift) ;;
  *)
    echo "usage: gitlab.sh validate|plan|apply|drift" >&2
    exit 64
    ;;
esac

if [ "$job" = plan ]; then
  # settings from the target branch, declarations as a merge would leave them; hooks and filters of theirs do not exist
  head=${CI_MERGE_REQUEST_SOURCE_BRANCH_SHA:-$CI_COMMIT_SHA}
  target=refs/remotes/origin/$CI_MERGE_REQUEST_TARGET_BRANCH_NAME
  git fetch --quiet origin "+refs/heads/$CI_MERGE_REQUEST_TARGET_BRANCH_NAME:$target"
  # nothing that the merge request brings is left where the tool is started
  git checkout --quiet --force --detach "$target"
  git clean --quiet -ffdx
  rm -rf base pull plans
  git worktree prune
  git worktree add --quiet --detach base "$target"
  git worktree add --quiet --detach pull "$target"
  git -C pull -c user.name=reconciler -c user.email=reconciler@invalid -c core.hooksPath=/dev/null \
    merge --quiet --no-ff --no-edit "$head"
fi

# the runner's own token stands in the address and cannot write; the job's is given to git in a header
if [ -n "${CI_PROJECT_URL:-}" ]; then
  git remote set-url origin "$CI_PROJECT_URL.git"
fi

exec python "$scripts/$job.py"
