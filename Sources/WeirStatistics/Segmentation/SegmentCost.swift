import Glibc

/// What a stretch of a series costs when one model with its own parameters describes it.
///
/// Costs are -2 log likelihood up to a constant, or sums of squares or absolute values where the
/// noise is given: for those the penalty must be in units of its variance (``mean(_:weights:)``,
/// ``line(_:at:weights:)``) or its mean deviation (``absolute(_:)``). Every cost falls, or stays, when a
/// stretch is cut in two, which is what exact pruning needs. Values must be finite.
public enum SegmentCost: Sendable {
  /// One level: sum w (y - mean)^2, "l2". Weights are positive, 1 when `nil`.
  case mean(_ y: [Double], weights: [Double]? = nil)
  /// One level and one variance: n log(variance + floor), with the population variance. The floor
  /// keeps runs of equal values from being free; `ruptures` has 1e-6.
  case normal(_ y: [Double], floor: Double = 1e-6)
  /// One median: sum |y - median|, "l1".
  case absolute(_ y: [Double])
  /// One straight line: its weighted residual sum of squares. `at` are the places in time, 0, 1, ...
  /// when `nil`.
  case line(_ y: [Double], at: [Double]? = nil, weights: [Double]? = nil)
  /// One straight line and one variance: n log(RSS / n + floor); what a series with drifts needs
  /// whose noise is not known. The floor, in squared units of `y`, is the least variance that a
  /// stretch is believed to have: without one, points that happen to lie on a line are free.
  case profiledLine(
    _ y: [Double], at: [Double]? = nil, weights: [Double]? = nil, floor: Double)
  /// One level, or one straight line for `slope` more, and one variance: the cheaper of n log(RSS / n +
  /// floor) of the level and that of the line + `slope`. Steps between levels are cheap and drifts are
  /// not cut into stairs.
  case profiledLevelOrLine(
    _ y: [Double], at: [Double]? = nil, weights: [Double]? = nil, floor: Double, slope: Double)
  /// One Poisson rate of events per exposure: -2 K log(K / E).
  case poisson(events: [Double], exposure: [Double])
  /// One share k of n: -2 (K log(K / N) + (N - K) log(1 - K / N)).
  case binomial(k: [Double], n: [Double])
}

/// A cost of stretches that the algorithms are specialised for.
protocol StretchCost {
  var count: Int { get }
  /// Of the values start ..< end; start < end.
  func cost(_ start: Int, _ end: Int) -> Double
  /// How much more the two parts of a stretch may cost than the whole.
  var priceOfCut: Double { get }
}

extension StretchCost {
  var priceOfCut: Double { 0 }
}

/// What is done with a cost; one method, so that the compiler makes a copy for each kind of cost.
protocol SegmentationAlgorithm {
  associatedtype Answer
  func run<C: StretchCost>(_ cost: C) -> Answer
}

extension SegmentCost {
  func apply<A: SegmentationAlgorithm>(_ algorithm: A) -> A.Answer {
    switch self {
    case .mean(let y, let w): return algorithm.run(MeanCost(y, weights: w))
    case .normal(let y, let floor): return algorithm.run(NormalCost(y, floor: floor))
    case .absolute(let y): return algorithm.run(AbsoluteCost(y))
    case .line(let y, let t, let w): return algorithm.run(LineCost(y, at: t, weights: w))
    case .profiledLine(let y, let t, let w, let floor):
      return algorithm.run(
        ProfiledLineCost(squares: LineCost(y, at: t, weights: w), floor: floor))
    case .profiledLevelOrLine(let y, let t, let w, let floor, let slope):
      return algorithm.run(
        ProfiledLevelOrLineCost(
          squares: LineCost(y, at: t, weights: w), floor: floor, slope: max(0, slope)))
    case .poisson(let events, let exposure):
      return algorithm.run(PoissonCost(events: events, exposure: exposure))
    case .binomial(let k, let n): return algorithm.run(BinomialCost(k: k, n: n))
    }
  }
}

struct MeanCost: StretchCost {
  let count: Int
  private let moments: PrefixMoments

  init(_ y: [Double], weights: [Double]?) {
    count = y.count
    let centre = Robust.median(y) ?? 0
    moments = PrefixMoments(count: y.count, width: 3) { i, term in
      let w = weights?[i] ?? 1
      let d = y[i] - centre
      term[0] = w
      term[1] = w * d
      term[2] = w * d * d
    }
  }

  @inline(__always)
  func cost(_ start: Int, _ end: Int) -> Double {
    let w = moments.sum(0, start, end)
    let b = moments.sum(1, start, end)
    guard w > 0 else { return 0 }
    return max(0, moments.sum(2, start, end) - b * b / w)
  }
}

struct NormalCost: StretchCost {
  let squares: MeanCost
  let floor: Double
  var count: Int { squares.count }

  init(_ y: [Double], floor: Double) {
    squares = MeanCost(y, weights: nil)
    self.floor = floor
  }

  @inline(__always)
  func cost(_ start: Int, _ end: Int) -> Double {
    let n = Double(end &- start)
    return n * log(squares.cost(start, end) / n + floor)
  }
}

