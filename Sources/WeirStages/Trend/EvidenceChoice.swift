import WeirData
import WeirEngine
import WeirStatistics

/// Chooses the records behind findings: ten exemplars of the window (or of the side that is compared) and five
/// controls of what it is held against, on the side that grew (of a rate that rose those that the condition takes, of one that
/// fell the others), first those of the segment that carries the change. Of these the smallest hashes.
struct EvidenceChoice {
  /// Findings with evidence, the first by rank.
  static let findingsMost = 2_000
  static let exemplars = 10
  static let controls = 5

  /// What one finding asks for.
  struct Wish {
    /// Encoded values of the group; `nil` for all.
    var key: [[UInt8]?]
    /// What each bucket is; with ``split``, whether it is of use.
    var roles: [EvidenceRecord.Role?]
    /// Where the values of a field are compared and not days.
    var split: Split?
    /// Those that count (see ``EvidenceSample``).
    var classes: [Int]
    /// Field and values of the segment that carries the change.
    var carriers: (field: Int, values: Set<[UInt8]>)?
    /// What the chosen are, in words.
    var what: String
    /// The same of the carriers, else of nobody.
    var carried: String?
    /// Where exemplars and controls are from, in words.
    var places = (exemplars: "in the window", controls: "from the time it is held against")
  }

  /// A field of the group whose value decides.
  struct Split {
    var field: Int
    var exemplars: [UInt8]
    /// `nil`: all others.
    var controls: [UInt8]?

    func role(of parts: [[UInt8]]) -> EvidenceRecord.Role? {
      guard parts.indices.contains(field) else { return nil }
      if parts[field] == exemplars { return .exemplar }
      return controls.map { $0 == parts[field] } ?? true ? .control : nil
    }
  }

  private struct Candidate {
    var isCarrier: Bool
    var shard: Int
    var bucket: Int
    var entry: EvidenceSample.Entry

    func precedes(_ other: Candidate) -> Bool {
      if isCarrier != other.isCarrier { return isCarrier }
      if entry.hash != other.entry.hash { return entry.hash < other.entry.hash }
      return (shard, entry.line) < (other.shard, other.entry.line)
    }
    func isSame(_ other: Candidate) -> Bool {
      shard == other.shard && entry.line == other.entry.line
    }
  }

  let calendar: TrendCalendar
  let classes: Int
  private let wishes: [Wish?]
  private var chosen: [(exemplars: [Candidate], controls: [Candidate])]
  private var shards: [ShardOrigin] = []

  /// - Parameter wishes: of the findings in their order; `nil` for those that want no records.
  init(_ wishes: [Wish?], classes: Int, calendar: TrendCalendar) {
    self.wishes = wishes
    self.classes = classes
    self.calendar = calendar
    chosen = wishes.map { _ in ([], []) }
  }

  /// Looks at all candidates once.
  mutating func look(at kept: KeptParts) throws {
    var members: [[UInt8]: [Interest]] = [:]
    try kept.forEach { origin, bytes in
      // Several ways to the stage bring several parts of one shard.
      if shards.last != origin { shards.append(origin) }
      let shard = shards.count - 1
      var interested: [Interest] = []
      try EvidenceSample.read(bytes, classes: classes) { key in
        if let known = members[key] {
          interested = known
        } else {
          interested = self.interested(in: key)
          members[key] = interested
        }
        return !interested.isEmpty
      } entry: { bucket, place, entry, segments in
        guard let t = calendar.index(of: bucket) else { return }
        for (finding, fixed) in interested {
          guard let wish = wishes[finding], let day = wish.roles[t], wish.classes.contains(place)
          else { continue }
          let role = fixed ?? day
          let isCarrier =
            wish.carriers.map { carriers in
              keyParts(segments).map {
                $0.indices.contains(carriers.field)
                  && carriers.values.contains($0[carriers.field])
              } ?? false
            } ?? false
          let candidate = Candidate(
            isCarrier: isCarrier, shard: shard, bucket: t, entry: entry)
          switch role {
          case .exemplar:
            Self.take(candidate, into: &chosen[finding].exemplars, most: Self.exemplars)
          case .control:
            Self.take(candidate, into: &chosen[finding].controls, most: Self.controls)
          }
        }
      }
    }
  }

  /// A finding that looks at a group, and what the records of it are where the days do not tell.
  private typealias Interest = (finding: Int, role: EvidenceRecord.Role?)

  private func interested(in key: [UInt8]) -> [Interest] {
    guard let parts = keyParts(key) else { return [] }
    return wishes.indices.compactMap { i in
      guard let wish = wishes[i],
        zip(parts, wish.key).allSatisfy({ part, wanted in wanted.map { $0 == part } ?? true })
      else { return nil }
      guard let split = wish.split else { return (i, nil) }
      return split.role(of: parts).map { (i, $0) }
    }
  }

