/// What the trend analysis reads and what it says, without any engine or file in it.
///
/// A *series* is one metric of one group (market x queue) by equal time buckets; roll-ups over all
/// queues, all markets and everything are series like any other.

/// How the values of a metric come about; it decides which tests are exact for it.
public enum MetricKind: String, Sendable, CaseIterable {
  /// Records in the bucket: `k` counts them.
  case count
  /// A share: `k` of `n` records.
  case rate
  /// The mean of a number: `value` with sampling `variance`, over `n` records.
  case mean
  /// A quantile of a number: `value` with the variance of its order statistics, over `n` records.
  case quantile
  /// Distinct values: `value` (estimated), over `n` records.
  case distinct
}

/// What is known about a bucket before anything is tested.
public enum BucketState: String, Sendable {
  /// The watermark has passed its end: it is compared.
  case closed
  /// Covered by data of other groups, none of this one: it is compared, as zero.
  case zero
  /// The watermark has not passed its end: shown, not compared.
  case open
  /// The first bucket, where the data begin inside of it: shown, not compared.
  case partial
  /// No record of any group reaches it: masked, never a dip.
  case missing

  public var isCompared: Bool { self == .closed || self == .zero }
}

extension [BucketState] {
  /// Neighbouring buckets in a state.
  public func runs(of state: BucketState) -> [ClosedRange<Int>] {
    var runs: [ClosedRange<Int>] = []
    for t in indices where self[t] == state {
      if let run = runs.last, run.upperBound + 1 == t {
        runs[runs.count - 1] = run.lowerBound...t
      } else {
        runs.append(t...t)
      }
    }
    return runs
  }
}

/// One time bucket of a series.
public struct TrendBucket: Sendable {
  public var state: BucketState
  /// Records of the group in the bucket (the denominator of a rate).
  public var n: Double
  /// The counted part: `n` for `count`, the numerator for `rate`, unused otherwise.
  public var k: Double
  /// The value of `mean`, `quantile` and `distinct`; `nil` where there is none.
  public var value: Double?
  /// Sampling variance of ``value``, in squared units of it.
  public var variance: Double
  /// Of a mean: sum of the cubes of its records about it; NaN where that is not known.
  public var cubes: Double
  /// Length as a share of the nominal one: 23/24 for the day the clock goes forward. Counts are
  /// expected in proportion to it.
  public var exposure: Double

  public init(
    state: BucketState, n: Double = 0, k: Double = 0, value: Double? = nil, variance: Double = 0,
    cubes: Double = .nan, exposure: Double = 1
  ) {
    self.state = state
    self.n = n
    self.k = k
    self.value = value
    self.variance = variance
    self.cubes = cubes
    self.exposure = exposure
  }

  /// What a reader sees: the count, the rate k/n, or the value. `nil` where the bucket is missing
  /// or a rate has no denominator.
  public func observed(_ kind: MetricKind) -> Double? {
    switch (state, kind) {
    case (.missing, _): nil
    case (_, .count): k
    case (_, .rate): n > 0 ? k / n : nil
    default: value
    }
  }
}

/// One metric of one group by time.
public struct TrendSeries: Sendable {
  /// One value for each `by` field; `nil` stands for all of them (a roll-up).
  public var key: [String?]
  public var metric: String
  public var kind: MetricKind
  public var buckets: [TrendBucket]
  /// Weekday of the first bucket, 0 = Monday, when a bucket is a day; else `nil` (no weekday profile).
  public var firstWeekday: Int?
  /// What an event of it weighs in the order of the report.
  public var severity = 1.0
  /// Of a mean: whether days are compared as logarithms, as shares of each other, where all are positive.
  public var isLogarithmic = false
  /// Of a quantile: which one, 0 to 1.
  public var quantile = 0.5

  public init(
    key: [String?], metric: String, kind: MetricKind, buckets: [TrendBucket], firstWeekday: Int?
  ) {
    self.key = key
    self.metric = metric
    self.kind = kind
    self.buckets = buckets
    self.firstWeekday = firstWeekday
  }
}

/// Why a series has or has not findings: silence must be explainable.
public enum SeriesStatus: String, Sendable {
  /// Tested; whether something was found is in the findings.
  case ok
  /// Every compared bucket has the same value.
  case constant
  /// Not one event (count 0 everywhere, or a rate that is 0 % or 100 % everywhere).
  case noEvents = "no_events"
  /// 5 to 13 compared buckets: single days were tested from 8 on, trend and shift were not.
  case short
  /// Fewer than 5 compared buckets: nothing was tested.
  case insufficientHistory = "insufficient_history"
  /// Too few events to claim more than single days: less than 5 a bucket, and less than 5 a block
  /// of seven days or fewer than 6 blocks.
  case insufficientVolume = "insufficient_volume"
}

