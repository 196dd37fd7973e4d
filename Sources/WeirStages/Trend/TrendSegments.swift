import WeirData
import WeirEngine
import WeirExpressions
import WeirStatistics

/// Counts by group, bucket and value of one field that changes are explained by. Only what adds up is kept:
/// counts, shares and means; quantiles and distinct counts cannot be taken apart.
struct SegmentShape {
  static func tallies(_ rules: TrendRules) -> [TrendShape.Tally] {
    rules.metrics.map { metric in
      switch metric.tally {
      case .sketch, .registers: .records
      case .records, .matching, .share, .moments, .ratio: metric.tally
      }
    }
  }

  static func state(_ rules: TrendRules) -> TrendState {
    TrendState(
      TrendShape(
        by: rules.by.count + 1, tallies: tallies(rules), isAggregated: rules.isAggregated),
      rules.clock)
  }
}

/// The segments of one field in one shard.
final class SegmentCounter {
  let state: TrendState
  private let column: BoundTrend.Column
  private let by: [BoundTrend.Column]
  private let finder: GroupFinder
  private let clock: TrendClock
  private let inputs: [TrendMetric.Input]
  private var slotMemory = RowMemory<Int32>()

  init(_ bound: BoundTrend, field: Int) {
    column = bound.segments[field]
    by = bound.by
    clock = bound.rules.clock
    inputs = bound.inputs
    state = SegmentShape.state(bound.rules)
    finder = GroupFinder(
      columns: bound.by.map(\.index) + [column.index], cursor: bound.rules.clock.cursor)
  }

  /// Counts the rows that the groups took: those with a slot in `taken`.
  func add(
    _ batch: borrowing Batch, _ rows: UnsafeBufferPointer<UInt32>,
    taken: UnsafeBufferPointer<Int32>, times: UnsafePointer<Cell>, truths: [[Truth]],
    aggregated: AggregatedRows?
  ) {
    let slots = UnsafeMutableBufferPointer(
      start: slotMemory.take(rows.count), count: rows.count)
    guard let base = slots.baseAddress else { return }
    for i in 0..<rows.count { slots[i] = min(0, taken[i]) }
    var columns: [UnsafeMutablePointer<Cell>] = []
    for field in by { columns.append(batch.column(field.index)) }
    columns.append(batch.column(column.index))
    let (clock, state) = (clock, state)
    var key = KeyBytes()
    finder.find(batch, rows, times: times, base) { row, start in
      key.clear()
      for column in columns { key.append(column[row]) }
      return Int32(
        state.slot(group: state.groups.code(of: key.bytes), bucket: clock.bucket(of: start)))
    }
    let found = UnsafeBufferPointer(slots)
    if let aggregated {
      aggregated.add(batch, rows, times: times, to: state, found)
      return
    }
    state.addRecords(times, rows, found)
    for (metric, input) in inputs.enumerated() {
      switch input {
      case .nothing, .value, .counted, .ratio, .sums: break
      case .condition: state.count(metric, truths[metric], found)
      case .number(let column):
        guard state.shape.tallies[metric] == .moments else { break }
        state.add(batch.column(column.index), rows, to: metric, found)
      }
    }
  }
}

/// The segments of all shards, to ask what carried a change or a difference.
struct TrendSegments {
  let rules: TrendRules
  /// One for each field.
  let states: [TrendState]
  let calendar: TrendCalendar
  private let slots: [CellTable.CellsByGroup]
  /// Groups of each state by their keys: sums of doubles run in this order, whatever came first.
  private let groups: [[Int]]
  /// For each field and group of its state the encoded values: those of the group, then the segment's.
  private let parts: [[[[UInt8]]]]

  /// More groups times values than this are an error: a field has too many values to explain anything.
  static let most = 1_000_000

  init(_ states: [TrendState], rules: TrendRules, calendar: TrendCalendar) {
    self.states = states
    self.rules = rules
    self.calendar = calendar
    slots = states.map { $0.slotsByGroup() }
    groups = states.map { $0.sortedGroups() }
    parts = states.map { state in
      (0..<state.groups.count).map { keyParts(Array(state.groups.bytes(of: $0))) ?? [] }
    }
  }

