"""What other systems do by default, on the same series.

Each takes a series and returns findings as (type, place or None, sign). They see what a user would give
them: counts, or k/n. "Own" means: written here from the published rule, not the product's binary.
"""
import math

import numpy as np
import pymannkendall
import ruptures
from scipy import stats
from statsmodels.tsa.seasonal import STL


def observed(series):
    """Places and values of the buckets that are closed and have one."""
    values = np.array([np.nan if v is None else v for v in series["k"]], float)
    values[~np.array(series["complete"], bool)] = np.nan
    if series["kind"] == "rate":
        values = values / np.maximum(np.array(series["n"], float), 1)
    places = np.flatnonzero(np.isfinite(values))
    return places, values[places]


def sign(value):
    return 1 if value > 0 else -1


def step(places, values, at, start=0, end=None):
    """A shift at index `at` of the values, between the neighbours `start` and `end`."""
    return "shift", int(places[at]), sign(values[at:end].mean() - values[start:at].mean())


def do_nothing(_):
    return []


def always_fire(series):
    """Every day is a spike or a dip."""
    places, values = observed(series)
    if not len(values):
        return []
    middle = np.median(values)
    return [("spike", int(p), 1) if v >= middle else ("dip", int(p), -1)
            for p, v in zip(places, values)]


def thirdeye(series):
    """ThirdEye's mean-variance rule (own): outside of mean +- 1 standard deviation of the 52 days
    before, of the same weekday once there are four weeks; the last four weeks are judged."""
    places, values = observed(series)
    length = len(series["k"])
    found = []
    for place, value in zip(places, values):
        if place < max(14, length - 28):
            continue
        window = (places < place) & (places >= place - 52)
        if length >= 28:
            window &= (place - places) % 7 == 0
        before = values[window]
        if len(before) < 2:
            continue
        middle, spread = before.mean(), before.std(ddof=1)
        if abs(value - middle) > spread:
            found.append(("spike", int(place), 1) if value > middle else ("dip", int(place), -1))
    return found


def s_h_esd(series):
    """Twitter's seasonal hybrid ESD (own, with statsmodels' STL): median and MAD after the weekday
    pattern is taken out, level 0.05, at most a tenth of the days."""
    places, values = observed(series)
    length = len(series["k"])
    if len(values) < 15:
        return []
    whole = np.interp(np.arange(length), places, values)
    seasonal = STL(whole, period=7, seasonal=10 * length | 1, seasonal_deg=0, robust=True).fit().seasonal
    rest = whole - seasonal - np.median(whole)
    left = list(range(length))
    removed, accepted = [], 0
    for i in range(1, int(0.1 * length) + 1):
        some = rest[left]
        centre = np.median(some)
        spread = 1.4826 * np.median(np.abs(some - centre))
        if spread == 0:
            break
        distance = np.abs(some - centre) / spread
        furthest = int(np.argmax(distance))
        removed.append(left.pop(furthest))
        free = length - i - 1
        t = stats.t.ppf(1 - 0.05 / (2 * (length - i + 1)), free)
        if distance[furthest] > t * (length - i) / math.sqrt((free + t * t) * (length - i + 1)):
            accepted = i
    middle = np.median(rest)
    return [("spike", p, 1) if rest[p] > middle else ("dip", p, -1) for p in removed[:accepted]]


def mann_kendall(series):
    """pymannkendall.original_test at 0.05."""
    _, values = observed(series)
    if len(values) < 4:
        return []
    result = pymannkendall.original_test(values)
    return [("trend", None, sign(result.s))] if result.h else []


def hamed_rao(series):
    """pymannkendall.hamed_rao_modification_test at 0.05."""
    _, values = observed(series)
    if len(values) < 10:
        return []
    with np.errstate(all="ignore"):
        result = pymannkendall.hamed_rao_modification_test(values)
    return [("trend", None, sign(result.s))] if result.h else []


def pelt(factor):
    """ruptures' PELT with squared errors, at least 7 days a level, penalty factor ln n variance; the
    variance from the steps between neighbours."""
    def run(series):
        places, values = observed(series)
        if len(values) < 14:
            return []
        noise = np.var(np.diff(values)) / 2
        if noise == 0:
            return []
        search = ruptures.KernelCPD(kernel="linear", min_size=7).fit(values)
        ends = search.predict(pen=factor * math.log(len(values)) * noise)
        cuts = [0] + ends
        return [step(places, values, cuts[i], cuts[i - 1], cuts[i + 1])
                for i in range(1, len(cuts) - 1)]
    return run


def change_point(series):
    """The step and trend part of Elasticsearch's change_point as of 2022 (own): F tests of nested
    models with the outer 2.5 % of the values at weight 0.01, the step's p corrected for its places,
    level 0.01 exp(-0.04 (n - 22)), from 22 days on."""
    places, values = observed(series)
    n = len(values)
    if n < 22 or values.std() == 0:
        return []
    level = 0.01 * math.exp(-0.04 * (n - 22))
    ordered = np.sort(values)
    cut = math.ceil(0.025 * n)
    weights = np.where((values >= ordered[cut]) & (values <= ordered[n - cut - 1]), 1.0, 0.01)

    def spread(w, v):
        return float((w * (v - np.average(v, weights=w)) ** 2).sum())

    def p_value(null, null_size, alternative, size):
        if alternative >= null:
            return 1.0
        if alternative <= 0:
            return 0.0
        ratio = (null - alternative) / (size - null_size) * (n - size) / alternative
        return min(1.0, 2 * stats.f.sf(ratio, size - null_size, n - size))

    null = spread(weights, values)
    time = np.arange(n)
    curve = np.polyfit(time, values, 2, w=np.sqrt(weights))
    p_trend = p_value(null, 1, float((weights * (values - np.polyval(curve, time)) ** 2).sum()), 3)
    direction = sign(np.polyfit(time, values, 1)[0])
    margin = max(int(0.1 * n + 0.5), 10)
    splits = range(margin, n - margin)
    if not splits:
        return [("trend", None, direction)] if p_trend < level else []
    costs = [spread(weights[:c], values[:c]) + spread(weights[c:], values[c:]) for c in splits]
    best = int(np.argmin(costs))
    p_step = p_value(null, 1, costs[best], 2)
    p_step = 1 - (1 - p_step) ** len(splits) if p_step > 1e-10 else len(splits) * p_step
    if p_trend < level and p_trend > p_step or p_step < level <= p_trend:
        return [step(places, values, splits[best])]
    return [("trend", None, direction)] if p_trend < level else []


BASELINES = {
    "do nothing": do_nothing,
    "always fire": always_fire,
    "ThirdEye mean-variance, 1 sd (own)": thirdeye,
    "S-H-ESD, 0.05, 10 % (own)": s_h_esd,
    "pymannkendall original, 0.05": mann_kendall,
    "pymannkendall Hamed-Rao, 0.05": hamed_rao,
    "ruptures PELT l2, ln n": pelt(1),
    "ruptures PELT l2, 3 ln n": pelt(3),
    "Elastic change_point, step and trend (own)": change_point,
}
