import WeirData

/// truth.json: one effect and one series a line.
struct TruthFile {
  private let options: GeneratorOptions
  private let effects: Effects
  private let truth: Truth
  private let parts: QueueParts

  init(options: GeneratorOptions, effects: Effects, truth: Truth) {
    self.options = options
    self.effects = effects
    self.truth = truth
    parts = QueueParts(wanted: options.series, seed: options.seed)
  }

  var text: String {
    let calendar = options.calendar
    return """
      {
      "seed": \(options.seed),
      "start": "\(calendar.start.iso)",
      "days": \(calendar.days),
      "options": {"rows": \(calendar.rows), "shards": \(options.shards), \
      "duplicates": \(options.duplicates), "malformed": \(options.malformed), \
      "level": \(options.level), "note_words": \(options.noteWords)\(wantedSeries)},
      "counts": {"lines": \(truth.lines), "unique": \(truth.unique), \
      "duplicates": \(truth.duplicates), "malformed": \(truth.malformedTotal)},
      "duplicates_by_kind": {"redelivered": \(truth.redelivered), "revised": \(truth.revised)},
      "revised": {"decision_changed": \(truth.changed), \
      "out_of_order": \(truth.revisedOutOfOrder)},
      "copies_in_a_later_shard": \(truth.laterShard),
      "malformed_by_kind": {\(malformedByKind)},
      "about": "\(TruthFile.about)",
      "oracle": "\(TruthFile.oracle)",
      "effects": [
      \(effects.list.map(describe).joined(separator: ",\n"))
      ],
      "series": [
      \((0..<World.seriesCount).flatMap(describe).joined(separator: ",\n"))
      ]
      }

      """
  }

  private static let about = """
    Counts of effects and series are of unique records: the highest revision of each event_id, \
    by day of ts in UTC. lines = unique + duplicates + malformed. An effect in one (market, \
    queue) also moves the roll-ups that hold it, listed under moves_too: its market over all \
    queues, its queue over all markets, and everything; a finding there on the same days is \
    the same effect.
    """
  private static let oracle = """
    oracle_z = sqrt(2 * expected log-likelihood ratio) between the truth and the best model \
    with a constant level times the known weekday profile. violation_rate, rate p and n \
    expected records a day, P = sum(n p)/sum(n): z^2 = 2 sum n (p ln(p/P) + (1-p) \
    ln((1-p)/(1-P))). volume, expected count m without and n with the effect, c = \
    sum(n)/sum(m): z^2 = 2 sum n ln(n/(c m)). handle_ms, mean l of the logarithm, L = \
    sum(n l)/sum(n), deviation s = 0.5: z^2 = sum n (l-L)^2/s^2.
    """

  private var wantedSeries: String { options.series.map { ", \"series\": \($0)" } ?? "" }

  private var malformedByKind: String {
    Fate.Damage.allCases.map { "\"\($0.name)\": \(truth.malformed[$0.rawValue])" }
      .joined(separator: ", ")
  }

  private func describe(_ effect: Effect) -> String {
    let calendar = options.calendar
    let oracle = Oracle(effect, among: effects, calendar: calendar)
    let market = World.markets[effect.market].code
    let queue = World.queues[effect.queue].name
    let seen = seen(ofSeries: effect.series)
    let during = effect.day...effect.lastDay
    return """
      {"type": "\(effect.shape.rawValue)", "metric": "\(effect.metric.rawValue)", \
      "market": "\(market)", "queue": "\(queue)", \
      "direction": "\(effect.size > 0 ? "up" : "down")", "size": \(short(effect.size)), \
      "day": \(effect.day), "days": \(effect.days), \
      "first_day": "\(calendar.date(effect.day).iso)", \
      "last_day": "\(calendar.date(effect.lastDay).iso)", \
      "before": \(short(oracle.valueBefore)), "during": \(short(oracle.valueDuring)), \
      "oracle_z": \(short(oracle.z)), \
      "expected": {"records_before": \(short(oracle.recordsBefore)), \
      "records_during": \(short(oracle.recordsDuring))}, \
      "counted": {"records_before": \(sum(seen.records, 0..<effect.day)), \
      "violations_before": \(sum(seen.violations, 0..<effect.day)), \
      "records_during": \(sum(seen.records, during)), \
      "violations_during": \(sum(seen.violations, during))}, \
      "moves_too": [["\(market)", null], [null, "\(queue)"], [null, null]]}
      """
  }

  /// What was counted of a (market, queue), over all its parts.
  private func seen(ofSeries series: Int) -> Truth.Series {
    let all = truth.series[parts.all(ofSeries: series)]
    var sum = all[all.startIndex]
    for part in all.dropFirst() {
      for day in sum.records.indices {
        sum.records[day] += part.records[day]
        sum.violations[day] += part.violations[day]
        sum.handleMs[day] += part.handleMs[day]
      }
    }
    return sum
  }

  /// A line for each part of a (market, queue).
  private func describe(series: Int) -> [String] {
    let all = parts.all(ofSeries: series)
    return all.map { describe(series: series, part: $0 - all.lowerBound) }
  }

  private func describe(series: Int, part: Int) -> String {
    let all = parts.all(ofSeries: series)
    let seen = truth.series[all.lowerBound + part]
    let perDay =
      Double(options.calendar.rows) / Double(options.calendar.days)
      * World.markets[World.market(ofSeries: series)].perDay[World.queue(ofSeries: series)]
      / World.totalPerDay / Double(all.count)
    return """
      {"market": "\(World.markets[World.market(ofSeries: series)].code)", \
      "queue": "\(World.queues[World.queue(ofSeries: series)].name)\(parts.suffix(part))", \
      "expected_per_day": \(short(perDay)), \
      "violation_rate": \(short(World.violationRate(ofSeries: series))), \
      "records": \(sum(seen.records, seen.records.indices)), \
      "violations": \(sum(seen.violations, seen.violations.indices)), \
      "handle_ms": \(sum(seen.handleMs, seen.handleMs.indices)), \
      "records_by_day": \(list(seen.records)), "violations_by_day": \(list(seen.violations)), \
      "handle_ms_by_day": \(list(seen.handleMs))}
      """
  }

  private func sum(_ values: [Int], _ days: some Sequence<Int>) -> Int {
    days.reduce(0) { $0 + values[$1] }
  }

  private func list(_ values: [Int]) -> String {
    "[\(values.map { String($0) }.joined(separator: ","))]"
  }

  /// Four decimals at most.
  private func short(_ value: Double) -> String { "\((value * 10_000).rounded() / 10_000)" }
}