  /// - Throws: ``RunError`` `too_many_segments`.
  static func check(_ states: [TrendState], _ rules: TrendRules) throws(RunError) {
    for (field, state) in states.enumerated() where state.groups.count > most {
      throw RunError(
        code: "too_many_segments",
        message:
          "`\(rules.segments[field])` makes more than \(most) groups with the fields of \"by\": it has too many values to explain a change",
        fix: "take it out of \"segments\"")
    }
  }

  /// What the segments of each field carried of a finding; empty where its metric cannot be taken apart.
  func explain(
    _ periods: ComparedPeriods, _ key: [[UInt8]?], metric: Int
  ) -> [FieldExplanation] {
    let sides = ComparedSides(
      key: key, columns: periods.beforeCount, sizeA: periods.beforeSize, sizeB: periods.afterSize)
    return explain(sides, metric: metric) { _, t in
      periods.before[t].map { .a(column: $0) } ?? (periods.isAfter[t] ? .b : nil)
    }
  }

  /// What the segments of each field carry of a difference between two sides, b - a; empty where the
  /// metric cannot be taken apart.
  ///
  /// - Parameter side: of the encoded values of a group and a bucket; `nil`: on none.
  func explain(
    _ sides: ComparedSides, metric: Int, side: ([[UInt8]], Int) -> ComparedSides.Side?
  ) -> [FieldExplanation] {
    states.indices.compactMap { explain($0, sides, metric, side) }
  }

  private func explain(
    _ field: Int, _ sides: ComparedSides, _ metric: Int,
    _ side: ([[UInt8]], Int) -> ComparedSides.Side?
  ) -> FieldExplanation? {
    let state = states[field]
    var values: [[UInt8]] = []
    var place: [[UInt8]: Int] = [:]
    var segments: [SegmentExplanation.Segment] = []
    // Events of each bucket of side a, by value: how much days differ.
    var daily: [[Double]] = []
    for group in groups[field] {
      let parts = parts[field][group]
      guard parts.count == rules.by.count + 1,
        zip(parts, sides.key).allSatisfy({ part, wanted in wanted.map { $0 == part } ?? true })
      else { continue }
      slots[field].forEach(of: group) { bucket, slot in
        guard let t = calendar.index(of: bucket), let found = side(parts, t) else { return }
        let value = parts[parts.count - 1]
        let at: Int
        if let known = place[value] {
          at = known
        } else {
          at = values.count
          place[value] = at
          values.append(value)
          segments.append(SegmentExplanation.Segment(n0: 0, k0: 0, n1: 0, k1: 0))
          daily.append([Double](repeating: 0, count: sides.columns))
        }
        let (k, n) = counts(state, metric, slot)
        switch found {
        case .a(let column):
          segments[at].k0 += k
          segments[at].n0 += n
          daily[at][column] += k
        case .b:
          segments[at].k1 += k
          segments[at].n1 += n
        }
      }
    }
    // By the values as bytes: nothing may depend on the order in which they were met.
    let order = values.indices.sorted { values[$0].lexicographicallyPrecedes(values[$1]) }
    let sorted = order.map { segments[$0] }
    guard
      let found = SegmentExplanation(
        sorted, kind: rules.metrics[metric].kind, size0: sides.sizeA, size1: sides.sizeB,
        dispersion: makeUpDispersion(order.map { daily[$0] }))
    else { return nil }
    return FieldExplanation(
      field: rules.segments[field], values: order.map { values[$0] }, segments: sorted,
      explanation: found)
  }

  private func counts(_ state: TrendState, _ metric: Int, _ slot: Int) -> (k: Double, n: Double) {
    let records = Double(state.records[slot])
    switch rules.metrics[metric].formula {
    case .all: return (records, records)
    case .matching, .rate, .counted: return (Double(state.counter(metric, in: slot)), records)
    case .ratio:
      return (
        Double(state.counter(metric, in: slot)), Double(state.denominator(metric, in: slot))
      )
    case .mean, .sums:
      let moments = state.moments(metric, in: slot)
      return (moments.sum, Double(moments.count))
    case .quantile, .distinct: return (0, records)
    }
  }
}

/// What a difference is taken apart over: side a is what is compared with.
struct ComparedSides {
  enum Side {
    /// - Parameter column: place of the bucket among those of side a.
    case a(column: Int)
    case b
  }
  /// Encoded values of the first fields of a group; `nil` for all of a field.
  var key: [[UInt8]?]
  /// Buckets of side a.
  var columns: Int
  /// Buckets of each side, by exposure.
  var sizeA: Double
  var sizeB: Double
}

