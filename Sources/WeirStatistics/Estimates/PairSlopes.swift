/// The slopes (y_j - y_i) / (x_j - x_i) of all pairs with different x, by rank, without sorting them.
///
/// Up to ``most`` slopes are made at once and one is selected: O(n^2) time and memory. Of more (some
/// 1,500 values), a sample says between which bounds the rank lies; one pass over all pairs then counts
/// those below and keeps those between, so that the answer is exact: O(n^2) time, a fiftieth of the
/// memory.
struct PairSlopes {
  /// Slopes kept at once.
  static let most = 1 << 20

  let count: Int
  private let x: [Double]
  private let y: [Double]
  /// All of them where there are not too many.
  private var all: [Double] = []
  /// A sample in order where there are.
  private var sample: [Double] = []

  init(x: [Double], y: [Double]) {
    let n = min(x.count, y.count)
    self.x = Array(x.prefix(n))
    self.y = Array(y.prefix(n))
    if n * (n - 1) / 2 <= Self.most {
      var slopes: [Double] = []
      slopes.reserveCapacity(n * (n - 1) / 2)
      Self.forEach(self.x, self.y) { slopes.append($0) }
      all = slopes
      count = slopes.count
      return
    }
    var pairs = 0
    Self.forEach(self.x, self.y) { _ in pairs += 1 }
    count = pairs
    drawSample()
  }

  @inline(__always)
  private static func forEach(_ x: [Double], _ y: [Double], _ body: (Double) -> Void) {
    x.withUnsafeBufferPointer { x in
      y.withUnsafeBufferPointer { y in
        for i in 0..<x.count {
          let (xi, yi) = (x[i], y[i])
          for j in 0..<i where x[j] != xi { body((yi - y[j]) / (xi - x[j])) }
        }
      }
    }
  }

  /// 65,536 pairs by a fixed sequence of hashes: the same for the same values.
  private mutating func drawSample() {
    let n = UInt64(x.count)
    var state: UInt64 = 0
    func next(_ state: inout UInt64) -> Int {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return Int((z ^ (z >> 31)) % n)
    }
    for _ in 0..<(1 << 16) {
      let i = next(&state)
      let j = next(&state)
      if x[i] != x[j] { sample.append((y[i] - y[j]) / (x[i] - x[j])) }
    }
    sample.sort()
  }

  /// The slope with `rank` smaller ones before it; 0 <= rank < count.
  mutating func slope(rank: Int) -> Double {
    guard all.isEmpty else {
      return all.withUnsafeMutableBufferPointer {
        Robust.select($0, rank)
        return $0[rank]
      }
    }
    var reach = 0.01
    while true {
      let share = Double(rank) / Double(count)
      let last = sample.count - 1
      let from = Int((share - reach) * Double(last))
      let to = Int((share + reach) * Double(last)) + 1
      let low = from < 0 || last < 0 ? -Double.infinity : sample[from]
      let high = to > last ? Double.infinity : sample[to]
      var below = 0
      var between: [Double] = []
      Self.forEach(x, y) { slope in
        if slope < low {
          below += 1
        } else if slope <= high {
          between.append(slope)
        }
      }
      let place = rank - below
      if place >= 0, place < between.count {
        return between.withUnsafeMutableBufferPointer {
          Robust.select($0, place)
          return $0[place]
        }
      }
      reach *= 8
    }
  }

  /// The middle slope or the mean of the two middle ones; `nil` without slopes.
  mutating func median() -> Double? {
    guard count > 0 else { return nil }
    if !all.isEmpty { return Robust.median(reordering: &all) }
    let upper = slope(rank: count / 2)
    if count % 2 == 1 { return upper }
    return 0.5 * (slope(rank: count / 2 - 1) + upper)
  }
}