struct AbsoluteCost: StretchCost {
  let count: Int
  private let medians: RangeMedian

  init(_ y: [Double]) {
    count = y.count
    medians = RangeMedian(y)
  }

  func cost(_ start: Int, _ end: Int) -> Double { medians.absoluteDeviation(start, end) }
}

struct LineCost: StretchCost {
  let count: Int
  private let moments: PrefixMoments
  /// Of the line that was taken out.
  private let slope: Double

  /// The line through all values is taken out first: it changes no residual of a stretch, and small
  /// residuals on a steep series keep their digits.
  init(_ y: [Double], at times: [Double]?, weights: [Double]?) {
    let n = y.count
    count = n
    let t = times ?? (0..<n).map(Double.init)
    let w = weights ?? [Double](repeating: 1, count: n)
    let middle = n > 0 ? t[n / 2] : 0
    let (level, slope) = Self.line(y, t, w, middle)
    self.slope = slope
    moments = PrefixMoments(count: n, width: 6) { i, term in
      let x = t[i] - middle
      let d = y[i] - level - slope * x
      term[0] = w[i]
      term[1] = w[i] * x
      term[2] = w[i] * d
      term[3] = w[i] * x * x
      term[4] = w[i] * x * d
      term[5] = w[i] * d * d
    }
  }

  /// The weighted least-squares line, with its level at `middle`.
  private static func line(
    _ y: [Double], _ t: [Double], _ w: [Double], _ middle: Double
  ) -> (level: Double, slope: Double) {
    var (sw, st, sy) = (0.0, 0.0, 0.0)
    for i in y.indices {
      sw += w[i]
      st += w[i] * t[i]
      sy += w[i] * y[i]
    }
    guard sw > 0 else { return (0, 0) }
    let (mt, my) = (st / sw, sy / sw)
    var (tt, ty) = (0.0, 0.0)
    for i in y.indices {
      tt += w[i] * (t[i] - mt) * (t[i] - mt)
      ty += w[i] * (t[i] - mt) * (y[i] - my)
    }
    let slope = tt > 0 ? ty / tt : 0
    return (my + slope * (middle - mt), slope)
  }

  @inline(__always)
  func cost(_ start: Int, _ end: Int) -> Double { levelAndLine(start, end).line }

  /// Residual sums of squares of the best level and of the best line.
  @inline(__always)
  func levelAndLine(_ start: Int, _ end: Int) -> (level: Double, line: Double) {
    let w = moments.sum(0, start, end)
    guard w > 0 else { return (0, 0) }
    let x = moments.sum(1, start, end) / w
    let y = moments.sum(2, start, end)
    let xx = max(0, moments.sum(3, start, end) - x * x * w)
    let xy = moments.sum(4, start, end) - x * y
    let yy = max(0, moments.sum(5, start, end) - y * y / w)
    // The overall slope is put back for the level.
    let level = max(0, yy + slope * (2 * xy + slope * xx))
    guard xx > 1e-12 * w else { return (level, yy) }
    return (level, min(level, max(0, yy - xy * xy / xx)))
  }
}

struct ProfiledLineCost: StretchCost {
  let squares: LineCost
  let floor: Double
  var count: Int { squares.count }

  @inline(__always)
  func cost(_ start: Int, _ end: Int) -> Double {
    let n = Double(end &- start)
    return n * log(squares.cost(start, end) / n + floor)
  }
}

struct ProfiledLevelOrLineCost: StretchCost {
  let squares: LineCost
  let floor: Double
  let slope: Double
  var count: Int { squares.count }
  var priceOfCut: Double { slope }

  @inline(__always)
  func cost(_ start: Int, _ end: Int) -> Double {
    let n = Double(end &- start)
    let (level, line) = squares.levelAndLine(start, end)
    return min(n * log(line / n + floor) + slope, n * log(level / n + floor))
  }
}

struct PoissonCost: StretchCost {
  let count: Int
  private let moments: PrefixMoments

  init(events: [Double], exposure: [Double]) {
    count = min(events.count, exposure.count)
    moments = PrefixMoments(count: count, width: 2) { i, term in
      term[0] = events[i]
      term[1] = exposure[i]
    }
  }

  @inline(__always)
  func cost(_ start: Int, _ end: Int) -> Double {
    let k = moments.sum(0, start, end)
    let e = moments.sum(1, start, end)
    guard k > 0, e > 0 else { return 0 }
    return -2 * k * log(k / e)
  }
}

struct BinomialCost: StretchCost {
  let count: Int
  private let moments: PrefixMoments

  init(k: [Double], n: [Double]) {
    count = min(k.count, n.count)
    moments = PrefixMoments(count: count, width: 2) { i, term in
      term[0] = k[i]
      term[1] = n[i]
    }
  }

  @inline(__always)
  func cost(_ start: Int, _ end: Int) -> Double {
    let k = moments.sum(0, start, end)
    let n = moments.sum(1, start, end)
    guard k > 0, k < n else { return 0 }
    return -2 * (k * log(k / n) + (n - k) * log1p(-k / n))
  }
}
