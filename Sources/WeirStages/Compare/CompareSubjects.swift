import WeirData
import WeirEngine
import WeirStatistics

/// Two sides of one group.
struct CompareSubject {
  struct Side {
    /// Name of the period, or the value as text.
    var name: String
    /// Encoded value; `nil` for a period and for the rest.
    var value: [UInt8]?
    /// Groups of the state, in their order: sums of doubles run in it.
    var groups: [Int]
    var buckets: Set<Int>
    /// First and last day; `nil` without buckets.
    var from: CivilDate?
    var to: CivilDate?
  }
  /// Encoded values of the group; `nil` for all.
  var key: [[UInt8]?]
  var a: Side
  var b: Side
}

/// What is compared with what.
struct CompareSubjects {
  let rules: CompareRules
  let state: TrendState
  let calendar: TrendCalendar

  /// Groups first, then the totals with ever fewer fields.
  ///
  /// A total over groups that all have one value of a field is left out: the group says the same.
  ///
  /// - Throws: ``RunError`` `too_many_comparisons`.
  func all() throws(RunError) -> [CompareSubject] {
    let totals = GroupTotals(state: state, calendar: calendar, fields: rules.by)
    let parts = Dictionary(uniqueKeysWithValues: zip(totals.groups, totals.parts))
    var subjects: [CompareSubject] = []
    for key in try totals.keys() {
      subjects += sides(key.parts, key.groups, key.groups.map { parts[$0] ?? [] })
      guard subjects.count * rules.series.metrics.count <= rules.most else {
        throw RunError(
          code: "too_many_comparisons",
          message: "there would be more than \(rules.most) comparisons",
          fix: "take a field out of \"by\", name \"values\", or raise \"max_comparisons\"")
      }
    }
    return subjects
  }

  /// The pairs of one group.
  private func sides(
    _ key: [[UInt8]?], _ groups: [Int], _ parts: [[[UInt8]]]
  ) -> [CompareSubject] {
    switch rules.sides {
    case .periods(let a, let b):
      return [CompareSubject(key: key, a: side(a, groups), b: side(b, groups))]
    case .values(let wanted, let against):
      let known = Set(parts.map { $0[rules.by] }).sorted {
        GroupTotals.precedes([$0], [$1])
      }
      // In the order of `values`, where there is one.
      let values: [[UInt8]]
      if let wanted {
        values = wanted.flatMap { name in
          known.filter { (keyText($0) ?? "").utf8.elementsEqual(name.utf8) }
        }
      } else {
        values = known
      }
      func one(_ value: [UInt8]) -> CompareSubject.Side {
        side(
          keyText(value) ?? "", value,
          groups.indices.filter { parts[$0][rules.by] == value }.map { groups[$0] })
      }
      func rest(_ value: [UInt8]) -> CompareSubject.Side {
        side(
          "the rest", nil,
          groups.indices.filter { parts[$0][rules.by] != value }.map { groups[$0] })
      }
      switch against {
      case .rest:
        guard known.count > 1 else { return [] }
        return values.map { CompareSubject(key: key, a: rest($0), b: one($0)) }
      case .first:
        guard let name = wanted?.first, let first = values.first,
          (keyText(first) ?? "").utf8.elementsEqual(name.utf8)
        else { return [] }
        let base = one(first)
        return values.dropFirst().map { CompareSubject(key: key, a: base, b: one($0)) }
      case .eachOther:
        let made = values.map(one)
        return made.indices.flatMap { i in
          made[(i + 1)...].map { CompareSubject(key: key, a: made[i], b: $0) }
        }
      }
    }
  }

  private func side(_ period: ComparePeriod, _ groups: [Int]) -> CompareSubject.Side {
    let days = rules.series.clock.days
    let inside = calendar.starts.indices.filter { t in
      let first = calendar.starts[t]
      let last = CivilDate(daysSinceEpoch: first.daysSinceEpoch + days - 1)
      return isCompared(t) && first >= period.from && period.to.map { last <= $0 } ?? true
    }
    return side(period.name, nil, groups, inside)
  }

  private func side(_ name: String, _ value: [UInt8]?, _ groups: [Int]) -> CompareSubject.Side {
    side(name, value, groups, calendar.starts.indices.filter(isCompared))
  }

  private func side(
    _ name: String, _ value: [UInt8]?, _ groups: [Int], _ buckets: [Int]
  ) -> CompareSubject.Side {
    let days = rules.series.clock.days
    return CompareSubject.Side(
      name: name, value: value, groups: groups, buckets: Set(buckets),
      from: buckets.first.map { calendar.starts[$0] },
      to: buckets.last.map {
        CivilDate(daysSinceEpoch: calendar.starts[$0].daysSinceEpoch + days - 1)
      })
  }

  private func isCompared(_ t: Int) -> Bool {
    calendar.states[t].isCompared
  }
}
