import Glibc

/// How the days of the week differ, on the scale of a ``ComparedSeries``; either all along, or in one way
/// before a bucket and in another from it on.
struct WeekdayProfile: Sendable {
  /// Offset of each weekday after shrinking, Monday first; mean about 0.
  var offset = [Double](repeating: 0, count: 7)
  /// The same from bucket number ``from`` on.
  private(set) var later: [Double]?
  private(set) var from: Int?
  /// 0 (no profile believed) to 1.
  var shrink = 0.0
  /// Shrinking of what changed.
  private var laterShrink = 0.0
  private(set) var parts: Parts?

  /// What the offsets are means of. A group is a weekday, plus 7 in the later part.
  struct Parts: Sendable {
    var group: [Int]
    /// Means before shrinking, and how many buckets each is of.
    var raw: [Double]
    var days: [Double]
    /// Values less ``trend``.
    var residual: [Double]
    /// Whether it lies near enough to its group to have a say.
    var isIn: [Bool]
    /// 15-bucket running median of the values without their weekday, along a resistant line: at the ends
    /// of a steep one the median alone would be a few days behind.
    var trend: [Double]
  }

  /// No profile.
  init() {}

  /// Means of the residuals from a 15-day running median, without those beyond 3.5 standard deviations
  /// from the median of their weekday, three times over so that the running median sees days without
  /// their weekday; then shrunk by empirical Bayes:
  /// tau^2 / (tau^2 + 7 sigma^2 / n) with tau^2 = var(profile) - 7 sigma^2 / n, at least 0.
  ///
  /// - Parameter from: number of the first bucket of the later part, if there is one. What changed is
  ///   shrunk in the same way.
  init(_ series: ComparedSeries, from: Int? = nil) {
    guard series.count >= 14, series.weekday.count == series.count else { return }
    let fit = Parts(series, from: from)
    let used = (0..<7).filter { fit.days[$0] > 0 }
    guard used.count >= 2 else { return }
    let n = fit.isIn.count { $0 }
    let groups = fit.days.count { $0 > 0 }
    var (sum, square) = (0.0, 0.0)
    for i in fit.isIn.indices where fit.isIn[i] {
      let r = fit.residual[i] - fit.raw[fit.group[i]]
      sum += r
      square += r * r
    }
    let spread = max(0, square / Double(n) - sum * sum / Double(n) / Double(n))
    let noise = spread * Double(n) / Double(max(1, n - groups))
    func factor(_ values: [Double], _ counts: [Double]) -> Double {
      let m = Double(values.count)
      guard values.count >= 2 else { return 0 }
      let error = noise * counts.reduce(0) { $0 + 1 / $1 } / m
      let between = values.reduce(0) { $0 + $1 * $1 } / (m - 1)
      let tau2 = max(0, between - error)
      return tau2 + error > 0 ? tau2 / (tau2 + error) : 0
    }
    shrink = factor(used.map { fit.raw[$0] }, used.map { fit.days[$0] })
    offset = (0..<7).map { shrink * fit.raw[$0] }
    if let from {
      let moved = used.filter { fit.days[7 + $0] > 0 }
      laterShrink = factor(
        moved.map { fit.raw[7 + $0] - fit.raw[$0] },
        moved.map { 1 / (1 / fit.days[$0] + 1 / fit.days[7 + $0]) })
      var offsets = offset
      for d in moved { offsets[d] += laterShrink * (fit.raw[7 + d] - fit.raw[d]) }
      later = offsets
      self.from = from
    }
    parts = fit
  }

  /// Offset of compared bucket i.
  func at(_ i: Int, _ series: ComparedSeries) -> Double {
    guard !series.weekday.isEmpty else { return 0 }
    if let later, let from, series.index[i] >= from { return later[series.weekday[i]] }
    return offset[series.weekday[i]]
  }

  /// The same without bucket i itself, which must not excuse itself by its own weekday.
  func without(_ i: Int, _ series: ComparedSeries) -> Double {
    guard let parts, shrink > 0 || laterShrink > 0 else { return 0 }
    let group = parts.group[i]
    guard parts.isIn[i] else { return at(i, series) }
    guard parts.days[group] > 1 else { return 0 }
    let own = (parts.residual[i] - parts.raw[group]) / (parts.days[group] - 1)
    return at(i, series) - (group >= 7 ? laterShrink : shrink) * own
  }

  /// Offset of any bucket of the series by its number; with `isUnchanged` as it was before the change.
  func ofBucket(_ number: Int, firstWeekday: Int?, isUnchanged: Bool = false) -> Double {
    guard let first = firstWeekday else { return 0 }
    let weekday = (first + number) % 7
    if !isUnchanged, let later, let from, number >= from { return later[weekday] }
    return offset[weekday]
  }

  /// Parameters it has used up.
  var parameters: Double { 6 * (shrink + laterShrink) }
}

extension WeekdayProfile.Parts {
  init(_ series: ComparedSeries, from: Int?) {
    let n = series.count
    let groups = from == nil ? 7 : 14
    group = (0..<n).map { i in
      series.weekday[i] + (from.map { series.index[i] >= $0 ? 7 : 0 } ?? 0)
    }
    raw = [Double](repeating: 0, count: groups)
    days = raw
    residual = []
    trend = []
    isIn = [Bool](repeating: true, count: n)
    let places = series.index.map(Double.init)
    let slope = resistantSlope(series.y, places)
    let line = places.map { slope * $0 }
    for _ in 0..<3 {
      trend = runningMedian(
        (0..<n).map { series.y[$0] - raw[group[$0]] - line[$0] }, width: 15)
      for i in 0..<n { trend[i] += line[i] }
      var members = [[Double]](repeating: [], count: groups)
      for i in 0..<n { members[group[i]].append(series.y[i] - trend[i]) }
      let middle = members.map { Robust.median($0) ?? 0 }
      residual = (0..<n).map { series.y[$0] - trend[$0] }
      let spread = (0..<n).map { abs(residual[$0] - middle[group[$0]]) }
      // The one that is the median itself says nothing of the spread.
      let scale = (Robust.median(spread.filter { $0 > 0 }) ?? 0) / Robust.madOfNormal
      days = [Double](repeating: 0, count: groups)
      var mean = days
      for i in 0..<n {
        isIn[i] = spread[i] <= 3.5 * scale
        if isIn[i] {
          days[group[i]] += 1
          mean[group[i]] += residual[i]
        }
      }
      for g in 0..<groups where days[g] > 0 { mean[g] /= days[g] }
      for part in stride(from: 0, to: groups, by: 7) {
        let used = (part..<(part + 7)).filter { days[$0] > 0 }
        guard !used.isEmpty else { continue }
        let centre = used.reduce(0) { $0 + mean[$1] } / Double(used.count)
        for g in used { raw[g] = mean[g] - centre }
      }
    }
    if (0..<7).count(where: { days[$0] > 0 }) < 2 { raw = [Double](repeating: 0, count: groups) }
  }
}
