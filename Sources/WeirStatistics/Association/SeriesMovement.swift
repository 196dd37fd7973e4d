import Glibc

/// How a series moves from bucket to bucket, without what it does anyway: its weekday, its own level of
/// the weeks around, and its memory. What is left of two series can be correlated; two weekday patterns,
/// two slow drifts or two smooth series always can (G. Yule 1926).
///
/// Values on the scale of a ``ComparedSeries`` less the ``WeekdayProfile``, a running median of up to
/// 29 buckets and, from 84 days on, for each weekday a running median of nine weeks (a timetable that both
/// change in spring would else make a Saturday of one follow a Sunday of the other), over the standard deviation that sampling and process noise give the bucket; filtered by
/// the AR(1) of what comes out; then as normal scores, so that one loud day makes no correlation.
/// O(n log n).
public struct SeriesMovement: Sendable {
  /// `ok`, or why it can be correlated with nothing.
  public let status: SeriesStatus
  /// Buckets compared.
  public let validBuckets: Int
  /// Lag-one coefficient that was filtered out, corrected for its bias.
  public let phi: Double
  /// One for each bucket of the series, NaN where it or the one before is not compared.
  let scores: [Double]
  /// Autocorrelations of ``scores`` at 1 ... ``memory`` buckets: what the filter left.
  let left: [Double]
  /// Parameters that weekdays and level have used up.
  let spent: Double

  /// Lags over which what the filter left is counted: three weeks, for weekdays that changed on the way.
  static let memory = 21
  /// Weeks in which a weekday may differ from its own usual, and days from which on it is asked.
  private static let season = 9
  private static let fewestForSeason = 84
  private static let widest = 29
  private static let narrowest = 7

  /// - Parameter fewest: compared buckets below which nothing is said; at least 14.
  public init(_ series: TrendSeries, fewest: Int) {
    let s = ComparedSeries(series)
    let n = s.count
    validBuckets = n
    let silent: SeriesStatus?
    if n < max(14, fewest) {
      silent = .insufficientHistory
    } else if let status = unvarying(s) {
      silent = status
    } else {
      silent = s.size < SeriesAnalysis.smallestSize ? .insufficientVolume : nil
    }
    guard silent == nil else {
      status = silent ?? .ok
      (phi, scores, left, spent) = (0, [], [], 0)
      return
    }
    let profile = WeekdayProfile(s)
    let plain = (0..<n).map { s.y[$0] - profile.at($0, s) }
    let width = min(Self.widest, max(Self.narrowest, n / 3 | 1))
    let level = runningMedian(plain, width: width)
    var rest = (0..<n).map { plain[$0] - level[$0] }
    let isMoving = n >= Self.fewestForSeason && !s.weekday.isEmpty
    if isMoving { Self.removeWeekdays(&rest, s.weekday) }
    let sampling = (0..<n).map { s.samplingVariance($0, level: level[$0] + profile.at($0, s)) }
    let process = Dispersion.robust(rest, sampling)
    var moves = [Double](repeating: .nan, count: series.buckets.count)
    for i in 0..<n {
      let scale = max(sampling[i] + process, 1e-300).squareRoot()
      moves[s.index[i]] = min(4, max(-4, rest[i] / scale))
    }
    let m = Double(n)
    // Kendall (1954): the coefficient of n values is too small by (1 + 3 phi) / n.
    let raw = CrossCorrelation.lagOne(moves)
    phi = min(0.9, max(-0.5, (m * raw + 1) / (m - 3)))
    var innovations = [Double](repeating: .nan, count: moves.count)
    for t in moves.indices.dropFirst() { innovations[t] = moves[t] - phi * moves[t - 1] }
    let scores = normalScores(innovations)
    self.scores = scores
    left = (1...Self.memory).map { lag in
      productMoment(scores, scores, lag: lag)?.r ?? 0
    }
    spent =
      profile.parameters + m / Double(width) + (isMoving ? m / Double(Self.season) : 0)
    status = scores.contains { !$0.isNaN } ? .ok : .constant
  }
}

extension SeriesMovement {
  /// Takes out what each weekday differs by in the weeks around.
  private static func removeWeekdays(_ rest: inout [Double], _ weekday: [Int]) {
    for d in 0..<7 {
      let mine = rest.indices.filter { weekday[$0] == d }
      let local = runningMedian(mine.map { rest[$0] }, width: season)
      for (place, i) in mine.enumerated() { rest[i] -= local[place] }
    }
  }
}

/// Phi^-1((rank - 1/2) / n) of what is no NaN (van der Waerden's scores).
func normalScores(_ x: [Double]) -> [Double] {
  let present = x.indices.filter { !x[$0].isNaN }
  let ranks = averageRanks(present.map { x[$0] })
  var scores = [Double](repeating: .nan, count: x.count)
  for (at, rank) in zip(present, ranks) {
    scores[at] = Normal.quantile((rank - 0.5) / Double(present.count))
  }
  return scores
}

/// Correlation of x_t with y_{t + lag} over the pairs that are there, and their number; `nil` for fewer
/// than three or where one side does not vary. O(n).
func productMoment(_ x: [Double], _ y: [Double], lag: Int) -> (r: Double, n: Double)? {
  let from = max(0, -lag)
  let to = min(x.count, y.count - lag)
  guard from < to else { return nil }
  var (n, sx, sy, xx, yy, xy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
  for t in from..<to {
    let (a, b) = (x[t], y[t + lag])
    // A NaN in either makes the product one.
    guard !(a * b).isNaN else { continue }
    n += 1
    sx += a
    sy += b
    xx += a * a
    yy += b * b
    xy += a * b
  }
  guard n >= 3 else { return nil }
  let (vx, vy) = (xx - sx * sx / n, yy - sy * sy / n)
  guard vx > 1e-9 * n, vy > 1e-9 * n else { return nil }
  return (max(-1, min(1, (xy - sx * sy / n) / (vx * vy).squareRoot())), n)
}