  private static func take(_ new: Candidate, into list: inout [Candidate], most: Int) {
    if list.count == most, !new.precedes(list[most - 1]) { return }
    if list.contains(where: { $0.isSame(new) }) { return }
    let at = list.firstIndex { new.precedes($0) } ?? list.count
    list.insert(new, at: at)
    if list.count > most { list.removeLast() }
  }

  /// The records of a finding: exemplars, then controls, each in the order of the input.
  func records(_ finding: Int) -> [EvidenceRecord] {
    guard let wish = wishes[finding] else { return [] }
    func made(_ list: [Candidate], _ role: EvidenceRecord.Role) -> [EvidenceRecord] {
      list.sorted { ($0.shard, $0.entry.line) < ($1.shard, $1.entry.line) }.map { candidate in
        let when = role == .exemplar ? wish.places.exemplars : wish.places.controls
        let carried = candidate.isCarrier ? wish.carried : nil
        return EvidenceRecord(
          role: role, origin: shards[candidate.shard], line: Int(candidate.entry.line),
          byteOffset: candidate.entry.byteOffset,
          date: calendar.starts[candidate.bucket].iso,
          why: [wish.what, carried, when].compactMap { $0 }.joined(separator: ", "))
      }
    }
    let found = chosen[finding]
    return made(found.exemplars, .exemplar) + made(found.controls, .control)
  }
}

extension EvidenceChoice.Wish {
  /// - Parameters:
  ///   - metric: place among the metrics.
  ///   - why: the field that stands out, if any.
  init?(
    _ finding: TrendFinding, _ series: TrendSeries, _ parts: [[UInt8]?], metric: Int,
    rules: TrendRules, why: FieldExplanation?
  ) {
    guard let periods = EvidencePeriods(finding, series) else { return nil }
    self.init(
      key: parts, roles: periods.roles, isUp: finding.direction == .up, metric: metric,
      rules: rules, why: why)
  }

  /// - Parameters:
  ///   - key: encoded values of the group; `nil` for all.
  ///   - isUp: whether what is compared lies higher.
  init(
    key: [[UInt8]?], roles: [EvidenceRecord.Role?], isUp: Bool, metric: Int, rules: TrendRules,
    why: FieldExplanation?
  ) {
    self.key = key
    self.roles = roles
    let conditions = rules.conditionPlaces
    switch (rules.metrics[metric].formula, conditions[metric]) {
    case (.rate(let condition), let place?):
      classes = [EvidenceSample.place(ofCondition: place, isTaken: isUp)]
      what = isUp ? condition : "not (\(condition))"
    case (.matching(let condition), let place?):
      classes = [EvidenceSample.place(ofCondition: place, isTaken: true)]
      what = condition
    default:
      // Whatever the first condition says.
      classes = rules.conditionCount > 0 ? [0, 1] : [0]
      what = "any record of the group"
    }
    guard let why, let field = rules.segments.firstIndex(where: { same($0, why.field) }) else {
      return
    }
    let values = why.explanation.parts.prefix(why.explanation.carriers ?? 0).map {
      why.values[$0.segment]
    }
    carriers = (field, Set(values))
    let shown = values.prefix(3).map { keyText($0) ?? "" }
    carried =
      "\(why.field) \(shown.joined(separator: " or "))"
      + (values.count > 3 ? " or \(values.count - 3) more" : "")
  }
}

/// Which buckets show a finding, and which show what was before.
private struct EvidencePeriods {
  var roles: [EvidenceRecord.Role?]

  init?(_ finding: TrendFinding, _ series: TrendSeries) {
    roles = [EvidenceRecord.Role?](repeating: nil, count: series.buckets.count)
    if let periods = ComparedPeriods(finding, series) {
      for t in roles.indices {
        roles[t] = periods.isAfter[t] ? .exemplar : periods.before[t] != nil ? .control : nil
      }
      return
    }
    guard finding.type == .seasonBreak else { return nil }
    // The weekday that changed most, since then and before.
    for t in roles.indices {
      guard let first = series.firstWeekday, (first + t) % 7 == finding.weekday else { continue }
      roles[t] =
        finding.window.contains(t) ? .exemplar : t < finding.window.lowerBound ? .control : nil
    }
  }
}

extension TrendRules {
  /// For each metric with a condition its place among those.
  var conditionPlaces: [Int?] {
    var next = 0
    return metrics.map { metric in
      switch metric.formula {
      case .matching, .rate:
        next += 1
        return next - 1
      case .all, .mean, .quantile, .distinct, .counted, .ratio, .sums: return nil
      }
    }
  }

  var conditionCount: Int { conditionPlaces.count { $0 != nil } }
}
