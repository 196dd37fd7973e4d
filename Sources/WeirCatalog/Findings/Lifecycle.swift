import WeirData
import WeirEngine

/// What became of the findings of an output since its last run.
struct Lifecycle {
  enum State: String, CaseIterable {
    /// Never found before.
    case new
    /// Found in the run before as well.
    case ongoing
    /// Found in the run before, and not in this.
    case resolved
    /// Found in an earlier run, not in the one before, and now again.
    case reopened
  }

  /// One that an earlier run knew.
  struct Known {
    var lifecycle: String
    var isOpen: Bool
    var finding: SeenFinding
    var firstRun: String
    var firstSeen: String
  }

  struct Entry {
    var state: State
    var known: Known

    var json: JSONValue {
      .object(
        [
          JSONMember("lifecycle", .text(known.lifecycle)),
          JSONMember("state", .text(state.rawValue)),
        ] + known.finding.members + [
          JSONMember("first_run", .text(known.firstRun)),
          JSONMember("first_seen", .text(known.firstSeen)),
        ])
    }
  }

  /// Those that there are, in their order, then those that are resolved.
  private(set) var entries: [Entry] = []

  /// - Parameters:
  ///   - run, seen: of this run, for what is new.
  init(_ findings: [SeenFinding], known: [Known], run: String, seen: String) {
    let pairs = Lifecycle.pair(findings, known)
    for (i, finding) in findings.enumerated() {
      guard let old = pairs[i] else {
        entries.append(
          Entry(
            state: .new,
            known: Known(
              lifecycle: Lifecycle.name(finding, i, run), isOpen: true, finding: finding,
              firstRun: run, firstSeen: seen)))
        continue
      }
      var same = known[old]
      same.finding = finding
      entries.append(Entry(state: known[old].isOpen ? .ongoing : .reopened, known: same))
    }
    let found = Set(pairs.compactMap { $0 })
    for (i, old) in known.enumerated() where old.isOpen && !found.contains(i) {
      entries.append(Entry(state: .resolved, known: old))
    }
  }

  func count(_ state: State) -> Int { entries.count { $0.state == state } }

  var json: JSONValue {
    .object(
      State.allCases.map { JSONMember($0.rawValue, .int(count($0))) } + [
        JSONMember("list", .array(entries.map(\.json)))
      ])
  }

  /// For each finding the place of the one that it was, if it was one: of the same identity and at an
  /// overlapping place in time. Where there are several, the closest.
  private static func pair(_ findings: [SeenFinding], _ known: [Known]) -> [Int?] {
    var byIdentity: [[UInt8]: [Int]] = [:]
    for (i, old) in known.enumerated() { byIdentity[old.finding.identity, default: []].append(i) }
    var candidates: [(rank: Rank, now: Int, old: Int)] = []
    for (i, finding) in findings.enumerated() {
      for j in byIdentity[finding.identity] ?? []
      where known[j].finding.place.overlaps(finding.place) {
        candidates.append((Rank(finding, known[j]), i, j))
      }
    }
    candidates.sort { ($0.rank, $0.now, $0.old) < ($1.rank, $1.now, $1.old) }
    var result = [Int?](repeating: nil, count: findings.count)
    var taken: Set<Int> = []
    for candidate in candidates
    where result[candidate.now] == nil && !taken.contains(candidate.old) {
      result[candidate.now] = candidate.old
      taken.insert(candidate.old)
    }
    return result
  }

  /// How well two go together: the least first.
  private struct Rank: Comparable {
    var isOther: Int
    var isOtherType: Int
    var days: Int
    var isClosed: Int

    init(_ finding: SeenFinding, _ known: Known) {
      isOther = same(finding.id, known.finding.id) ? 0 : 1
      isOtherType = same(finding.type, known.finding.type) ? 0 : 1
      days = abs(finding.anchor - known.finding.anchor)
      isClosed = known.isOpen ? 0 : 1
    }

    static func < (a: Rank, b: Rank) -> Bool {
      (a.isOther, a.isOtherType, a.days, a.isClosed) < (
        b.isOther, b.isOtherType, b.days, b.isClosed
      )
    }
  }

  /// The first twelve digits of a hash over what it is, and the run that found it first with its place
  /// there.
  private static func name(_ finding: SeenFinding, _ place: Int, _ run: String) -> String {
    let text = finding.identity + Array("\(finding.anchor) \(place) \(run)".utf8)
    return String(decoding: hexText(sha256(text)).utf8.prefix(12), as: UTF8.self)
  }
}
