import WeirData
import WeirEngine
import WeirStatistics

/// The series of a report, from what was counted.
struct TrendRollUp {
  let state: TrendState
  let rules: TrendRules
  let calendar: TrendCalendar
  /// By zone the length of each bucket as a share of the usual one; empty where all are those of UTC.
  private let lengths: [[Double]]
  /// By group the number of its zone; empty where all have one.
  private let zoneOfGroup: [Int]

  init(state: TrendState, rules: TrendRules, calendar: TrendCalendar) {
    self.state = state
    self.rules = rules
    self.calendar = calendar
    let zone = rules.zone
    lengths =
      zone.isUTC
      ? []
      : (0..<zone.count).map { number in
        calendar.states.indices.map {
          zone.exposure(of: calendar.first + $0, in: number, rules.clock)
        }
      }
    zoneOfGroup =
      zone.count == 1
      ? []
      : (0..<state.groups.count).map {
        zone.number(ofGroup: keyParts(Array(state.groups.bytes(of: $0))) ?? [])
      }
  }

  /// Groups first, then the totals with ever fewer fields, each by the values of its fields.
  ///
  /// A total whose records all have one value of a field that it sums over is left out: the series with
  /// that value says the same, and testing it twice would cost certainty elsewhere.
  ///
  /// - Throws: ``RunError`` `too_many_series`.
  private func keys() throws(RunError) -> [TrendKey] {
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
  func series(of key: TrendKey, slots: CellTable.CellsByGroup) -> [TrendSeries] {
    let texts = key.parts.map { keyText($0) }
    let weekday = rules.clock.isWeekly ? nil : calendar.starts.first?.weekday
    var records = [UInt64](repeating: 0, count: calendar.states.count)
    forEachCell(of: key, slots) { t, slot in records[t] += state.records[slot] }
    let exposures = exposures(of: key, slots)
    return rules.metrics.indices.map { metric in
      var series = TrendSeries(
        key: texts, metric: rules.metrics[metric].name, kind: rules.metrics[metric].kind,
        buckets: buckets(metric, key, slots, records, exposures), firstWeekday: weekday)
      series.severity = rules.severity[metric] ?? 1
      series.isLogarithmic = rules.metrics[metric].isLogarithmic
      if case .quantile(let q, _) = rules.metrics[metric].formula { series.quantile = q }
      return series
    }
  }

  /// Length of each bucket as a share of the usual one; where groups have several zones, the mean by their
  /// records over all buckets.
  private func exposures(of key: TrendKey, _ slots: CellTable.CellsByGroup) -> [Double] {
    guard let first = lengths.first else {
      return [Double](repeating: 1, count: calendar.states.count)
    }
    if lengths.count == 1 { return first }
    var weights = [UInt64](repeating: 0, count: lengths.count)
    for group in key.groups {
      let number = zoneOfGroup[group]
      slots.forEach(of: group) { _, slot in weights[number] += state.records[slot] }
    }
    let used = weights.indices.filter { weights[$0] > 0 }
    if used.count <= 1 { return lengths[used.first ?? 0] }
    let all = weights.reduce(0) { $0 + Double($1) }
    return calendar.states.indices.map { t in
      used.reduce(0) { $0 + Double(weights[$1]) * lengths[$1][t] } / all
    }
  }

  /// The slots of the groups, one group after the other, with the place of their bucket.
  private func forEachCell(
    of key: TrendKey, _ slots: CellTable.CellsByGroup, _ body: (Int, Int) -> Void
  ) {
    for group in key.groups {
      slots.forEach(of: group) { bucket, slot in
        if let t = calendar.index(of: bucket) { body(t, slot) }
      }
    }
  }

  private func buckets(
    _ metric: Int, _ key: TrendKey, _ slots: CellTable.CellsByGroup, _ records: [UInt64],
    _ exposures: [Double]
  ) -> [TrendBucket] {
    var buckets = records.indices.map { t in
      let isZero = calendar.states[t] == .closed && records[t] == 0
      return TrendBucket(
        state: isZero ? .zero : calendar.states[t], n: Double(records[t]), exposure: exposures[t])
    }
    /// What the groups keep of each bucket, put together in their order.
    func merged<Sum>(_ none: Sum, _ add: (inout Sum, Int) -> Void) -> [Sum] {
      var sums = [Sum](repeating: none, count: buckets.count)
      forEachCell(of: key, slots) { t, slot in add(&sums[t], slot) }
      return sums
    }
    switch rules.metrics[metric].formula {
    case .all:
      for t in buckets.indices { buckets[t].k = buckets[t].n }
    case .matching, .counted:
      let counts = merged(UInt64(0)) { $0 += state.counter(metric, in: $1) }
      for (t, count) in counts.enumerated() {
        buckets[t].k = Double(count)
        buckets[t].n = buckets[t].k
      }
    case .rate:
      let counts = merged(UInt64(0)) { $0 += state.counter(metric, in: $1) }
      for (t, count) in counts.enumerated() { buckets[t].k = Double(count) }
    case .ratio:
      let counts = merged((k: UInt64(0), n: UInt64(0))) {
        $0.k += state.counter(metric, in: $1)
        $0.n += state.denominator(metric, in: $1)
      }
      for (t, count) in counts.enumerated() {
        (buckets[t].k, buckets[t].n) = (Double(count.k), Double(count.n))
      }
    case .mean, .sums:
      let all = merged(TrendMoments()) { $0.merge(state.moments(metric, in: $1)) }
      for (t, moments) in all.enumerated() {
        buckets[t].n = Double(moments.count)
        buckets[t].value = moments.mean.flatMap { $0.isFinite ? $0 : nil }
        buckets[t].variance = moments.varianceOfMean.isFinite ? moments.varianceOfMean : 0
        buckets[t].cubes = moments.cubes
      }
    case .quantile(let q, _):
      let all = merged(DDSketch()) { $0.merge(state.sketch(metric, in: $1)) }
      for (t, sketch) in all.enumerated() {
        buckets[t].n = Double(sketch.count)
        buckets[t].value = sketch.quantile(q)
        buckets[t].variance = sketch.quantileVariance(q) ?? 0
      }
    case .distinct:
      let all = merged(HyperLogLog()) { $0.merge(state.register(metric, in: $1)) }
      for (t, registers) in all.enumerated() {
        let estimate = registers.estimate
        let error = HyperLogLog.relativeError * estimate
        buckets[t].value = estimate
        buckets[t].variance = error * error
      }
    }
    return buckets
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
