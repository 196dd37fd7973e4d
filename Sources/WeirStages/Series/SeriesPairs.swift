import WeirEngine
import WeirStatistics

/// Two series that differ in one thing.
struct SeriesPair: Sendable {
  var a: Int
  var b: Int
  /// Field of `by` that they differ in; `nil`: the metric.
  var field: Int?
}

/// Which series are held against which: those that differ in one field of `by`, both with a value of it, or
/// in the metric. A total is never paired with what it contains.
struct SeriesPairs {
  /// Fields that a pair may differ in.
  let fields: [Int]
  let isAcrossMetrics: Bool
  /// Metrics of a group: series are numbered group by group.
  let metrics: Int
  let most: Int
  /// Encoded values of the group of each series.
  let parts: [[[UInt8]?]]
  /// Whether a series can be correlated.
  let isUsable: [Bool]

  /// In the order of the first series, then of the second.
  ///
  /// - Throws: ``RunError`` `too_many_pairs`.
  func pairs() throws(RunError) -> [SeriesPair] {
    var pairs: [SeriesPair] = []
    for field in fields {
      // Series that are alike but for this field.
      var families: [[[UInt8]?]: [Int]] = [:]
      for i in parts.indices where isUsable[i] && parts[i][field] != nil {
        var rest = parts[i]
        rest[field] = nil
        families[rest + [Array("\(i % metrics)".utf8)], default: []].append(i)
      }
      for members in families.values {
        try check(pairs.count + members.count * (members.count - 1) / 2)
        for (at, a) in members.enumerated() {
          for b in members[(at + 1)...] { pairs.append(SeriesPair(a: a, b: b, field: field)) }
        }
      }
    }
    if isAcrossMetrics {
      for first in stride(from: 0, to: parts.count, by: metrics) {
        let members = (first..<(first + metrics)).filter { isUsable[$0] }
        try check(pairs.count + members.count * max(0, members.count - 1) / 2)
        for (at, a) in members.enumerated() {
          for b in members[(at + 1)...] { pairs.append(SeriesPair(a: a, b: b, field: nil)) }
        }
      }
    }
    return pairs.sorted { ($0.a, $0.b) < ($1.a, $1.b) }
  }

  private func check(_ count: Int) throws(RunError) {
    guard count > most else { return }
    throw RunError(
      code: "too_many_pairs",
      message: "there would be more than \(most) pairs of series to correlate",
      fix: "name fewer fields in \"across\", or raise \"max_pairs\"")
  }
}
