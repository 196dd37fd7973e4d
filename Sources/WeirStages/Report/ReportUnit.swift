import WeirStatistics

/// How the values of one kind of metric are written.
struct ReportUnit {
  var kind: MetricKind

  /// One value: `13.6 %`, `504`.
  func level(_ value: Double) -> String {
    switch kind {
    case .rate: ReportNumber.percent(value)
    case .count, .distinct, .mean, .quantile: ReportNumber.plain(value)
    }
  }

  /// An interval, the unit said once: `7.9 to 8.5 %`.
  func interval(_ estimate: Estimate) -> String {
    let (lo, hi) = (estimate.lo, estimate.hi)
    guard kind == .rate else {
      let digits = ReportNumber.decimals(max(abs(lo), abs(hi)), significant: 3)
      return join(ReportNumber.fixed(lo, digits), ReportNumber.fixed(hi, digits))
    }
    let digits = shared(lo, hi)
    return join(ReportNumber.fixed(100 * lo, digits), ReportNumber.fixed(100 * hi, digits))
      + "\u{A0}%"
  }

  /// A difference of two values: `+5.4 pp`, `−256`.
  func change(_ value: Double) -> String {
    guard kind == .rate else {
      return ReportNumber.signed(value, ReportNumber.decimals(value, significant: 3))
    }
    return ReportNumber.signed(100 * value, ReportNumber.percentDecimals(100 * value))
      + "\u{A0}pp"
  }

  /// The interval of a difference: `+5.0 to +5.9 pp`.
  func changeInterval(_ estimate: Estimate) -> String {
    let (lo, hi) = (estimate.lo, estimate.hi)
    guard kind == .rate else {
      let digits = ReportNumber.decimals(max(abs(lo), abs(hi)), significant: 3)
      return join(ReportNumber.signed(lo, digits), ReportNumber.signed(hi, digits))
    }
    let digits = shared(lo, hi)
    return join(ReportNumber.signed(100 * lo, digits), ReportNumber.signed(100 * hi, digits))
      + "\u{A0}pp"
  }

  /// Whether the impact counts events above or below the expected, or merely records concerned.
  var impactHasSign: Bool { kind == .count || kind == .rate }

  func impact(_ value: Double) -> String {
    impactHasSign ? ReportNumber.signed(value, 0) : ReportNumber.fixed(value, 0)
  }

  func impactInterval(_ estimate: Estimate) -> String {
    join(impact(estimate.lo), impact(estimate.hi))
  }

  private func join(_ lo: String, _ hi: String) -> String { "\(lo) to \(hi)" }

  private func shared(_ lo: Double, _ hi: Double) -> Int {
    ReportNumber.percentDecimals(100 * max(abs(lo), abs(hi)))
  }
}
