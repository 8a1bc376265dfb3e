"""Compares fits of imports with SciPy's, on the observations in a file of cases."""
import json
import sys
from collections import Counter

import numpy as np
from scipy import optimize, stats

checked, wrong = Counter(), Counter()


def near(kind, what, got, expected, tolerance):
    checked[kind] += 1
    if not abs(got - expected) <= tolerance * max(abs(expected), 1e-9):
        wrong[kind] += 1
        print(f"  {what}: {got} and not {expected}")


def data_of(case):
    low = np.array([pair[0] for pair in case["ranges"]])
    high = np.array([np.inf if pair[1] is None else pair[1] for pair in case["ranges"]])
    exact = low == high
    right = np.isinf(high)
    between = ~exact & ~right
    return stats.CensoredData(
        uncensored=low[exact],
        right=low[right],
        interval=np.column_stack([low[between], high[between]]),
    )


def log_likelihood(case, dist):
    low = np.array([pair[0] for pair in case["ranges"]])
    high = np.array([np.inf if pair[1] is None else pair[1] for pair in case["ranges"]])
    exact = low == high
    with np.errstate(divide="ignore"):
        within = np.log(dist.sf(low[~exact]) - np.where(np.isinf(high[~exact]), 0, dist.sf(high[~exact])))
    return dist.logpdf(low[exact]).sum() + within.sum()


def lag(case):
    fit = case["fit"]
    found = {p["name"]: p for p in fit["parameters"]}
    data = data_of(case)
    drop = stats.chi2.ppf(0.95, 1) / 2
    if case["family"] == "exponential":
        _, mean = stats.expon.fit(data, floc=0)
        near("estimate", "mean", found["mean"]["estimate"], mean, 1e-3)
        fitted = stats.expon(scale=found["mean"]["estimate"])
        top = log_likelihood(case, fitted)
        near("estimate", "likelihood", fit["log_likelihood"], top, 1e-6)
        for side in ["lower", "upper"]:
            value = log_likelihood(case, stats.expon(scale=found["mean"][side]))
            near("limits", f"mean {side}", top - value, drop, 2e-2)
    else:
        sigma, _, median = stats.lognorm.fit(data, floc=0)
        near("estimate", "median", found["median"]["estimate"], median, 2e-3)
        near("estimate", "sigma", found["sigma"]["estimate"], sigma, 2e-3)
        make = lambda median, sigma: stats.lognorm(sigma, scale=median)
        fitted = make(found["median"]["estimate"], found["sigma"]["estimate"])
        top = log_likelihood(case, fitted)
        near("estimate", "likelihood", fit["log_likelihood"], top, 1e-6)
        for side in ["lower", "upper"]:
            at = found["median"][side]
            value = -optimize.minimize_scalar(
                lambda s: -log_likelihood(case, make(at, np.exp(s))), bracket=(np.log(sigma), np.log(sigma) + 0.1)
            ).fun
            near("limits", f"median {side}", top - value, drop, 2e-2)
            at = found["sigma"][side]
            value = -optimize.minimize_scalar(
                lambda m: -log_likelihood(case, make(np.exp(m), at)), bracket=(np.log(median), np.log(median) + 0.1)
            ).fun
            near("limits", f"sigma {side}", top - value, drop, 2e-2)
    if not len(data._interval):
        # On seconds, as the curve is.
        seconds = lambda values: np.round(np.asarray(values) * 3600)
        coarse = stats.CensoredData(uncensored=seconds(data._uncensored), right=seconds(data._right))
        sf = stats.ecdf(coarse).sf
        times = np.unique(seconds(data._uncensored))
        model = fitted.sf(times / 3600)
        after = sf.evaluate(times)
        before = np.concatenate([[1.0], after[:-1]])
        distance = max(np.abs(model - after).max(), np.abs(model - before).max())
        near("distance", "distance", fit["goodness"]["distance"], distance, 1e-9)


def arrivals(case):
    counts, weights, fit = np.array(case["counts"]), np.array(case["weights"]), case["fit"]
    drop = stats.chi2.ppf(0.95, 1) / 2

    def poisson(log_mean):
        return stats.poisson.logpmf(counts, np.exp(log_mean) * weights).sum()

    def negative(log_mean, log_k):
        mean, k = np.exp(log_mean) * weights, np.exp(log_k)
        return stats.nbinom.logpmf(counts, k, k / (k + mean)).sum()

    start = np.log(counts.sum() / weights.sum())
    flat = -optimize.minimize_scalar(lambda m: -poisson(m), bracket=(start, start + 0.1)).fun
    options = {"xatol": 1e-9, "fatol": 1e-11, "maxiter": 4000}
    # From several places: one search alone gets stuck.
    runs = [
        optimize.minimize(lambda x: -negative(*x), [start, k], method="Nelder-Mead", options=options)
        for k in (-2.0, 0.0, 2.0)
    ]
    best = min(runs, key=lambda run: run.fun)
    has = -best.fun - flat > stats.chi2.ppf(0.9, 1) / 2 and best.x[1] < 10
    checked["arrivals"] += 1
    if has != (fit["dispersion"] is not None):
        wrong["arrivals"] += 1
        print(f"  dispersion {fit['dispersion']}, gain {-best.fun - flat}")
        return
    mean = fit["per_day"]
    if not has:
        near("arrivals", "mean", mean["estimate"], np.exp(start), 1e-3)
        for side in ["lower", "upper"]:
            near("arrivals", f"mean {side}", flat - poisson(np.log(mean[side])), drop, 2e-2)
        return
    near("arrivals", "mean", mean["estimate"], np.exp(best.x[0]), 2e-3)
    near("arrivals", "dispersion", fit["dispersion"]["estimate"], np.exp(best.x[1]), 2e-3)
    for side in ["lower", "upper"]:
        at = np.log(mean[side])
        value = -optimize.minimize_scalar(lambda k: -negative(at, k), bracket=(best.x[1], best.x[1] + 0.1)).fun
        near("arrivals", f"mean {side}", -best.fun - value, drop, 2e-2)
        at = np.log(fit["dispersion"][side])
        value = -optimize.minimize_scalar(lambda m: -negative(m, at), bracket=(best.x[0], best.x[0] + 0.1)).fun
        near("arrivals", f"dispersion {side}", -best.fun - value, drop, 2e-2)


for each in json.load(open(sys.argv[1])):
    {"lag": lag, "arrivals": arrivals}[each["kind"]](each)
for kind in checked:
    print(f"{kind} {checked[kind]} compared, {wrong[kind]} differ")
sys.exit(1 if sum(wrong.values()) else 0)
