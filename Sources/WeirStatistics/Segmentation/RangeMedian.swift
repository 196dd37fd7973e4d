/// Medians and sums of absolute deviations over any stretch of a series in O(log n).
///
/// A wavelet matrix over the ranks (Claude, Navarro and Ordóñez 2015): one level for each bit of a
/// rank, each level a stable partition by that bit. O(n log n) memory: 12 bytes a value and level.
struct RangeMedian: Sendable {
  private let count: Int
  private let levels: Int
  private let sorted: [Double]
  /// For each level, how many of the first i places have a 0 bit.
  private let zeros: [Int32]
  /// For each level, sums of the first i values in the order behind that level.
  private let sums: [Double]
  private let whole: [Double]

  init(_ y: [Double]) {
    let n = y.count
    count = n
    var bits = 0
    while (1 << bits) < n { bits += 1 }
    levels = bits
    let order = y.indices.sorted { (y[$0], $0) < (y[$1], $1) }
    // About the middle, so that sums keep the digits of deviations.
    let centre = n > 0 ? y[order[n / 2]] : 0
    var rank = [Int](repeating: 0, count: n)
    for (r, i) in order.enumerated() { rank[i] = r }
    sorted = order.map { y[$0] - centre }
    whole = Self.running(rank.map { [sorted] in sorted[$0] })
    var zeros: [Int32] = []
    var sums: [Double] = []
    for level in 0..<bits {
      let bit = 1 << (bits - 1 - level)
      var below: Int32 = 0
      zeros.append(0)
      for r in rank {
        if r & bit == 0 { below += 1 }
        zeros.append(below)
      }
      rank = rank.filter { $0 & bit == 0 } + rank.filter { $0 & bit != 0 }
      sums += Self.running(rank.map { [sorted] in sorted[$0] })
    }
    self.zeros = zeros
    self.sums = sums
  }

  private static func running(_ x: [Double]) -> [Double] {
    var sum = 0.0
    return [0]
      + x.map {
        sum += $0
        return sum
      }
  }

  /// Sum of |y - median| over start ..< end: the upper half less the lower half.
  func absoluteDeviation(_ start: Int, _ end: Int) -> Double {
    let m = end - start
    guard m > 1 else { return 0 }
    var k = m / 2
    let total = whole[end] - whole[start]
    var (lo, hi) = (start, end)
    var low = 0.0
    var rank = 0
    let row = count + 1
    for level in 0..<levels {
      let base = level * row
      let a = Int(zeros[base + lo])
      let b = Int(zeros[base + hi])
      rank <<= 1
      if k < b - a {
        (lo, hi) = (a, b)
      } else {
        low += sums[base + b] - sums[base + a]
        k -= b - a
        let all = Int(zeros[base + count])
        (lo, hi) = (all + lo - a, all + hi - b)
        rank |= 1
      }
    }
    // `low` is the sum of the m / 2 smallest, `rank` that of the value after them.
    let middle = m % 2 == 1 ? sorted[rank] : 0
    return max(0, total - middle - 2 * low)
  }
}
