#!/bin/sh
# A trainer of one's own for hone, as a shell script: trains one recipe with several learning rates, by hone's own
# trainer (`hone train`, which must be in PATH), and hands in the model that validates best.
#
#   search.sh RATE... train --data DIR --out DIR --seed N [--previous FILE]
#
# docs/trainers.md of hone has the contract.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

rates=
while [ $# -gt 0 ] && [ "$1" != train ]; do
  rates="$rates $1"
  shift
done
[ $# -gt 0 ] && [ -n "$rates" ] || { echo "usage: search.sh RATE... train --data DIR --out DIR --seed N [--previous FILE]"; exit 2; }
shift
previous=
while [ $# -gt 1 ]; do
  case $1 in
    --data) data=$2 ;;
    --out) out=$2 ;;
    --seed) seed=$2 ;;
    --previous) previous=$2 ;;
  esac
  shift 2
done

tries=0
total=$(echo "$rates" | wc -w)
best=-1
for rate in $rates; do
  echo "learning rate $rate"
  sed "s/^learning_rate = .*/learning_rate = $rate/" "$here/recipe.toml" > "recipe-$rate.toml"
  hone train "recipe-$rate.toml" --data "$data" --out "try-$rate" --seed "$seed" ${previous:+--base "$previous"} >&2
  metric=$(tr -d ' \n' < "try-$rate/training.json" | sed 's/.*"validation_metric":\([0-9.e-]*\).*/\1/')
  tries=$((tries + 1))
  awk "BEGIN { printf \"progress %.3f epoch %d metric %s\n\", $tries / $total, $tries, \"$metric\" }"
  if awk "BEGIN { exit !($metric > $best) }"; then
    best=$metric
    best_rate=$rate
  fi
done

cp "try-$best_rate/model.onnx" "$out/model.onnx"
echo "{\"validation_metric\": $best, \"learning_rate\": $best_rate, \"tried\": $tries}" > "$out/metrics.json"
