/// Sums over any stretch of a series in O(1), kept to twice the digits of a Double.
///
/// Differences of plain running sums lose the digits that the whole has over the stretch; here every
/// running sum carries its rounding error along (Knuth's two-sum), so that the sum over `start ..<
/// end` is as exact as its terms. `width` sums are kept side by side: one row of memory a place.
struct PrefixMoments: Sendable {
  let width: Int
  /// Row i holds the `width` leading parts and then the `width` rests of the sums over 0 ..< i.
  private let rows: [Double]

  /// `terms(i, into:)` puts the `width` terms of place i into the buffer.
  init(count: Int, width: Int, terms: (Int, UnsafeMutableBufferPointer<Double>) -> Void) {
    self.width = width
    let stride = 2 * width
    rows = [Double](unsafeUninitializedCapacity: (count + 1) * stride) { buffer, used in
      for j in 0..<stride { buffer[j] = 0 }
      withUnsafeTemporaryAllocation(of: Double.self, capacity: width) { term in
        for i in 0..<count {
          terms(i, term)
          let from = i * stride
          let to = from + stride
          for j in 0..<width {
            let a = buffer[from + j]
            let b = term[j]
            let sum = a + b
            let shadow = sum - a
            let lost = (a - (sum - shadow)) + (b - shadow)
            buffer[to + j] = sum
            buffer[to + width + j] = buffer[from + width + j] + lost
          }
        }
      }
      used = (count + 1) * stride
    }
  }

  /// The sum of term `j` over start ..< end.
  @inline(__always)
  func sum(_ j: Int, _ start: Int, _ end: Int) -> Double {
    let stride = 2 * width
    let from = start &* stride &+ j
    let to = end &* stride &+ j
    return rows.withUnsafeBufferPointer { r in
      (r[to] - r[from]) + (r[to &+ width] - r[from &+ width])
    }
  }
}
