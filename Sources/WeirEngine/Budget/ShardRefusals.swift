import WeirData

/// What one shard adds to the error budgets: how many of its records were refused, by whom and why, and
/// of how many. Added to when a pass over the shard is done.
struct ShardRefusals: Sendable {
  struct Key: Hashable {
    var stage: Int
    var code: String
    /// By the `ledger_by` fields, from 1; 0 where no budget asks, and for lines without any.
    var group: Int
  }
  struct Count {
    var count: Int
    /// The first of them.
    var line: Int
  }
  private(set) var counts: [Key: Count] = [:]
  /// Lines that are not blank.
  private(set) var read = 0
  /// The same by group, where a budget asks.
  private(set) var readByGroup: [Int] = []
  /// Node -> the records that it took in by group, where a budget asks.
  var taken: [Int: [Int]] = [:]

  fileprivate mutating func addLines(
    _ outcomes: LineOutcomes, _ lineGroups: [UInt32]?, groups: Int
  ) {
    guard let lineGroups else {
      read = outcomes.bytes.count - outcomes.count(of: .blank)
      return
    }
    readByGroup = [Int](repeating: 0, count: groups + 1)
    for (line, outcome) in outcomes.bytes.enumerated() where outcome != Outcome.blank.rawValue {
      readByGroup[line < lineGroups.count ? Int(lineGroups[line]) : 0] += 1
    }
    read = readByGroup.reduce(0, +)
  }

  fileprivate mutating func add(_ quarantine: ShardQuarantine, _ lineGroups: [UInt32]?) {
    for place in quarantine.places {
      let line = Int(place.line)
      var group = 0
      if let lineGroups, line <= lineGroups.count { group = Int(lineGroups[line - 1]) }
      let key = Key(
        stage: Int(place.stage), code: quarantine.keys[Int(place.key)].code, group: group)
      counts[key, default: Count(count: 0, line: line)].count += 1
      counts[key]!.line = min(counts[key]!.line, line)
    }
  }
}

extension ShardState {
  /// Notes what a pass over the shard refused. Call when the pass is done, while the lines are there.
  func countRefusals(inPass pass: Int, byGroup: Bool) throws {
    if pass == 0 || byGroup { try bringBack() }
    let groupOfLine = byGroup ? lineGroups : nil
    if pass == 0 { refusals.addLines(outcomes, groupOfLine, groups: groups.count) }
    if let quarantine = quarantines[pass] { refusals.add(quarantine, groupOfLine) }
  }
}

/// Counts what stages take in by group, for budgets with a rate for each: the groups of a batch are
/// known only when it went through all stages, so the selections wait until then.
struct GroupTally {
  private let nodes: Set<Int>
  private var waiting: [(node: Int, selection: Selection)] = []

  init(nodes: Set<Int>) { self.nodes = nodes }

  mutating func note(_ node: Int, _ selection: Selection) {
    if nodes.contains(node) { waiting.append((node, selection)) }
  }

  mutating func settle(
    _ batch: borrowing Batch, _ lineGroups: [UInt32], groups: Int, into taken: inout [Int: [Int]]
  ) {
    guard !waiting.isEmpty else { return }
    let lines = batch.lines
    for (node, selection) in waiting {
      var counts = taken.removeValue(forKey: node) ?? []
      if counts.count <= groups {
        counts.append(contentsOf: repeatElement(0, count: groups + 1 - counts.count))
      }
      for row in selection.rows {
        let line = Int(lines[Int(row)].number) - 1
        counts[line < lineGroups.count ? Int(lineGroups[line]) : 0] += 1
      }
      taken[node] = counts
    }
    waiting.removeAll(keepingCapacity: true)
  }
}
