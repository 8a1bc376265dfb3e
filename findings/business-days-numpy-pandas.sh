#!/usr/bin/env bash
# Business days from a weekend: no `roll` of numpy gives what pandas gives in both directions.
#
# numpy 2.4.6, pandas 2.3.3.
# Expected: a deadline of N business days after a Saturday is one date, and numpy's `roll` chooses
#   between the two readings that there are.
# Behaviour: numpy first moves to a business day and then counts; pandas counts the move as the
#   first step. One business day after Saturday the 10th is Monday the 12th in pandas, as in numpy
#   with `backward`; one before it is Friday the 9th, as in numpy with `forward`. With either roll
#   numpy is a day off in one direction, and with `backward` for N = 0.
# Seen:
#   N   pandas  forward  backward
#   -1      09       09        08
#    0      12       12        09
#    1      12       13        12
#    5      16       19        16
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check numpy==2.4.6 pandas==2.3.3

venv/bin/python - <<'PY' | tee seen
import numpy
import pandas

SATURDAY = "2026-01-10"
print("N   pandas  forward  backward")
for days in (-1, 0, 1, 5):
    there = pandas.Timestamp(SATURDAY) + days * pandas.offsets.BDay()
    forward, backward = (
        str(numpy.busday_offset(SATURDAY, days, roll=roll))[-2:] for roll in ("forward", "backward")
    )
    print(f"{days:>2}      {there:%d}       {forward}        {backward}")
PY

diff - seen <<'SEEN'
N   pandas  forward  backward
-1      09       09        08
 0      12       12        09
 1      12       13        12
 5      16       19        16
SEEN
