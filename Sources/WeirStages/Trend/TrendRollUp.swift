import WeirData
import WeirEngine
import WeirStatistics

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
    let totals = GroupTotals(state: state, calendar: calendar, fields: rules.by.count)
    return try totals.keys { count throws(RunError) in
      if count * rules.metrics.count > rules.maxSeries { throw tooMany(totals.parts) }
    }
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

  /// All series of the report, with the encoded values of the group of each.
  ///
  /// - Throws: ``RunError`` `too_many_series`.
  func all() throws(RunError) -> (series: [TrendSeries], parts: [[[UInt8]?]]) {
    let slots = state.slotsByGroup()
    var series: [TrendSeries] = []
    var parts: [[[UInt8]?]] = []
    for key in try keys() {
      let made = self.series(of: key, slots: slots)
      series += made
      parts += made.map { _ in key.parts }
    }
    return (series, parts)
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