/// How much more than chance the make-up of events differs from bucket to bucket: Pearson's chi-square of
/// the segments x buckets table over its degrees of freedom, at least 1.
func makeUpDispersion(_ table: [[Double]]) -> Double {
  let rows = table.map { $0.reduce(0, +) }
  let all = rows.reduce(0, +)
  guard let buckets = table.first?.count, buckets >= 5, all > 0 else { return 1 }
  let columns = (0..<buckets).map { c in table.reduce(0) { $0 + $1[c] } }
  var square = 0.0
  for (r, row) in table.enumerated() where rows[r] > 0 {
    for c in 0..<buckets where columns[c] > 0 {
      let expected = rows[r] * columns[c] / all
      square += (row[c] - expected) * (row[c] - expected) / expected
    }
  }
  let freedom = (rows.count { $0 > 0 } - 1) * (columns.count { $0 > 0 } - 1)
  return freedom > 0 ? max(1, square / Double(freedom)) : 1
}

/// The buckets that a finding is compared over.
///
/// After: its window; of a trend the last 14 compared buckets. Before: the 28 buckets before the window
/// that were compared (of a trend the first 14 of the history), and of single days those of the same
/// weekdays only; where there is nothing before, the 28 after.
struct ComparedPeriods: Sendable {
  /// By bucket: place among those before, or `nil`.
  private(set) var before: [Int?]
  private(set) var isAfter: [Bool]
  private(set) var beforeCount = 0
  /// Buckets by exposure.
  private(set) var beforeSize = 0.0
  private(set) var afterSize = 0.0
  private(set) var first = 0
  private(set) var last = 0

  private static let reach = 28
  private static let trendEnds = 14

  /// `nil` for findings that compare nothing.
  init?(_ finding: TrendFinding, _ series: TrendSeries) {
    let buckets = series.buckets
    before = [Int?](repeating: nil, count: buckets.count)
    isAfter = [Bool](repeating: false, count: buckets.count)
    func isCompared(_ t: Int) -> Bool { buckets[t].state.isCompared }
    var old: [Int] = []
    var new: [Int] = []
    switch finding.type {
    case .dataMissing, .openBucket, .seasonBreak: return nil
    case .trend:
      let used = finding.window.filter(isCompared)
      let ends = min(Self.trendEnds, used.count / 2)
      old = Array(used.prefix(ends))
      new = Array(used.suffix(ends))
    case .shift, .windowChange, .spike, .dip, .burst, .unconfirmedLevel:
      new = finding.window.filter(isCompared)
      let isDaily = finding.type != .shift && finding.type != .windowChange
      let weekdays = Set(new.map { $0 % 7 })
      func fits(_ t: Int) -> Bool {
        isCompared(t) && (!isDaily || series.firstWeekday == nil || weekdays.contains(t % 7))
      }
      let start = finding.window.lowerBound
      let level = finding.earlier.last?.anchor ?? 0
      old = (max(level, start - Self.reach)..<start).filter(fits)
      if old.isEmpty {
        let end = finding.window.upperBound + 1
        old = (end..<min(buckets.count, end + Self.reach)).filter(fits)
      }
    }
    guard let first = old.first, let last = old.last, !new.isEmpty else { return nil }
    (self.first, self.last) = (first, last)
    func size(_ t: Int) -> Double {
      buckets[t].exposure > 0 && buckets[t].exposure.isFinite ? buckets[t].exposure : 1
    }
    for t in new {
      isAfter[t] = true
      afterSize += size(t)
    }
    for t in old {
      before[t] = beforeCount
      beforeCount += 1
      beforeSize += size(t)
    }
  }
}

/// What the values of one field make of a change or a difference.
struct FieldExplanation: Sendable {
  var field: String
  /// Encoded values, as ``SegmentExplanation/Part/segment`` numbers them.
  var values: [[UInt8]]
  var segments: [SegmentExplanation.Segment]
  var explanation: SegmentExplanation

  /// Whether few of its values explain most, and not by chance. `fields` are looked at.
  func standsOut(among fields: Int) -> Bool {
    guard let carriers = explanation.carriers else { return false }
    return explanation.p <= 0.01 / Double(max(1, fields)) && 2 * carriers <= values.count
  }

  /// How surprising those are that carry the change.
  var surprise: Double {
    explanation.parts.prefix(explanation.carriers ?? 0).reduce(0) { $0 + $1.surprise }
  }
}
