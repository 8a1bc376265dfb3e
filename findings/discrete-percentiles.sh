#!/usr/bin/env bash
# The 7th percentile of the numbers 1 to 100 is 8, unless each of them is given the weight 1.
#
# NumPy 2.4.6, Polars 2.1.0, DuckDB 2.0.1.
# Expected: the discrete percentile (the inverse of the distribution function: the first value with
#   at least p percent of all at or below it) of 1 to 100 is p, in all three, with equal weights or
#   without.
# Behaviour: NumPy (method="inverted_cdf") and Polars (interpolation="equiprobable") take the
#   ceiling of 100 * 0.07, which is 7.000000000000001 in floating point: 8, one value too far. DuckDB
#   (quantile_disc) does not. Neither does NumPy when it is given weights that are all 1: equal
#   weights change the answer. With 50 values other percentiles are off.
# Seen:
#   100 values:
#     NumPy                 7->8 14->15 28->29 55->56 56->57
#     NumPy, weights of 1   none
#     Polars                7->8 14->15 28->29 55->56 56->57
#     DuckDB                none
#   50 values:
#     NumPy                 14->8 28->15 56->29
#     NumPy, weights of 1   none
#     Polars                14->8 28->15 56->29
#     DuckDB                none
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check numpy==2.4.6 polars==2.1.0 duckdb==2.0.1

venv/bin/python - <<'PY' | tee seen
import duckdb
import numpy as np
import polars as pl

for n in (100, 50):
    values = np.arange(1, n + 1)
    table = duckdb.sql(f"SELECT range AS x FROM range(1, {n} + 1)")
    ways = {
        "NumPy": lambda q: np.quantile(values, q, method="inverted_cdf"),
        "NumPy, weights of 1": lambda q: np.quantile(
            values, q, method="inverted_cdf", weights=np.ones(n)
        ),
        "Polars": lambda q: pl.Series(values).quantile(q, interpolation="equiprobable"),
        "DuckDB": lambda q: table.aggregate(f"quantile_disc(x, {q}::DOUBLE)").fetchall()[0][0],
    }
    print(f"{n} values:")
    for name, way in ways.items():
        # Whole-numbered ranks only: p percent of n is a whole number.
        whole = [p for p in range(1, 101) if p * n % 100 == 0]
        off = [f"{p}->{int(way(p / 100))}" for p in whole if int(way(p / 100)) != p * n // 100]
        print(f"  {name:<21} {' '.join(off) or 'none'}")
PY

diff - seen <<'SEEN'
100 values:
  NumPy                 7->8 14->15 28->29 55->56 56->57
  NumPy, weights of 1   none
  Polars                7->8 14->15 28->29 55->56 56->57
  DuckDB                none
50 values:
  NumPy                 14->8 28->15 56->29
  NumPy, weights of 1   none
  Polars                14->8 28->15 56->29
  DuckDB                none
SEEN