/// A value with its 95 % interval.
public struct Estimate: Sendable, Equatable {
  public var value: Double
  public var lo: Double
  public var hi: Double

  public init(value: Double, lo: Double, hi: Double) {
    self.value = value
    self.lo = lo
    self.hi = hi
  }
}

/// What the analysis says about one series, whether or not it has findings.
public struct SeriesVerdict: Sendable {
  public var status: SeriesStatus
  /// Buckets compared: closed or zero, with a denominator.
  public var validBuckets: Int
  /// The value over all compared buckets (a rate with its Wilson interval, a count a bucket, ...).
  public var overall: Estimate?
  /// What each bucket would have shown had nothing changed, in the units of ``TrendBucket/observed(_:)``,
  /// with the 95 % range of a single bucket around it. `nil` where nothing could be expected.
  public var expected: [Estimate?]
  /// Simes p-value of the series over its tests; `nil` where nothing was tested.
  public var p: Double?
  /// Benjamini-Hochberg adjusted ``p`` over all series of the report.
  public var q: Double?

  public init(
    status: SeriesStatus, validBuckets: Int, overall: Estimate?, expected: [Estimate?],
    p: Double? = nil, q: Double? = nil
  ) {
    self.status = status
    self.validBuckets = validBuckets
    self.overall = overall
    self.expected = expected
    self.p = p
    self.q = q
  }
}

public enum FindingType: String, Sendable {
  /// A slow monotone movement over the whole history.
  case trend
  /// A lasting new level from one bucket on.
  case shift
  /// One bucket above what was expected.
  case spike
  /// One bucket below what was expected.
  case dip
  /// Several neighbouring buckets on the same side, and then back to where it was.
  case burst
  /// Several neighbouring buckets on the same side up to the last one that is compared: a new level, if it
  /// lasts. Too few of them for a shift.
  case unconfirmedLevel = "level_change_unconfirmed"
  /// The days of the week differ in another way than before.
  case seasonBreak = "season_break"
  /// The second half of a history that is too short for more lies off the first.
  case windowChange = "window_change"
  /// A run of buckets that no data covers (said, not tested).
  case dataMissing = "data_missing"
  /// The last bucket is not complete and is compared with nothing (said, not tested).
  case openBucket = "open_bucket"

  /// Whether it was tested: the others only say what the data is like.
  public var isTested: Bool { self != .dataMissing && self != .openBucket }
}

public enum FindingDirection: String, Sendable { case up, down }

/// How loudly a finding speaks; from materiality and the lower bound of its impact.
public enum FindingLevel: Int, Sendable, Comparable, CaseIterable {
  case notice, warning, critical

  public static func < (a: FindingLevel, b: FindingLevel) -> Bool { a.rawValue < b.rawValue }
  public var name: String { ["notice", "warning", "critical"][rawValue] }
}

/// One change that a person should see.
public struct TrendFinding: Sendable {
  /// Index into ``TrendReport/series``.
  public var series: Int
  public var type: FindingType
  public var direction: FindingDirection
  /// The bucket where it begins (shift, burst), happened (spike, dip), or the first bucket (trend).
  public var anchor: Int
  /// 95 % interval of ``anchor``; equal to it where the place is exact.
  public var anchorLo: Int
  public var anchorHi: Int
  /// First and last bucket concerned, both included.
  public var window: ClosedRange<Int>
  /// Compared buckets inside ``window``.
  public var windowValid: Int
  /// The level expected had nothing changed, over the window; of a trend, its level in the first
  /// two weeks.
  public var baseline: Estimate
  /// The level observed over the window; of a trend, its level in the last two weeks.
  public var observed: Estimate
  /// Events and records observed in the window (count: k = n = records).
  public var k: Double
  public var n: Double
  /// observed - baseline, in the units of the series.
  public var effect: Estimate
  /// observed / baseline - 1.
  public var relative: Double
  /// Sen slope a week in the units of the series; trends only.
  public var slopePerWeek: Estimate?
  /// Events above or below what was expected in the window; for `mean`, `quantile` and `distinct`
  /// the records concerned.
  public var impact: Estimate
  public var test: TestRecord
  public var level: FindingLevel
  /// Large enough to be listed first: see `materialityReason`.
  public var isMaterial: Bool
  public var materialityReason: String
  /// Another description of the same change that the tests also supported ("trend", "shift"), not
  /// reported on its own.
  public var explainedAway: [String]
  /// Of a season break: the weekday that changed most, 0 = Monday; sizes are those of this day.
  public var weekday: Int?
  /// Of a shift: the earlier ones of the same series, the first one first. Baseline and effect are those
  /// of the last change against the level in front of it.
  public var earlier: [EarlierShift]
  /// What it is ranked by among those of its level; see ``TrendReport/findings``.
  public var score = 0.0
  /// What the series was taken for when it was tested; `nil` where nothing was.
  public var model: FindingModel?

