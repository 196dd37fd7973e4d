"""Scores findings against what was planted, as `weir-bench accuracy` does for Weir's own.

A finding is (type, place or None, sign). Strict: type, sign and place are right (three buckets for a
shift, one for a spike or a dip). Lenient: a shift may lie anywhere, trend and shift count as one.
"""

DETECTABLE = 5.0
LEVELS = {"trend", "shift"}


def match(finding, event):
    """(strict, lenient) for one finding and one planted event."""
    kind, at, sign = finding
    planted = event["type"]
    if "season_break" in (kind, planted):
        return (kind == planted,) * 2
    if sign != (1 if event["effect"] > 0 else -1):
        return False, False
    if kind == planted:
        if kind in ("spike", "dip"):
            return (abs(at - event["at"]) <= 1,) * 2
        return (kind == "trend" or abs(at - event["at"]) <= 3), True
    return False, {kind, planted} <= LEVELS


class Score:
    """Counts over any number of reports."""

    def __init__(self):
        self.findings = self.flagged = self.flagged_empty = self.empty = 0
        self.wrong_strict = self.wrong_lenient = 0
        self.seconds = self.series = 0
        self.recall = {}

    def add(self, series, found):
        self.series += 1
        truth = series["truth"]
        self.flagged += bool(found)
        if not truth:
            self.empty += 1
            self.flagged_empty += bool(found)
        for finding in found:
            matches = [match(finding, event) for event in truth]
            self.findings += 1
            self.wrong_strict += not any(strict for strict, _ in matches)
            self.wrong_lenient += not any(lenient for _, lenient in matches)
        for event in truth:
            if event["oracle_z"] < DETECTABLE:
                continue
            matches = [match(finding, event) for finding in found]
            counts = self.recall.setdefault(event["type"], [0, 0, 0])
            counts[0] += 1
            counts[1] += any(strict for strict, _ in matches)
            counts[2] += any(lenient for _, lenient in matches)

    def result(self):
        """The same keys as `weir-bench accuracy --json`."""
        planted = sum(counts[0] for counts in self.recall.values())
        return {
            "findings": self.findings,
            "series_fdr": ratio(self.flagged_empty, self.flagged),
            "fdp_lenient": ratio(self.wrong_lenient, self.findings),
            "fdp_strict": ratio(self.wrong_strict, self.findings),
            "recall_strict": ratio(sum(c[1] for c in self.recall.values()), planted),
            "recall_lenient": ratio(sum(c[2] for c in self.recall.values()), planted),
            "recall_by_type": {
                kind: {"detectable": counts[0], "strict": ratio(counts[1], counts[0]),
                       "lenient": ratio(counts[2], counts[0])}
                for kind, counts in self.recall.items()},
            "ms_per_series": 1e3 * self.seconds / max(1, self.series),
        }


def ratio(part, whole):
    return part / whole if whole else 0.0
