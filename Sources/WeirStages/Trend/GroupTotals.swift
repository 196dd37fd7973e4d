import WeirData
import WeirEngine

/// One group, or a total over some of them.
struct TrendKey {
  /// Encoded value of each field; `nil` for all of them.
  var parts: [[UInt8]?]
  /// The groups of the state in it, in a fixed order: sums of doubles run in it.
  var groups: [Int]
}

/// The groups of a state that have a compared bucket, and the totals over them.
struct GroupTotals {
  /// Fields that make a group here: the first of those that are counted by.
  let fields: Int
  /// Groups of the state by their keys.
  let groups: [Int]
  /// Encoded values of each, of all fields that are counted by.
  let parts: [[[UInt8]]]

  init(state: TrendState, calendar: TrendCalendar, fields: Int) {
    self.fields = fields
    var isPresent = [Bool](repeating: false, count: state.groups.count)
    state.forEachCell { group, bucket, _ in
      if calendar.index(of: bucket) != nil { isPresent[group] = true }
    }
    groups = state.sortedGroups().filter { isPresent[$0] }
    parts = groups.map { keyParts(Array(state.groups.bytes(of: $0))) ?? [] }
  }

  /// Groups first, then the totals with ever fewer fields, each by the values of its fields.
  ///
  /// A total whose records all have one value of a field that it sums over is left out: the group with
  /// that value says the same, and testing it twice would cost certainty elsewhere.
  ///
  /// - Parameter check: told how many keys there are so far.
  func keys(_ check: (Int) throws(RunError) -> Void = { _ in }) throws(RunError) -> [TrendKey] {
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
      keys += found.sorted { GroupTotals.precedes($0.parts, $1.parts) }
      try check(keys.count)
    }
    return keys
  }

  /// By the values as a reader sees them, as bytes.
  static func precedes(_ a: [[UInt8]?], _ b: [[UInt8]?]) -> Bool {
    for (x, y) in zip(a, b) where x != y {
      let (s, t) = (Array((keyText(x) ?? "").utf8), Array((keyText(y) ?? "").utf8))
      if s != t { return s.lexicographicallyPrecedes(t) }
      return (x ?? []).lexicographicallyPrecedes(y ?? [])
    }
    return false
  }
}