  public init(
    series: Int, type: FindingType, direction: FindingDirection, anchor: Int, anchorLo: Int,
    anchorHi: Int, window: ClosedRange<Int>, windowValid: Int, baseline: Estimate,
    observed: Estimate, k: Double, n: Double, effect: Estimate, relative: Double,
    slopePerWeek: Estimate?, impact: Estimate, test: TestRecord, level: FindingLevel,
    isMaterial: Bool, materialityReason: String, explainedAway: [String] = [], weekday: Int? = nil,
    earlier: [EarlierShift] = []
  ) {
    self.series = series
    self.type = type
    self.direction = direction
    self.anchor = anchor
    self.anchorLo = anchorLo
    self.anchorHi = anchorHi
    self.window = window
    self.windowValid = windowValid
    self.baseline = baseline
    self.observed = observed
    self.k = k
    self.n = n
    self.effect = effect
    self.relative = relative
    self.slopePerWeek = slopePerWeek
    self.impact = impact
    self.test = test
    self.level = level
    self.isMaterial = isMaterial
    self.materialityReason = materialityReason
    self.explainedAway = explainedAway
    self.weekday = weekday
    self.earlier = earlier
  }
}

/// A step in front of the one that a finding is about.
public struct EarlierShift: Sendable, Equatable {
  /// The bucket that the new level began with.
  public var anchor: Int
  /// Levels before and after, each up to the next step, in the units of the series.
  public var from: Double
  public var to: Double

  public init(anchor: Int, from: Double, to: Double) {
    self.anchor = anchor
    self.from = from
    self.to = to
  }
}

/// Why a finding is believed: the test and the corrections it passed.
public struct TestRecord: Sendable {
  /// "betabinomial", "negbinomial", "poisson", "binomial", "student_t", "log_normal", "mann_kendall",
  /// "shift_scan", "two_steps", "weighted_line" (a trend told from blocks of seven days), "weekday_contrasts",
  /// "halves", "coverage".
  public var name: String
  public var statistic: Double
  /// p of this test, after the correction for the buckets of the series.
  public var p: Double
  /// Simes p of the series.
  public var pFamily: Double
  /// Adjusted p after the correction over all series.
  public var q: Double
  /// Series tested in the report, and how many of them were selected.
  public var families: Int
  public var selected: Int
  /// Lag-1 autocorrelation used, and the variance inflation from it.
  public var phi: Double
  public var varianceInflation: Double
  /// Over-dispersion beyond sampling noise: process variance on the scale of the test.
  public var tau2: Double
  /// Effective number of buckets, or of blocks of seven days where those were tested.
  public var effectiveBuckets: Double

  public init(
    name: String, statistic: Double, p: Double, pFamily: Double = 1, q: Double = 1,
    families: Int = 0, selected: Int = 0, phi: Double = 0, varianceInflation: Double = 1,
    tau2: Double = 0, effectiveBuckets: Double = 0
  ) {
    self.name = name
    self.statistic = statistic
    self.p = p
    self.pFamily = pFamily
    self.q = q
    self.families = families
    self.selected = selected
    self.phi = phi
    self.varianceInflation = varianceInflation
    self.tau2 = tau2
    self.effectiveBuckets = effectiveBuckets
  }
}

/// Everything one report says: every series, its verdict, and the findings in the order to read them.
public struct TrendReport: Sendable {
  public var series: [TrendSeries]
  /// One for each series.
  public var verdicts: [SeriesVerdict]
  /// Material ones first, the loudest level first, then by the end of the impact interval nearest to
  /// zero times the severity of the metric, largest first.
  public var findings: [TrendFinding]

  public init(series: [TrendSeries], verdicts: [SeriesVerdict], findings: [TrendFinding]) {
    self.series = series
    self.verdicts = verdicts
    self.findings = findings
  }
}

/// The knobs of the analysis; the defaults are for everything.
public struct TrendSettings: Sendable {
  /// False discovery rate over all series of the report.
  public var falseDiscoveryRate = 0.05
  /// Whether nothing is supposed of how the tests depend on each other.
  public var isArbitrary = false
  /// Compared buckets before trend and shift are tested.
  public var minHistory = 14
  /// Shortest side of a shift, in buckets.
  public var minSegment = 7
  /// Smallest relative change, rate difference and number of events that counts as material.
  public var materialRelative = 0.10
  public var materialRateDifference = 0.01
  public var materialEvents = 50.0

  public init() {}
}
