import Glibc

/// A series described as stretches that each keep a level or follow a line, with steps, bends and both
/// between them, in noise that may be autocorrelated.
public struct LevelsAndLines: Sendable, Equatable {
  public struct Part: Sendable, Equatable {
    /// Positions of the values.
    public var range: Range<Int>
    /// Change of the level for each unit of time; 0 for a level.
    public var slope: Double
    /// Value described at the first and at the last position.
    public var first: Double
    public var last: Double

    public var isLine: Bool { slope != 0 }
  }

  public var parts: [Part]
  /// Lag-1 autocorrelation of the residuals, see ``Autocorrelation/lagOne(_:index:fitted:cap:)``.
  public var autocorrelation: Double
  /// (1 + rho) / (1 - rho) of it.
  public var inflation: Double
  /// Values less their description.
  public var residuals: [Double]
  /// n log(RSS / n + floor) over the parts and their prices: comparable between descriptions of the same
  /// values only.
  public var objective: Double

  /// First positions of the parts after the first one.
  public var changes: [Int] { parts.dropFirst().map(\.range.lowerBound) }
}

extension LevelsAndLines {
  /// What a description costs, in units of log n times the inflation.
  public struct Prices: Sendable, Equatable {
    /// Of each change: a place, a level, and what looking everywhere costs.
    public var change = 3.5
    /// Of a line instead of a level.
    public var slope = 1.5
    /// Least variance that a part is believed to have, in units of the noise between neighbours.
    public var floor = 0.1

    public init() {}
  }

  /// The cheapest description in parts of at least `minSize` values, exactly for the given inflation; it is
  /// estimated from the residuals, and the search repeated until neither moves, at most four times.
  ///
  /// `at` are the places in time (0, 1, ... when `nil`), rising; `weights` the inverse variances up to a
  /// factor, all above 0. `nil` for no values. Each part has its own variance (profiled), so that no
  /// noise level need be known: n log(RSS / n + floor), PELT over ``SegmentCost/profiledLevelOrLine(_:at:weights:floor:slope:)``.
  /// O(n^2), about 0.4 ms for 180 values.
  ///
  /// The prices are one default for all series: on labelled series of one event each the places are as
  /// good as those of the single best step, and on series that drift and bend they are found where a
  /// step search is worse than saying nothing.
  public static func fit(
    _ y: [Double], at times: [Int]? = nil, weights: [Double]? = nil, minSize: Int = 7,
    prices: Prices = Prices()
  ) -> LevelsAndLines? {
    let n = y.count
    guard n > 0 else { return nil }
    let index = times ?? Array(0..<n)
    let search = LevelLineSearch(y, index: index, weights: weights, minSize: minSize)
    let unit = log(Double(max(2, n)))
    var inflation = 1.0
    var found: LevelsAndLines?
    for _ in 0..<4 {
      let next = search.run(
        change: prices.change * unit * inflation, slope: prices.slope * unit * inflation,
        floor: prices.floor)
      let isSettled = next.changes == found?.changes
      found = next
      if isSettled { break }
      inflation = next.inflation
    }
    return found
  }
}

/// The costs of all stretches of one series, made once for searches with several prices.
private final class LevelLineSearch {
  private let y: [Double]
  private let index: [Int]
  private let times: [Double]
  private let weights: [Double]
  private let minSize: Int
  private let squares: LineCost
  private var table: StretchTable?
  private var tableFloor = -1.0

  init(_ y: [Double], index: [Int], weights: [Double]?, minSize: Int) {
    self.y = y
    self.index = index
    self.minSize = minSize
    times = index.map(Double.init)
    let plain = weights ?? [Double](repeating: 1, count: y.count)
    let noise = Self.noise(y, plain)
    // Residuals in units of the noise between neighbours.
    self.weights = noise > 0 ? plain.map { $0 / noise } : plain
    squares = LineCost(y, at: times, weights: self.weights)
  }

