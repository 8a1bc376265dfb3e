"""Compares the statistics of studies with SciPy's, on the values in a file of cases."""
import json
import math
import sys
import warnings
from collections import Counter

import numpy as np
from scipy import special, stats

checked, wrong = Counter(), Counter()


def near(case, what, got, expected, tolerance=1e-10):
    """Both none, or equal but for a relative error."""
    if expected is not None and not math.isfinite(expected):
        expected = None
    same = (
        got == expected
        if got is None or expected is None
        else abs(got - expected) <= tolerance * max(abs(expected), 1e-12)
    )
    if not same:
        wrong[case["kind"]] += 1
        few = {key: value for key, value in case.items() if not isinstance(value, list)}
        print(f"  {what}: {got} and not {expected}: {str(few)[:300]}")


def limits(case, low, high, tolerance=1e-10):
    near(case, "lower", case["result"]["lower"], low, tolerance)
    near(case, "upper", case["result"]["upper"], high, tolerance)


def t(case):
    near(case, "t", case["result"], stats.t.isf(case["tail"], case["df"]), 1e-11)
    near(case, "tail", case["back"], case["tail"], 1e-11)


def beta(case):
    a, b, x = case["a"], case["b"], case["x"]
    below, above = special.betainc(a, b, x), special.betaincc(a, b, x)
    for what, got, expected in zip(["below", "above"], case["result"], [below, above]):
        if expected > 1e-290:
            near(case, what, got, expected, 1e-9 if a > 1e4 else 1e-11)


def wilson(case):
    k, n, confidence = case["k"], case["n"], case["confidence"]
    near(case, "estimate", case["result"]["estimate"], k / n)
    if 0 < k < n:
        limits(case, *stats.binomtest(k, n).proportion_ci(confidence, "wilson"))
    else:
        # Exact and one-sided.
        side = "less" if k == 0 else "greater"
        test = stats.binomtest(k, n, alternative=side)
        limits(case, *test.proportion_ci(confidence, "exact"))


def mean(case):
    values = case["values"]
    near(case, "estimate", case["result"]["estimate"], np.mean(values))
    limits(case, *stats.ttest_1samp(values, 0).confidence_interval(case["confidence"]))


def quantile(case):
    values, q = case["values"], case["q"]
    near(case, "estimate", case["result"]["estimate"], np.quantile(values, q))
    limits(case, *stats.quantile_test(values, p=q).confidence_interval(case["confidence"]))


def paired(case):
    a, b = np.array(case["a"]), np.array(case["b"])
    test = stats.ttest_rel(a, b)
    near(case, "p", case["p"], test.pvalue, 1e-9)
    ratio = np.var(a - b, ddof=1) / (np.var(a, ddof=1) + np.var(b, ddof=1))
    near(case, "variance ratio", case["ratio"], ratio)
    limits(case, *test.confidence_interval(case["confidence"]), 1e-9)


def ratio(case):
    y, x = np.array(case["y"]), np.array(case["x"])
    n, r = len(y), y.sum() / x.sum()
    error = np.std(y - r * x, ddof=1) / math.sqrt(n) / x.mean()
    half = stats.t.isf((1 - case["confidence"]) / 2, n - 1) * error
    near(case, "estimate", case["result"]["estimate"], r)
    limits(case, max(r - half, 0), r + half, 1e-9)


def survival(case):
    events, censored = [], []
    for tally in case["tallies"]:
        events += [tally["time"]] * tally["events"]
        censored += [tally["time"]] * tally["censored"]
    curve = stats.ecdf(stats.CensoredData(events, right=censored)).sf
    with warnings.catch_warnings():
        # At the ends of a curve, 0 and 1, it has no limits, and says so.
        warnings.simplefilter("ignore", RuntimeWarning)
        band = curve.confidence_interval(case["confidence"], method="log-log")
    for point in case["result"]:
        near(case, "survival", point["survival"], float(curve.evaluate(point["time"])))
        if 0 < point["survival"] < 1:
            low, high = (float(side.evaluate(point["time"])) for side in (band.low, band.high))
            near(case, "lower", point["lower"], low)
            near(case, "upper", point["upper"], high)


def sequential(case):
    values, wanted, cap = case["values"], case["precision"], case["cap"]
    held, progress = None, None
    for n in range(3, cap + 1):
        half = stats.t.ppf(0.975, n - 1) * stats.sem(values[:n])
        average = np.mean(values[:n])
        if average == 0 or half / abs(average) > wanted:
            held = None
        else:
            held = held or n
            if n - held >= (5 if held <= 100 else math.ceil(5 * held / 100)):
                progress = {"stop": {"n": held}}
                break
    progress = progress or {"capped": {"n": cap}}
    if case["progress"] != progress:
        wrong["sequential"] += 1
        print("  sequential:", case["progress"], "and not", progress)
    near(case, "mean", case["result"]["estimate"], average)


def main():
    kinds = [t, beta, wilson, mean, quantile, paired, ratio, survival, sequential]
    by_name = {kind.__name__: kind for kind in kinds}
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = json.load(file)
    for case in cases:
        checked[case["kind"]] += 1
        by_name[case["kind"]](case)
    for kind in checked:
        print(kind, checked[kind], wrong[kind])
    sys.exit(bool(wrong))


main()
