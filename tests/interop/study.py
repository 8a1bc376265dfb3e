"""Compares the result of a study with what SciPy makes of the rows that the study exports: means, shares and
quantiles over replications from its CSV, curves from its survival data."""
import csv
import json
import sys
from collections import Counter, defaultdict

import numpy as np
from scipy import stats

checked, wrong = Counter(), Counter()


def near(kind, what, got, expected):
    checked[kind] += 1
    if got is None or abs(got - expected) > 1e-9 * max(abs(expected), 1e-9):
        wrong[kind] += 1
        print(f"  {what}: {got} and not {expected}")


def column(measure):
    name = measure["measure"]
    name += "".join("." + measure[part] for part in ("clock", "severity") if measure.get(part))
    return name + ("@" + measure["tier"] if measure.get("tier") else "")


def measures(result, rows):
    for arm in result["arms"]:
        own = [row for row in rows if row["arm"] == arm["name"]]
        for measure in arm["measures"]:
            name, interval = column(measure), measure["interval"]
            values = np.array([float(row[name]) for row in own if row[name] != ""])
            what = f"{arm['name']} {name} {measure['statistic']}"
            if measure["statistic"] == "mean" and len(values) > 1:
                near("mean", what, interval["estimate"], values.mean())
                if values.std() > 0:
                    low, high = stats.t.interval(
                        result["confidence"], len(values) - 1, values.mean(), stats.sem(values)
                    )
                    near("mean", what, interval["lower"], max(low, 0))
                    near("mean", what, interval["upper"], high)
            elif measure["statistic"] == "proportion":
                k, n = int((values > 0).sum()), len(values)
                near("proportion", what, interval["estimate"], k / n)
                if 0 < k < n:
                    low, high = stats.binomtest(k, n).proportion_ci(result["confidence"], "wilson")
                    near("proportion", what, interval["lower"], low)
                    near("proportion", what, interval["upper"], high)


def curves(result, rows):
    subjects = defaultdict(list)
    for row in rows:
        key = (row["arm"], row["curve"], row["severity"])
        subjects[key].append((float(row["hours"]), row["event"] == "1", int(row["count"])))
    told = set()
    for arm in result["arms"]:
        for curve in arm["curves"]:
            key = (arm["name"], curve["of"], curve["severity"])
            told.add(key)
            ended = [hours for hours, event, count in subjects[key] if event for _ in range(count)]
            still = [h for h, event, count in subjects[key] if not event for _ in range(count)]
            near("subjects", key, curve["subjects"], len(ended) + len(still))
            near("subjects", key, curve["ended"], len(ended))
            survival = stats.ecdf(stats.CensoredData(ended, right=still)).sf
            for point in curve["points"]:
                at = float(survival.evaluate(point["hours"]))
                near("survival", f"{key} at {point['hours']} h", point["survival"], at)
            reached = [q for q in survival.quantiles if survival.evaluate(q) <= 0.5 + 1e-12]
            if reached:
                near("median", key, curve["median"]["estimate"], float(reached[0]))
    near("curves", "those with subjects", len(told), len(subjects))


with open(sys.argv[1], encoding="utf-8") as file:
    study = json.load(file)
with open(sys.argv[2], encoding="utf-8", newline="") as file:
    measures(study, list(csv.DictReader(file)))
with open(sys.argv[3], encoding="utf-8", newline="") as file:
    curves(study, list(csv.DictReader(file)))
for kind in checked:
    print(kind, checked[kind], wrong[kind])
sys.exit(bool(wrong))
