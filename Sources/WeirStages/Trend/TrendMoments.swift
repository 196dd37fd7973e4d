/// Count, sum, and sums of squares and of cubes about the mean.
///
/// Both are kept about the mean, and put together as Chan, Golub and LeVeque (1983) and Pebay (2008) do: a
/// sum of plain squares would lose all its digits for values that are large and close together.
struct TrendMoments: Equatable {
  var count: UInt64 = 0
  var sum = 0.0
  var squares = 0.0
  /// NaN where it is not known, as of rows that are already aggregated.
  var cubes = 0.0

  mutating func add(_ value: Double) {
    merge(TrendMoments(count: 1, sum: value))
  }

  mutating func merge(_ other: TrendMoments) {
    guard other.count > 0 else { return }
    guard count > 0 else {
      self = other
      return
    }
    let (a, b) = (Double(count), Double(other.count))
    let distance = other.sum / b - sum / a
    let (mine, others) = (a / (a + b), b / (a + b))
    cubes +=
      other.cubes + distance * distance * distance * mine * b * (mine - others)
      + 3 * distance * (mine * other.squares - others * squares)
    squares += other.squares + distance * distance * mine * b
    sum += other.sum
    count += other.count
  }

  var mean: Double? { count > 0 ? sum / Double(count) : nil }

  /// Sampling variance of ``mean``: the sample variance over the count; 0 for a single value.
  var varianceOfMean: Double {
    count > 1 ? max(0, squares) / Double(count - 1) / Double(count) : 0
  }
}
