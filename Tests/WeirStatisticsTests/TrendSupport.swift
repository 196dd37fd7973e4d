import WeirStatistics

/// Series for the tests of the trend analysis.
enum Make {
  static func count(
    _ k: [Double?], key: [String?] = ["DE", "spam"], complete: [Bool]? = nil,
    hours: [Double]? = nil, firstWeekday: Int? = 0
  ) -> TrendSeries {
    let buckets = k.indices.map { i -> TrendBucket in
      guard let value = k[i] else { return TrendBucket(state: .missing) }
      return TrendBucket(
        state: complete?[i] ?? true ? (value == 0 ? .zero : .closed) : .open, n: value, k: value,
        exposure: (hours?[i] ?? 24) / 24)
    }
    return TrendSeries(
      key: key, metric: "volume", kind: .count, buckets: buckets, firstWeekday: firstWeekday)
  }

  static func rate(
    _ k: [Double?], of n: [Double], key: [String?] = ["DE", "spam"], complete: [Bool]? = nil
  ) -> TrendSeries {
    let buckets = k.indices.map { i -> TrendBucket in
      guard let value = k[i] else { return TrendBucket(state: .missing) }
      return TrendBucket(state: complete?[i] ?? true ? .closed : .open, n: n[i], k: value)
    }
    return TrendSeries(
      key: key, metric: "violation_rate", kind: .rate, buckets: buckets, firstWeekday: 0)
  }

  static func value(_ v: [Double], variance: Double, n: Double = 100) -> TrendSeries {
    TrendSeries(
      key: ["DE", "spam"], metric: "handle_time", kind: .mean,
      buckets: v.map { TrendBucket(state: .closed, n: n, value: $0, variance: variance) },
      firstWeekday: 0)
  }
}

extension TestRandom {
  /// A Poisson count: by multiplication below 30, by a rounded normal above.
  mutating func poisson(_ mean: Double) -> Double {
    if mean > 30 {
      return max(0, (mean + mean.squareRoot() * normal()).rounded())
    }
    var product = uniform()
    var k = 0.0
    let limit = Normal.density(0) == 0 ? 0 : exponential(-mean)
    while product > limit {
      product *= uniform()
      k += 1
    }
    return k
  }

  mutating func binomial(_ n: Double, _ p: Double) -> Double {
    var k = 0.0
    for _ in 0..<Int(n) where uniform() < p { k += 1 }
    return k
  }

  func exponential(_ x: Double) -> Double {
    var (term, sum) = (1.0, 1.0)
    let half = x / 64
    for i in 1..<20 {
      term *= half / Double(i)
      sum += term
    }
    for _ in 0..<6 { sum *= sum }
    return sum
  }

  /// Log-normal daily counts with weekdays, AR(1) noise of deviation `sd`.
  mutating func daily(
    _ days: Int, mean: Double, week: [Double], phi: Double = 0, sd: Double = 0.05
  ) -> [Double] {
    var e = sd * normal() / (1 - phi * phi).squareRoot()
    return (0..<days).map { t in
      if t > 0 { e = phi * e + sd * normal() }
      return poisson(mean * week[t % 7] * exponential(e))
    }
  }
}

func findings(_ series: [TrendSeries]) -> [TrendFinding] {
  analyze(series, settings: TrendSettings()).findings
}

/// No NaN or infinity in anything a report says, and every interval holds its value.
func isSound(_ report: TrendReport) -> Bool {
  func holds(_ e: Estimate) -> Bool {
    let slack = 1e-9 * abs(e.value)
    return e.value.isFinite && e.lo.isFinite && e.hi.isFinite && e.lo <= e.value + slack
      && e.hi >= e.value - slack
  }
  return report.findings.allSatisfy {
    holds($0.baseline) && holds($0.observed) && holds($0.effect) && holds($0.impact)
      && $0.relative.isFinite && $0.test.p > 0 && $0.test.p <= 1 && $0.test.q <= 1
      && $0.anchorLo <= $0.anchor && $0.anchor <= $0.anchorHi && $0.test.statistic.isFinite
      && ($0.slopePerWeek.map(holds) ?? true)
  }
    && report.verdicts.allSatisfy {
      $0.expected.allSatisfy { $0.map(holds) ?? true } && ($0.overall.map(holds) ?? true)
        && ($0.p.map { $0 > 0 && $0 <= 1 } ?? true)
    }
}
