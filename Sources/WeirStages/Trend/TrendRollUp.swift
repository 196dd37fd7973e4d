import WeirData
import WeirEngine
import WeirStatistics

/// One group, or a total over some of them.
struct TrendKey {
  /// Encoded value of each field; `nil` for all of them.
  var parts: [[UInt8]?]
  /// The groups of the state in it, in a fixed order: sums of doubles run in it.
  var groups: [Int]
}

/// The series of a report, from what was counted.
struct TrendRollUp {
  let state: TrendState
  let rules: TrendRules
  let calendar: TrendCalendar

  /// Groups first, then the totals with ever fewer fields, each by the values of its fields.
  ///
  /// A total whose records all have one value of a field that it sums over is left out: the series with
  /// that value says the same, and testing it twice would cost certainty elsewhere.
  ///
  /// - Throws: ``RunError`` `too_many_series`.
  func keys() throws(RunError) -> [TrendKey] {
    let present = state.slots.reduce(into: Set<Int>()) { found, place in
      if calendar.index(of: place.bucket) != nil { found.insert(place.group) }
    }
    let groups = state.sortedGroups().filter { present.contains($0) }
    let parts = groups.map { keyParts(Array(state.groups.bytes(of: $0))) ?? [] }
    let fields = rules.by.count
    var keys: [TrendKey] = []
    let masks = (0..<(1 << fields)).sorted {
      ($0.nonzeroBitCount, $0) < ($1.nonzeroBitCount, $1)
    }
    // A bit that is set: all values of the field. The last field is summed over first.
    for mask in masks {
      func isSummed(_ field: Int) -> Bool { mask >> (fields - 1 - field) & 1 == 1 }
      var members: [[[UInt8]?]: [Int]] = [:]
      for i in groups.indices {
        let key = (0..<fields).map { isSummed($0) ? nil : parts[i][$0] }
        members[key, default: []].append(i)
      }
      let found = members.compactMap { key, members -> TrendKey? in
        for field in 0..<fields where isSummed(field) {
          if members.allSatisfy({ parts[$0][field] == parts[members[0]][field] }) { return nil }
        }
        return TrendKey(parts: key, groups: members.map { groups[$0] })
      }
      keys += found.sorted { TrendRollUp.precedes($0.parts, $1.parts) }
      guard keys.count * rules.metrics.count <= rules.maxSeries else {
        throw tooMany(parts)
      }
    }
    return keys
  }

  private func tooMany(_ parts: [[[UInt8]]]) -> RunError {
    let sizes = rules.by.indices.map { field in
      "`\(rules.by[field])` has \(Set(parts.map { $0[field] }).count) values"
    }
    return RunError(
      code: "too_many_series",
      message:
        "there would be more than \(rules.maxSeries) series: \(sizes.joined(separator: ", ")), and there are \(rules.metrics.count) metrics",
      fix: "take the field with most values out of \"by\", or raise \"max_series\"")
  }

  /// By the values as a reader sees them, as bytes.
  private static func precedes(_ a: [[UInt8]?], _ b: [[UInt8]?]) -> Bool {
    for (x, y) in zip(a, b) where x != y {
      let (s, t) = (Array((keyText(x) ?? "").utf8), Array((keyText(y) ?? "").utf8))
      if s != t { return s.lexicographicallyPrecedes(t) }
      return (x ?? []).lexicographicallyPrecedes(y ?? [])
    }
    return false
  }

  /// One series for each metric.
  func series(of key: TrendKey, slots: [[Int]]) -> [TrendSeries] {
    var at = [[Int]](repeating: [], count: calendar.states.count)
    for group in key.groups {
      for slot in slots[group] {
        if let t = calendar.index(of: state.slots[slot].bucket) { at[t].append(slot) }
      }
    }
    let texts = key.parts.map { keyText($0) }
    let weekday = rules.clock.isWeekly ? nil : calendar.starts.first?.weekday
    return rules.metrics.indices.map { metric in
      TrendSeries(
        key: texts, metric: rules.metrics[metric].name, kind: rules.metrics[metric].kind,
        buckets: calendar.states.indices.map { bucket(metric, $0, at[$0]) }, firstWeekday: weekday)
    }
  }

  private func bucket(_ metric: Int, _ t: Int, _ slots: [Int]) -> TrendBucket {
    let records = slots.reduce(UInt64(0)) { $0 + state.records[$1] }
    let isZero = calendar.states[t] == .closed && records == 0
    var bucket = TrendBucket(state: isZero ? .zero : calendar.states[t], n: Double(records))
    switch rules.metrics[metric].formula {
    case .all: bucket.k = bucket.n
    case .matching:
      bucket.k = Double(slots.reduce(UInt64(0)) { $0 + state.counter(metric, in: $1) })
      bucket.n = bucket.k
    case .rate:
      bucket.k = Double(slots.reduce(UInt64(0)) { $0 + state.counter(metric, in: $1) })
    case .mean:
      var moments = TrendMoments()
      for slot in slots { moments.merge(state.moments(metric, in: slot)) }
      bucket.n = Double(moments.count)
      bucket.value = moments.mean.flatMap { $0.isFinite ? $0 : nil }
      bucket.variance = moments.varianceOfMean.isFinite ? moments.varianceOfMean : 0
    case .quantile(let q, _):
      var sketch = DDSketch()
      for slot in slots { sketch.merge(state.sketch(metric, in: slot)) }
      bucket.n = Double(sketch.count)
      bucket.value = sketch.quantile(q)
      bucket.variance = sketch.quantileVariance(q) ?? 0
    case .distinct:
      var all = HyperLogLog()
      for slot in slots { all.merge(state.register(metric, in: slot)) }
      bucket.value = all.estimate
      let error = HyperLogLog.relativeError * all.estimate
      bucket.variance = error * error
    }
    return bucket
  }
}

extension HyperLogLog {
  /// Standard error of an estimate as a share of it: 1.04 over the root of the registers.
  static let relativeError = 1.04 / 64
}

/// The value of one encoded part of a key as text: `nil` for all values, `(none)` for null.
func keyText(_ part: [UInt8]?) -> String? {
  guard let part else { return nil }
  let text = part.withUnsafeBufferPointer { keyTexts($0) }.first ?? nil
  return text ?? "(none)"
}

/// The same for outputs: `*` for all values, null for null.
func keyValue(_ part: [UInt8]?) -> JSONValue {
  guard let part else { return "*" }
  return part.withUnsafeBufferPointer { keyValues($0) }.first ?? .null
}
