#!/bin/sh
# The main job once, from nothing: validate, plan, apply, and a plan that finds nothing left to do.
# usage: demo.sh RECONCILER FOLDER    FOLDER is emptied first; everything happens inside it.
set -eu
reconciler=$1
folder=$2

rm -rf "$folder"
mkdir "$folder"
cp -R reconciler.yaml identities sandbox "$folder"
cd "$folder"

step() {
  printf '\n$ reconciler %s\n' "$*"
  "$reconciler" "$@"
}

step validate
step plan
printf '\n$ reconciler apply --auto-approve\n(the same plan again, and then)\n'
"$reconciler" apply --auto-approve > apply.log || { cat apply.log; exit 1; }
sed -n '/^Apply /,$p' apply.log
step plan
