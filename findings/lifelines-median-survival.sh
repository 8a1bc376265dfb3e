#!/usr/bin/env bash
# The median survival time of six subjects is one event late, and can be infinite.
#
# lifelines 0.30.3.
# Expected: where half of the subjects have had their event, the Kaplan-Meier curve is at 0.5, and
#   the median (the first time at or below 0.5) is that event's time.
# Behaviour: the curve is computed as exp of a sum of logarithms, which comes out at
#   0.5000000000000001 for 6, 8, 14, 18 and 20 subjects (of 2 to 20): not at or below 0.5, so the
#   median is the next event's time. Without a next event it is infinite: 3 of 6 fixed, "never".
# Seen:
#   late for: 6 8 14 18 20
#   6 subjects, events at 1 to 6: median 4.0, curve at 3 0.5000000000000001
#   6 subjects, events at 1 to 3: median inf
#   4 subjects, events at 1 to 2: median 2.0
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check lifelines==0.30.3

venv/bin/python - <<'PY' | tee seen
from fractions import Fraction

from lifelines import KaplanMeierFitter


def fitted(subjects, events):
    """One event a day for the first subjects; the others are observed to the last day."""
    happened = [number <= events for number in range(1, subjects + 1)]
    times = [number if seen else subjects for number, seen in enumerate(happened, start=1)]
    return KaplanMeierFitter().fit(times, happened)


def exact(subjects):
    survival = Fraction(1)
    for event in range(1, subjects + 1):
        survival *= Fraction(subjects - event, subjects - event + 1)
        if survival <= Fraction(1, 2):
            return event


late = [n for n in range(2, 21) if fitted(n, n).median_survival_time_ != exact(n)]
print("late for:", *late)
whole = fitted(6, 6)
curve = float(whole.survival_function_.loc[3].iloc[0])
print(f"6 subjects, events at 1 to 6: median {whole.median_survival_time_}, curve at 3 {curve}")
print("6 subjects, events at 1 to 3: median", fitted(6, 3).median_survival_time_)
print("4 subjects, events at 1 to 2: median", fitted(4, 2).median_survival_time_)
PY

diff - seen <<'SEEN'
late for: 6 8 14 18 20
6 subjects, events at 1 to 6: median 4.0, curve at 3 0.5000000000000001
6 subjects, events at 1 to 3: median inf
4 subjects, events at 1 to 2: median 2.0
SEEN
