import WeirStatistics

/// The picture of one finding: what was observed over what was expected.
///
/// The line is never drawn across a gap; the band is what single buckets would have shown had
/// nothing changed, so it goes on below or above a change.
struct ReportChart {
  var model: ReportModel
  var series: ReportSeries
  var finding: ReportFinding
  let scale: ReportScale

  static let width = 1080.0
  let left = 66.0
  let right = 1068.0
  let top = 46.0
  let bottom = 276.0
  let barTop = 290.0
  let barBottom = 326.0

  init(_ model: ReportModel, _ finding: ReportFinding) {
    self.model = model
    self.finding = finding
    series = model.series(of: finding)
    scale = ReportChart.scale(series)
  }

  var hasBars: Bool { series.unit.kind != .count }
  var base: Double { hasBars ? barBottom : bottom }
  var count: Int { series.values.count }
  var step: Double { (right - left) / Double(max(count, 1)) }

  /// Middle of a bucket.
  func x(_ bucket: Int) -> Double { left + (Double(bucket) + 0.5) * step }
  /// Where a bucket begins.
  func edge(_ bucket: Int) -> Double { left + Double(bucket) * step }

  func y(_ value: Double) -> Double {
    let share = (min(max(value, scale.lo), scale.hi) - scale.lo) / (scale.hi - scale.lo)
    return bottom - share * (bottom - top)
  }

  /// Compared values and what was expected count in full; the open bucket does not, and a band does
  /// only up to half as much again as what it surrounds.
  private static func scale(_ series: ReportSeries) -> ReportScale {
    var lo: Double?
    var hi: Double?
    func take(_ value: Double) {
      lo = min(lo ?? value, value)
      hi = max(hi ?? value, value)
    }
    for t in series.values.indices {
      if series.isCompared(t), let value = series.values[t] { take(value) }
      if let e = series.expected[t] { take(e.value) }
    }
    guard let least = lo, let most = hi else {
      return ReportScale(least: 0, most: 1, limit: nil)
    }
    let room = max(most - least, abs(most) * 0.05) * 0.5
    for e in series.expected.compactMap({ $0 }) {
      take(max(e.lo, least - room))
      take(min(e.hi, most + room))
    }
    let isNonNegative = series.unit.kind != .mean && series.unit.kind != .quantile
    return ReportScale(
      least: isNonNegative ? max(0, lo ?? 0) : lo ?? 0, most: hi ?? 1,
      limit: series.unit.kind == .rate ? 1 : nil)
  }

  func markup() -> ReportMarkup {
    let height = base + 26
    return """
      <div class=chart><svg viewBox="0 0 \(at: Self.width) \(at: height)" role=img \
      aria-labelledby="\(value: finding.anchor)-t \(value: finding.anchor)-d">\
      <title id="\(value: finding.anchor)-t">\(value: finding.text.headline)</title>\
      <desc id="\(value: finding.anchor)-d">\(value: description)</desc>\
      \(weekends())\(grid())\(masks())\(band())\(place())\(expectation())\(levels())\(line())\
      \(points())\(noted())\(changeLine())\(openBuckets())\(bars())\(dates())\(labels())</svg></div>
      """
  }

  var description: String {
    let values = series.values.indices.compactMap {
      series.isCompared($0) ? series.values[$0] : nil
    }
    guard let lo = values.min(), let hi = values.max() else {
      return "No value could be compared."
    }
    return "\(reportTitle(series.metric)) of \(series.group) by \(model.bucketWord), "
      + "\(model.date(0)) to \(model.date(count - 1)): "
      + "between \(series.unit.level(lo)) and \(series.unit.level(hi))."
  }

  /// The line under the chart: what its signs mean.
  var legend: String {
    var words = ["Line: observed."]
    if series.expected.contains(where: { $0 != nil }) {
      words.append("Band and dots: expected had nothing changed (95\u{A0}%). ▲ ▼: outside.")
    }
    switch finding.what.type {
    case .shift, .windowChange: words.append("Dashes: level before and after.")
    case .burst: words.append("Dashes: level while it lasted.")
    case .unconfirmedLevel: words.append("Dashes: level since then.")
    case .trend: words.append("Dashes: fitted trend.")
    case .seasonBreak: words.append("Dots: as the weekdays were before.")
    case .spike, .dip, .dataMissing, .openBucket: break
    }
    if finding.what.type == .shift && finding.place.count > 1 {
      words.append("Shaded: where the change lies (95\u{A0}%).")
    }
    if !notes.isEmpty { words.append("Dotted upright: something noted.") }
    if hasBars { words.append("Bars: \(model.page.recordNoun) a \(model.bucketWord).") }
    if model.page.bucketDays == 1 { words.append("Grey: weekends.") }
    if series.states.contains(where: { $0 == .missing || $0 == .open || $0 == .partial }) {
      words.append("Hatched: not compared.")
    }
    if scale.lo > 0 { words.append("The axis does not begin at 0.") }
    return words.joined(separator: " ")
  }

  /// Neighbouring buckets for which `holds` is true.
  func runs(_ holds: (Int) -> Bool) -> [ClosedRange<Int>] {
    var found: [ClosedRange<Int>] = []
    for t in 0..<count where holds(t) {
      if let last = found.last, last.upperBound == t - 1 {
        found[found.count - 1] = last.lowerBound...t
      } else {
        found.append(t...t)
      }
    }
    return found
  }
}
