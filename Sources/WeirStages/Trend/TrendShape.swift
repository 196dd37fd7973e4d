/// What is kept of every group and bucket, and where it lies in the arrays of a ``TrendState``.
struct TrendShape: Sendable, Equatable {
  /// What a metric keeps. The numbers are part of the encoded form.
  enum Tally: UInt8, Sendable {
    /// Nothing beyond the number of records.
    case records = 0
    /// Records that a condition holds for: one counter.
    case matching = 1
    case share = 2
    /// Values, their sum and the sums of squares and cubes about their mean: one counter, three doubles.
    case moments = 3
    /// A DDSketch.
    case sketch = 4
    /// A HyperLogLog.
    case registers = 5
    /// Numerator and denominator of rows that are already aggregated: two counters.
    case ratio = 6
  }

  /// Fields of a group.
  let by: Int
  let tallies: [Tally]
  /// Whether rows stand for many records each.
  let isAggregated: Bool
  /// For each metric the first of its counters, and of its sums, sketches or registers.
  let counter: [Int]
  let place: [Int]
  /// How many of each a slot has.
  let counters: Int
  let sums: Int
  let sketches: Int
  let registers: Int

  init(by: Int, tallies: [Tally], isAggregated: Bool = false) {
    self.by = by
    self.isAggregated = isAggregated
    self.tallies = tallies
    var counter: [Int] = []
    var place: [Int] = []
    var (counters, sums, sketches, registers) = (0, 0, 0, 0)
    for tally in tallies {
      counter.append(counters)
      switch tally {
      case .records: place.append(0)
      case .matching, .share:
        place.append(0)
        counters += 1
      case .ratio:
        place.append(0)
        counters += 2
      case .moments:
        place.append(sums)
        counters += 1
        sums += 3
      case .sketch:
        place.append(sketches)
        sketches += 1
      case .registers:
        place.append(registers)
        registers += 1
      }
    }
    self.counter = counter
    self.place = place
    self.counters = counters
    self.sums = sums
    self.sketches = sketches
    self.registers = registers
  }
}
