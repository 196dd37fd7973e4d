/// Mann-Kendall and Sen's slope for series with gaps and with a period.
extension MannKendall {
  /// Median slope over pairs with their true distance in time; intercept = median(x) - slope
  /// median(index). `nil` values are left out. `nil` for fewer than two values.
  public static func senSlope(_ x: [Double?]) -> (slope: Double, intercept: Double)? {
    let present = x.indices.filter { x[$0] != nil }
    var slopes = PairSlopes(x: present.map(Double.init), y: present.compactMap { x[$0] })
    return slopes.median().flatMap { line($0, x, step: 1) }
  }

  /// Sen's slope within the phases of a period, per period (Hirsch, Slack and Smith 1982).
  public static func seasonalSenSlope(
    _ x: [Double?], period: Int
  ) -> (slope: Double, intercept: Double)? {
    var slopes: [Double] = []
    for phase in phases(x, period) { appendSlopes(of: phase, to: &slopes) }
    return Robust.median(slopes).flatMap { line($0, x, step: Double(period)) }
  }

  /// Seasonal test: S and its variance summed over the phases (Hirsch, Slack and Smith 1982).
  public static func seasonal(_ x: [Double?], period: Int) -> MannKendallResult {
    var (s, v, n) = (0.0, 0.0, 0.0)
    for phase in phases(x, period) {
      let values = phase.compactMap { $0 }
      s += score(values)
      v += variance(values)
      n += pairs(values.count)
    }
    return result(s: s, variance: v, pairs: n)
  }

  /// The seasonal test with the covariance between phases (Hirsch and Slack 1984), without
  /// continuity correction. Periods with a missing value are left out. O(period^2 n^2).
  public static func correlatedSeasonal(_ x: [Double?], period: Int) -> MannKendallResult {
    let rows = stride(from: 0, to: x.count, by: period).compactMap { start -> [Double]? in
      guard start + period <= x.count else { return nil }
      let row = x[start..<(start + period)].compactMap { $0 }
      return row.count == period ? row : nil
    }
    let n = rows.count
    let columns = (0..<period).map { c in rows.map { $0[c] } }
    let ranks = columns.map { averageRanks($0) }
    var (s, total) = (0.0, 0.0)
    for i in 0..<period {
      s += score(columns[i])
      for j in 0..<period {
        var concordance = 0.0
        for a in 0..<n {
          for b in (a + 1)..<max(a + 1, n) {
            let product = (columns[i][b] - columns[i][a]) * (columns[j][b] - columns[j][a])
            concordance += product > 0 ? 1 : (product < 0 ? -1 : 0)
          }
        }
        var sum = 0.0
        for a in 0..<n { sum += ranks[i][a] * ranks[j][a] }
        total += (concordance + 4 * sum - Double(n) * Double(n + 1) * Double(n + 1)) / 3
      }
    }
    return result(s: s, variance: total, pairs: Double(period) * pairs(n), continuity: 0)
  }

  private static func phases(_ x: [Double?], _ period: Int) -> [[Double?]] {
    (0..<period).map { phase in stride(from: phase, to: x.count, by: period).map { x[$0] } }
  }

  private static func appendSlopes(of x: [Double?], to slopes: inout [Double]) {
    for j in x.indices {
      guard let b = x[j] else { continue }
      for i in 0..<j {
        guard let a = x[i] else { continue }
        slopes.append((b - a) / Double(j - i))
      }
    }
  }

  private static func line(
    _ slope: Double, _ x: [Double?], step: Double
  ) -> (slope: Double, intercept: Double)? {
    guard let middle = Robust.median(x.compactMap { $0 }),
      let place = Robust.median(x.indices.filter { x[$0] != nil }.map(Double.init))
    else { return nil }
    return (slope, middle - place / step * slope)
  }
}
