import Glibc

/// Location and scale that a few wild values do not move.
public enum Robust {
  /// Phi^-1(3/4): the MAD of a standard normal sample.
  public static let madOfNormal = 0.6744897501960817

  /// Middle value, or the mean of the two middle ones; `nil` for no values. O(n) on average.
  public static func median(_ values: [Double]) -> Double? {
    var copy = values
    return median(reordering: &copy)
  }

  /// The same without a copy: puts the values into another order.
  static func median(reordering values: inout [Double]) -> Double? {
    let n = values.count
    guard n > 0 else { return nil }
    return values.withUnsafeMutableBufferPointer { v in
      select(v, n / 2)
      let upper = v[n / 2]
      guard n % 2 == 0 else { return upper }
      // Everything left of the middle is at most the upper one: the lower is their largest.
      var lower = v[0]
      for i in 1..<max(1, n / 2) where v[i] > lower { lower = v[i] }
      return 0.5 * (lower + upper)
    }
  }

  /// Moves the value of rank `k` to place k, smaller or equal ones before it (Hoare's selection with
  /// the median of three as pivot).
  static func select(_ v: UnsafeMutableBufferPointer<Double>, _ k: Int) {
    var lo = 0
    var hi = v.count - 1
    while lo < hi {
      let middle = (lo + hi) / 2
      if v[middle] < v[lo] { v.swapAt(middle, lo) }
      if v[hi] < v[lo] { v.swapAt(hi, lo) }
      if v[hi] < v[middle] { v.swapAt(hi, middle) }
      let pivot = v[middle]
      var i = lo
      var j = hi
      while i <= j {
        while v[i] < pivot { i += 1 }
        while pivot < v[j] { j -= 1 }
        if i <= j {
          v.swapAt(i, j)
          i += 1
          j -= 1
        }
      }
      if k <= j {
        hi = j
      } else if k >= i {
        lo = i
      } else {
        return
      }
    }
  }

  /// The same where the values are already in order and not empty.
  static func medianOfSorted(_ sorted: [Double]) -> Double {
    let n = sorted.count
    return n % 2 == 1 ? sorted[n / 2] : 0.5 * (sorted[n / 2 - 1] + sorted[n / 2])
  }

  /// Median absolute deviation from the median; `nil` for no values.
  public static func mad(_ values: [Double]) -> Double? {
    var copy = values
    guard let centre = median(reordering: &copy) else { return nil }
    for i in copy.indices { copy[i] = abs(copy[i] - centre) }
    return median(reordering: &copy)
  }

  /// MAD / 0.6744897...: estimates the standard deviation of normal values.
  public static func normalMAD(_ values: [Double]) -> Double? {
    mad(values).map { $0 / madOfNormal }
  }

  /// (x - median) / normal MAD; `nil` for each value where the MAD is 0.
  public static func zScores(_ values: [Double]) -> [Double?] {
    guard let centre = median(values), let scale = normalMAD(values), scale > 0 else {
      return values.map { _ in nil }
    }
    return values.map { ($0 - centre) / scale }
  }
}

/// How a quantile between two order statistics is read.
public enum QuantileRule: Sendable {
  /// Linear between order statistics at (n - 1) q; type 7 of Hyndman and Fan (1996).
  case linear
  /// The smallest value with at least a share q below or at it; type 1.
  case invertedCDF
}

/// The q-quantile (0 <= q <= 1) of values in order; `nil` for no values.
public func quantile(ofSorted sorted: [Double], _ q: Double, rule: QuantileRule) -> Double? {
  guard !sorted.isEmpty else { return nil }
  let n = sorted.count
  switch rule {
  case .linear:
    let place = Double(n - 1) * min(1, max(0, q))
    let below = Int(place)
    guard below + 1 < n else { return sorted[n - 1] }
    let share = place - Double(below)
    let step = sorted[below + 1] - sorted[below]
    // From the nearer end, so that both ends are met exactly.
    return share < 0.5 ? sorted[below] + step * share : sorted[below + 1] - step * (1 - share)
  case .invertedCDF:
    return sorted[min(n - 1, max(0, Int((Double(n) * q).rounded(.up)) - 1))]
  }
}
