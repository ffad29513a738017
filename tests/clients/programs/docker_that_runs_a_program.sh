#!/bin/sh
# In the place of `docker` for airbyte_cdk's standard tests: `docker run --rm [-v HOST:CONTAINER]… IMAGE VERB…` runs
# $PROGRAM on this machine, with paths in the container turned back into those of the host.
[ "$1" = run ] || { echo "Docker version 0"; exit 0; }
shift
folders=
while :; do
    case $1 in
    -v) folders="$folders $2"; shift 2 ;;
    -e) shift 2 ;;
    -*) shift ;;
    *) break ;;
    esac
done
shift
for word; do
    shift
    for folder in $folders; do
        host=${folder%%:*} container=${folder#*:}
        container=${container%:r[ow]}
        case $word in "$container" | "$container"/*) word=$host${word#"$container"} ;; esac
    done
    set -- "$@" "$word"
done
exec "$PROGRAM" "$@"
