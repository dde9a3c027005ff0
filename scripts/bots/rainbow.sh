#!/usr/bin/env bash
# A rainbow with curl: `scripts/bots/rainbow.sh [http://127.0.0.1:4242]`.
set -euo pipefail
server=${1:-http://127.0.0.1:4242}
colors=(15147587 15961636 16178250 5220949 3112658 7291825) # red to violet, 0xRRGGBB in decimal
for band in "${!colors[@]}"; do
  # An arc of 120 dabs for each colour, as the JSON of one call
  dabs=$(awk -v r=$((620 - 40 * band)) -v c="${colors[band]}" 'BEGIN {
    for (n = 0; n <= 120; n++) {
      a = 3.14159265 * n / 120
      printf "%s{\"pos\":{\"x\":%d,\"y\":%d},\"size\":60,\"color\":%d}", n ? "," : "", 768 - r * cos(a), 900 - r * sin(a), c
    }
  }')
  curl --fail --silent --show-error "$server/rpc" \
    --data "{\"jsonrpc\":\"2.0\",\"id\":$band,\"method\":\"paint\",\"params\":{\"dabs\":[$dabs]}}"
  echo
done
