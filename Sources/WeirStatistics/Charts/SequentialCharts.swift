import Glibc

/// Exponentially weighted moving average chart (S. Roberts 1959).
public struct EWMAChart: Sendable, Equatable {
  /// z_t = lambda x_t + (1 - lambda) z_{t-1}, z_0 = mean.
  public var values: [Double]
  /// width x sigma x sqrt(lambda / (2 - lambda) (1 - (1 - lambda)^(2t))), t = 1, 2, ...
  public var halfWidths: [Double]
  /// The first value outside, if any.
  public var alarm: Int?

  /// `mean` and `sigma` are those of the process in control; 0 < lambda <= 1. O(n).
  public init(_ x: [Double], mean: Double, sigma: Double, lambda: Double = 0.2, width: Double = 3) {
    var z = mean
    var left = 1.0
    values = []
    halfWidths = []
    for v in x {
      z = lambda * v + (1 - lambda) * z
      left *= (1 - lambda) * (1 - lambda)
      values.append(z)
      halfWidths.append(width * sigma * (lambda / (2 - lambda) * (1 - left)).squareRoot())
    }
    alarm = values.indices.first { abs(values[$0] - mean) > halfWidths[$0] }
  }
}

/// Tabular cumulative sums (E. Page 1954): S+ = max(0, S+ + u - k), S- = max(0, S- - u - k) with u = (x -
/// mean) / sigma. Not set back after an alarm.
public struct CUSUMChart: Sendable, Equatable {
  public var up: [Double] = []
  public var down: [Double] = []
  /// The first value at which either sum is above the limit.
  public var alarm: Int?

  /// `slack` is k, half the shift to find, and `limit` h, both in standard deviations. With k = 1/2 and h
  /// = 5 one in 465 values of a process in control raises a false alarm. O(n).
  public init(_ x: [Double], mean: Double, sigma: Double, slack: Double = 0.5, limit: Double = 5) {
    var (high, low) = (0.0, 0.0)
    for v in x {
      let u = (v - mean) / sigma
      high = max(0, high + u - slack)
      low = max(0, low - u - slack)
      up.append(high)
      down.append(low)
    }
    alarm = up.indices.first { up[$0] > limit || down[$0] > limit }
  }
}

/// The Page-Hinkley test for a change of the mean of a stream, with fading sums, in both directions; as
/// in `river`. O(1) a value and of memory.
public struct PageHinkley: Sendable {
  public var fewest: Int
  public var delta: Double
  public var threshold: Double
  /// What is kept of the sums from one value to the next.
  public var fading: Double
  private var count = 0
  private var mean = 0.0
  private var rise = 0.0
  private var fall = 0.0
  private var least = Double.infinity
  private var most = -1.0
  private var isOver = false

  public init(
    fewest: Int = 30, delta: Double = 0.005, threshold: Double = 50, fading: Double = 0.9999
  ) {
    self.fewest = fewest
    self.delta = delta
    self.threshold = threshold
    self.fading = fading
  }

  /// Takes the next value; true where a change is found, after which it starts anew.
  public mutating func add(_ x: Double) -> Bool {
    if isOver {
      self = PageHinkley(fewest: fewest, delta: delta, threshold: threshold, fading: fading)
    }
    count += 1
    mean += (x - mean) / Double(count)
    rise = fading * rise + (x - mean) - delta
    fall = fading * fall + (x - mean) + delta
    least = min(least, rise)
    most = max(most, fall)
    isOver = count >= fewest && (rise - least > threshold || most - fall > threshold)
    return isOver
  }
}
