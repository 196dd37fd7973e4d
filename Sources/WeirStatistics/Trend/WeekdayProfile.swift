/// How the days of the week differ, on the scale of a ``ComparedSeries``.
struct WeekdayProfile: Sendable {
  /// Offset of each weekday after shrinking, Monday first; mean about 0.
  var offset = [Double](repeating: 0, count: 7)
  /// 0 (no profile believed) to 1.
  var shrink = 0.0
  /// Offsets before shrinking, and the clipped residual and number of days they are means of.
  private var raw = [Double](repeating: 0, count: 7)
  private var residual: [Double] = []
  private var days = [Double](repeating: 0, count: 7)

  /// No profile.
  init() {}

  /// Clipped means of the residuals from a 15-day running median, three times over so that the
  /// median sees days without their weekday; then shrunk by empirical Bayes:
  /// tau^2 / (tau^2 + 7 sigma^2 / n) with tau^2 = var(profile) - 7 sigma^2 / n, at least 0.
  init(_ series: ComparedSeries) {
    let n = series.count
    guard n >= 14, series.weekday.count == n else { return }
    let wd = series.weekday
    for d in wd { days[d] += 1 }
    var trend: [Double] = []
    for _ in 0..<3 {
      trend = runningMedian(series.y.indices.map { series.y[$0] - raw[wd[$0]] }, width: 15)
      var groups = [[Double]](repeating: [], count: 7)
      for i in 0..<n { groups[wd[i]].append(series.y[i] - trend[i]) }
      let middle = groups.map { Robust.median($0) ?? 0 }
      let spread = (0..<n).map { series.y[$0] - trend[$0] - middle[wd[$0]] }
      let scale = max(Robust.normalMAD(spread) ?? 0, 1e-12)
      residual = (0..<n).map { i in
        middle[wd[i]] + min(3 * scale, max(-3 * scale, spread[i]))
      }
      var mean = [Double](repeating: 0, count: 7)
      for i in 0..<n { mean[wd[i]] += residual[i] / days[wd[i]] }
      let used = (0..<7).filter { days[$0] > 0 }
      let centre = used.reduce(0) { $0 + mean[$1] } / Double(used.count)
      for d in used { raw[d] = mean[d] - centre }
    }
    let used = (0..<7).filter { days[$0] > 0 }
    guard used.count >= 2 else {
      raw = [Double](repeating: 0, count: 7)
      return
    }
    var square = 0.0
    for i in 0..<n {
      let r = residual[i] - raw[wd[i]]
      square += r * r
    }
    let mean = (0..<n).reduce(0) { $0 + residual[$1] - raw[wd[$1]] } / Double(n)
    let noise =
      max(0, square / Double(n) - mean * mean) * Double(n) / Double(max(1, n - used.count))
    let error = noise * Double(used.count) / Double(n)
    let between = used.reduce(0) { $0 + raw[$1] * raw[$1] } / Double(used.count - 1)
    let tau2 = max(0, between - error)
    shrink = tau2 + error > 0 ? tau2 / (tau2 + error) : 0
    for d in 0..<7 { offset[d] = shrink * raw[d] }
  }

  /// Offset of compared bucket i.
  func at(_ i: Int, _ series: ComparedSeries) -> Double {
    series.weekday.isEmpty ? 0 : offset[series.weekday[i]]
  }

  /// The same without bucket i itself, which must not excuse itself by its own weekday.
  func without(_ i: Int, _ series: ComparedSeries) -> Double {
    guard shrink > 0 else { return 0 }
    let d = series.weekday[i]
    guard days[d] > 1 else { return 0 }
    let own = (residual[i] - raw[d]) / (days[d] - 1)
    return offset[d] - shrink * own
  }

  /// Offset of any bucket of the series by its number.
  func ofBucket(_ number: Int, firstWeekday: Int?) -> Double {
    guard let first = firstWeekday else { return 0 }
    return offset[(first + number) % 7]
  }

  /// Parameters it has used up.
  var parameters: Double { 6 * shrink }
}
