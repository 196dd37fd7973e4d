import WeirData
import WeirEngine
import WeirStatistics

/// What the values of one field make of a difference.
struct CompareExplanation {
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

  var surprise: Double {
    explanation.parts.prefix(explanation.carriers ?? 0).reduce(0) { $0 + $1.surprise }
  }
}

/// The segments of all shards, to ask what carries a difference.
struct CompareSegments {
  let rules: CompareRules
  let states: [TrendState]
  let calendar: TrendCalendar
  private let slots: [[[Int]]]
  /// Groups of each state by their keys, and the encoded values of each.
  private let groups: [[Int]]
  private let parts: [[[[UInt8]]]]

  init(_ states: [TrendState], rules: CompareRules, calendar: TrendCalendar) {
    self.states = states
    self.rules = rules
    self.calendar = calendar
    slots = states.map { $0.slotsByGroup() }
    groups = states.map { $0.sortedGroups() }
    parts = states.map { state in
      (0..<state.groups.count).map { keyParts(Array(state.groups.bytes(of: $0))) ?? [] }
    }
  }

  /// One for each field; none of a metric that cannot be taken apart.
  func explain(_ subject: CompareSubject, metric: Int, _ result: SideComparison)
    -> [CompareExplanation]
  {
    states.indices.compactMap { explain($0, subject, metric, result) }
  }

  private func explain(
    _ field: Int, _ subject: CompareSubject, _ metric: Int, _ result: SideComparison
  ) -> CompareExplanation? {
    let state = states[field]
    var values: [[UInt8]] = []
    var place: [[UInt8]: Int] = [:]
    var segments: [SegmentExplanation.Segment] = []
    // Events of each bucket of side a, by value: how much days differ.
    let column = Dictionary(
      uniqueKeysWithValues: subject.a.buckets.sorted().enumerated().map { ($1, $0) })
    var daily: [[Double]] = []
    for group in groups[field] {
      let parts = parts[field][group]
      guard parts.count == rules.series.by.count + 1,
        zip(parts, subject.key).allSatisfy({ part, wanted in wanted.map { $0 == part } ?? true })
      else { continue }
      for slot in slots[field][group] {
        guard let t = calendar.index(of: state.slots[slot].bucket),
          let isB = isSecond(subject, parts, t)
        else { continue }
        let value = parts[parts.count - 1]
        let at: Int
        if let known = place[value] {
          at = known
        } else {
          at = values.count
          place[value] = at
          values.append(value)
          segments.append(SegmentExplanation.Segment(n0: 0, k0: 0, n1: 0, k1: 0))
          daily.append([Double](repeating: 0, count: column.count))
        }
        let (k, n) = counts(state, metric, slot)
        if isB {
          segments[at].k1 += k
          segments[at].n1 += n
        } else {
          segments[at].k0 += k
          segments[at].n0 += n
          if let t = column[t] { daily[at][t] += k }
        }
      }
    }
    let order = values.indices.sorted { values[$0].lexicographicallyPrecedes(values[$1]) }
    let sorted = order.map { segments[$0] }
    guard
      let found = SegmentExplanation(
        sorted, kind: rules.series.metrics[metric].kind, size0: Double(result.bucketsA),
        size1: Double(result.bucketsB),
        dispersion: makeUpDispersion(order.map { daily[$0] }))
    else { return nil }
    return CompareExplanation(
      field: rules.series.segments[field], values: order.map { values[$0] }, segments: sorted,
      explanation: found)
  }

  /// Which side a group and bucket are on; `nil`: on none.
  private func isSecond(_ subject: CompareSubject, _ parts: [[UInt8]], _ t: Int) -> Bool? {
    guard rules.field != nil else {
      if subject.a.buckets.contains(t) { return false }
      return subject.b.buckets.contains(t) ? true : nil
    }
    guard subject.a.buckets.contains(t) else { return nil }
    let value = parts[rules.by]
    if value == subject.b.value { return true }
    // Without a value it is the rest.
    return subject.a.value.map { $0 == value } ?? true ? false : nil
  }

  private func counts(_ state: TrendState, _ metric: Int, _ slot: Int) -> (k: Double, n: Double) {
    let records = Double(state.records[slot])
    switch rules.series.metrics[metric].formula {
    case .all: return (records, records)
    case .matching, .rate: return (Double(state.counter(metric, in: slot)), records)
    case .mean:
      let moments = state.moments(metric, in: slot)
      return (moments.sum, Double(moments.count))
    case .quantile, .distinct: return (0, records)
    }
  }
}