  /// Variance of a value from the steps between neighbours, robustly; from all steps where most are 0.
  private static func noise(_ y: [Double], _ w: [Double]) -> Double {
    guard y.count > 1 else { return 0 }
    let steps = (1..<y.count).map { (y[$0] - y[$0 - 1]) * w[$0].squareRoot() }
    let typical = (Robust.median(steps.map { abs($0) }) ?? 0) / Robust.madOfNormal
    if typical > 0 { return typical * typical / 2 }
    return steps.reduce(0) { $0 + $1 * $1 } / Double(2 * steps.count)
  }

  func run(change: Double, slope: Double, floor: Double) -> LevelsAndLines {
    let cuts: Segments
    if y.count <= StretchTable.most {
      if tableFloor != floor {
        table = StretchTable(squares, floor: floor, minSize: minSize)
        tableFloor = floor
      }
      guard var table else {
        return description(Segments(ends: [y.count], objective: 0), slope, floor)
      }
      table.slope = slope
      cuts = Pelt(penalty: change, minSize: minSize).run(table)
    } else {
      cuts = Pelt(penalty: change, minSize: minSize).run(
        ProfiledLevelOrLineCost(squares: squares, floor: floor, slope: slope))
    }
    return description(cuts, slope, floor)
  }

  private func description(_ cuts: Segments, _ slope: Double, _ floor: Double) -> LevelsAndLines {
    var result = LevelsAndLines(
      parts: [], autocorrelation: 0, inflation: 1, residuals: [], objective: cuts.objective)
    var start = 0
    var fitted = 0.0
    for end in cuts.ends {
      let range = start..<end
      let n = Double(range.count)
      let (level, line) = squares.levelAndLine(start, end)
      let isLine = n * log(line / n + floor) + slope < n * log(level / n + floor)
      let (middle, height, rise) = fit(range, isLine: isLine)
      for i in range { result.residuals.append(y[i] - height - rise * (times[i] - middle)) }
      result.parts.append(
        LevelsAndLines.Part(
          range: range, slope: rise, first: height + rise * (times[start] - middle),
          last: height + rise * (times[end - 1] - middle)))
      fitted += 2
      start = end
    }
    result.autocorrelation = Autocorrelation.lagOne(
      result.residuals, index: index, fitted: fitted)
    result.inflation = Autocorrelation.inflation(result.autocorrelation)
    return result
  }

  private func fit(
    _ range: Range<Int>, isLine: Bool
  ) -> (middle: Double, height: Double, rise: Double) {
    var (w, t, v) = (0.0, 0.0, 0.0)
    for i in range {
      w += weights[i]
      t += weights[i] * times[i]
      v += weights[i] * y[i]
    }
    guard w > 0 else { return (0, 0, 0) }
    let (middle, height) = (t / w, v / w)
    guard isLine else { return (middle, height, 0) }
    var (square, cross) = (0.0, 0.0)
    for i in range {
      let d = times[i] - middle
      square += weights[i] * d * d
      cross += weights[i] * d * (y[i] - height)
    }
    return (middle, height, square > 0 ? cross / square : 0)
  }
}

/// Costs of the level and the line of every stretch, to be compared for several prices.
private struct StretchTable: StretchCost {
  /// Values for which the table, 8 n^2 bytes, is made.
  static let most = 1024

  let count: Int
  var slope = 0.0
  var priceOfCut: Double { slope }
  private let levels: [Double]
  private let lines: [Double]

  init(_ squares: LineCost, floor: Double, minSize: Int) {
    let n = squares.count
    count = n
    var levels = [Double](repeating: 0, count: n * (n + 1) / 2)
    var lines = levels
    levels.withUnsafeMutableBufferPointer { levels in
      lines.withUnsafeMutableBufferPointer { lines in
        for end in stride(from: 1, through: n, by: 1) {
          let row = end * (end - 1) / 2
          // The first stretch may be shorter than the least when the whole series is.
          let last = max(0, end - max(1, minSize))
          for start in 0...last {
            let size = Double(end - start)
            let (level, line) = squares.levelAndLine(start, end)
            levels[row + start] = size * log(level / size + floor)
            lines[row + start] = size * log(line / size + floor)
          }
        }
      }
    }
    self.levels = levels
    self.lines = lines
  }

  @inline(__always)
  func cost(_ start: Int, _ end: Int) -> Double {
    let place = end &* (end &- 1) / 2 &+ start
    return min(levels[place], lines[place] + slope)
  }
}
