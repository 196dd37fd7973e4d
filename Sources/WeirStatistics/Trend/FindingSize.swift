import Glibc

/// How large a change is: baseline, observed, difference, events, and whether anyone should care.
struct FindingSize {
  var baseline: Estimate
  var observed: Estimate
  var effect: Estimate
  var relative: Double
  var impact: Estimate
  var k: Double
  var n: Double

  /// Two estimates whose intervals are independent, as a difference (MOVER; Zou and Donner 2008,
  /// Newcombe's method for rates). `buckets` and `records` turn the difference into events.
  init(
    baseline: Estimate, observed: Estimate, kind: MetricKind, k: Double, n: Double,
    buckets: Double
  ) {
    self.baseline = baseline
    self.observed = observed
    self.k = k
    self.n = n
    func root(_ a: Double, _ b: Double) -> Double { (a * a + b * b).squareRoot() }
    let difference = observed.value - baseline.value
    effect = Estimate(
      value: difference,
      lo: difference - root(observed.value - observed.lo, baseline.hi - baseline.value),
      hi: difference + root(observed.hi - observed.value, baseline.value - baseline.lo))
    relative = baseline.value != 0 ? difference / abs(baseline.value) : (difference > 0 ? 1 : 0)
    switch kind {
    case .count: impact = effect.scaled(by: buckets)
    case .rate: impact = effect.scaled(by: n)
    case .mean, .quantile, .distinct: impact = Estimate(value: n, lo: n, hi: n)
    }
  }

  /// End of the impact interval nearest to zero; 0 where the interval holds zero.
  static func nearest(_ e: Estimate) -> Double {
    if e.lo > 0 { return e.lo }
    if e.hi < 0 { return -e.hi }
    return 0
  }

  /// Materiality and level.
  ///
  /// Not material: less than 10 % of the baseline; or, of a rate, less than one point and fewer than
  /// 50 events; of anything else, fewer than 50 events (records); or the effect's interval holds zero. A material finding is a warning; it
  /// is critical where the end of the impact interval nearest to zero is still 50 events, and the end
  /// of the effect's interval nearest to zero is still half of the baseline or ten points of a rate.
  func judge(
    _ kind: MetricKind, _ settings: TrendSettings
  ) -> (isMaterial: Bool, reason: String, level: FindingLevel) {
    let events = abs(impact.value)
    let few = events < settings.materialEvents
    if abs(relative) < settings.materialRelative {
      return (false, "less than \(percent(settings.materialRelative)) of the baseline", .notice)
    }
    if kind == .rate {
      if few, abs(effect.value) < settings.materialRateDifference {
        return (
          false,
          "less than \(percent(settings.materialRateDifference)) of the records and fewer than "
            + "\(Int(settings.materialEvents)) events", .notice
        )
      }
    } else if few {
      let what = kind == .count ? "events" : "records"
      return (false, "fewer than \(Int(settings.materialEvents)) \(what)", .notice)
    }
    let sure = Self.nearest(effect)
    if sure <= 0 { return (false, "its size is uncertain: the interval holds zero", .notice) }
    let isLarge =
      sure >= 0.5 * abs(baseline.value) || (kind == .rate && sure >= 0.10)
    let isMany = Self.nearest(impact) >= settings.materialEvents
    if isLarge && isMany { return (true, "large and certain", .critical) }
    return (true, "large enough to look at", .warning)
  }

  private func percent(_ share: Double) -> String {
    let tenths = Int((share * 1000).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10) %" : "\(tenths / 10).\(tenths % 10) %"
  }
}

extension Estimate {
  func scaled(by factor: Double) -> Estimate {
    Estimate(value: value * factor, lo: lo * factor, hi: hi * factor)
  }
}
