import WeirData

/// A number that a node counts, and the line where it began to.
struct NodeTally: Sendable, Equatable {
  var count = 0
  /// 0: none.
  var firstLine = 0

  mutating func add(_ count: Int, firstLine: Int) {
    if self.count == 0, count > 0 { self.firstLine = firstLine }
    self.count += count
  }
}

/// What is known about one shard from pass to pass. One task at a time has it.
final class ShardState: @unchecked Sendable {
  let lane: Int
  /// Place of the shard in the order of all input.
  let ordinal: Int
  let shard: Shard
  var contentHash: Hash128?
  /// How the shard looked when its content was read.
  var look: ShardContents.Look?
  var uncheckedFrames = 0
  /// What names the result of the last pass, where results are kept.
  var taskKey: Hash128?
  /// Whether the result of the last pass was kept from another run.
  var isReused = false
  /// While a task works on the shard, or ``bringBack()`` was called.
  var outcomes = LineOutcomes()
  /// Lines of the shard, blank ones included, as of the last ``setAside()``.
  private(set) var lines = 0
  /// Lines of white space.
  var blank = 0
  /// By node of the lane.
  var counts: [StageCounts]
  /// Node -> what it counts for itself: the records that left by each of its outputs, or that failed each
  /// of its checks.
  var tallies: [Int: [NodeTally]] = [:]
  /// By pass; those that refused something.
  var quarantines: [Int: ShardQuarantine] = [:]
  /// Barrier node -> what it collected here, and what does not pass it.
  var tuples: [Int: BarrierTuples] = [:]
  var blocked: [Int: LineBitmap] = [:]
  /// Barrier node -> the columns kept for later passes.
  var retained: [Int: RetainedColumns] = [:]
  /// Barrier node -> the key columns of its records, where the removed ones are wanted.
  var keys: [Int: RetainedColumns] = [:]
  /// Barrier node that nothing stands behind -> the lines that came to it.
  var arrived: [Int: LineBitmap] = [:]
  /// Where what is kept from pass to pass lies.
  let memory: RunMemory
  private var waiting: (outcomes: RunMemory.Waiting, groups: RunMemory.Waiting?)?
  /// What happened to lines while they wait.
  private var raises: [(lines: LineBitmap, outcome: Outcome)] = []
  /// Group of each line by the `ledger_by` fields, and what the groups are called. Like ``outcomes``.
  var lineGroups: [UInt32] = []
  let groups = ByteDictionary()
  /// What it adds to the error budgets, where there are any.
  var refusals = ShardRefusals()
  /// Why the shard was set aside: nothing else is known of it then, and no task works on it.
  var fault: ShardFault?
  /// What the task in hand has added to the progress.
  var shownBytes = 0
  var shownRows = 0

  init(lane: Int, ordinal: Int, shard: Shard, nodes: Int, memory: RunMemory) {
    self.memory = memory
    self.lane = lane
    self.ordinal = ordinal
    self.shard = shard
    counts = Array(repeating: StageCounts(), count: nodes)
  }

  /// The same shard with the same barriers decided, to go over a pass once more for nothing but the
  /// text of what it refused.
  func forQuarantine() -> ShardState {
    let copy = ShardState(
      lane: lane, ordinal: ordinal, shard: shard, nodes: counts.count, memory: memory)
    copy.contentHash = contentHash
    copy.blocked = blocked
    copy.outcomes.extend(to: outcomes.bytes.count)
    return copy
  }

  /// Notes what was read.
  ///
  /// - Throws: where an earlier reading found another content.
  func note(_ hash: Hash128) throws(ShardError) {
    if let before = contentHash, before != hash {
      throw ShardError(
        code: .changed, path: shard.path, byte: nil,
        message: "the file is not the one that this run read before",
        fix: "wait until its writer is done, then run again", isTransient: true)
    }
    contentHash = hash
  }

  // MARK: Between the passes

  /// Puts away what is known of each line until it is asked for again. May block.
  func setAside() throws {
    guard waiting == nil else { return }
    lines = outcomes.bytes.count
    waiting = (
      try memory.setAside(outcomes.encoded),
      lineGroups.isEmpty ? nil : try memory.setAside(encodeGroups(lineGroups))
    )
    outcomes = LineOutcomes()
    lineGroups = []
  }

  /// The same with what an earlier run made of the shard, in the place of what is known. May block.
  ///
  /// - Parameters:
  ///   - outcomes: ``LineOutcomes/encoded``.
  ///   - groups: what `encodeGroups(_:)` made; empty where there are none.
  func setAside(outcomes: [UInt8], groups: [UInt8]) throws {
    try dropAside()
    lines = LineOutcomes.counts(encoded: outcomes).reduce(0, +)
    waiting = (
      try memory.setAside(outcomes), groups.isEmpty ? nil : try memory.setAside(groups)
    )
  }

  /// Gets it back. May block.
  func bringBack() throws {
    guard let waiting else { return }
    self.waiting = nil
    outcomes = LineOutcomes(encoded: try memory.takeBack(waiting.outcomes))
    lineGroups = try waiting.groups.map { decodeGroups(try memory.takeBack($0)) } ?? []
    for raise in raises { self.raise(raise.lines, to: raise.outcome) }
    raises = []
  }

  /// Notes what became of some lines, at once or as soon as they are brought back.
  func raise(_ lines: LineBitmap, to outcome: Outcome) {
    if waiting == nil {
      lines.forEach { outcomes.raise(Int($0), to: outcome) }
    } else {
      raises.append((lines, outcome))
    }
  }

  /// Lets go of it: something else takes its place. May block.
  func dropAside() throws {
    guard let waiting else { return }
    self.waiting = nil
    raises = []
    _ = try memory.takeBack(waiting.outcomes)
    if let groups = waiting.groups { _ = try memory.takeBack(groups) }
  }

  // MARK: What came of it

  /// Counts the lines for good: nothing more happens to them. May block.
  ///
  /// - Parameter isPartial: whether the run stopped before its end: lines that nothing became of are
  ///   unfinished then, not lost.
  func settle(isPartial: Bool = false) throws {
    let counts: [Int]
    if let waiting, waiting.groups == nil, groups.count == 0, raises.isEmpty {
      self.waiting = nil
      counts = LineOutcomes.counts(encoded: try memory.takeBack(waiting.outcomes))
    } else {
      try bringBack()
      counts = outcomes.counts
    }
    records = count(counts)
    if isPartial { records.unfinished = counts[Int(Outcome.read.rawValue)] }
    outcomesByGroup = groups.count == 0 ? [counts] : countByGroup()
    outcomes = LineOutcomes()
    lineGroups = []
  }

  /// Once it is settled.
  private(set) var records = RecordCounts()
  /// Lines by group, from 0 for those without one, and by outcome; once it is settled.
  private(set) var outcomesByGroup: [[Int]] = []

  private func count(_ counts: [Int]) -> RecordCounts {
    var records = RecordCounts()
    records.blank = blank
    // Blank lines behind the last record are in no batch; those between are.
    func count(_ outcome: Outcome) -> Int { counts[Int(outcome.rawValue)] }
    records.read = counts.reduce(0, +) - count(.blank)
    records.written = count(.written)
    records.filtered = count(.filtered)
    records.deduplicated = count(.deduplicated)
    records.quarantined = count(.quarantined)
    return records
  }

  private func countByGroup() -> [[Int]] {
    let kinds = Outcome.allCases.count
    var counts = [Int](repeating: 0, count: (groups.count + 1) * kinds)
    counts.withUnsafeMutableBufferPointer { counts in
      outcomes.bytes.withUnsafeBufferPointer { bytes in
        lineGroups.withUnsafeBufferPointer { lineGroups in
          for i in 0..<bytes.count {
            let group = i < lineGroups.count ? Int(lineGroups[i]) : 0
            counts[group &* kinds &+ Int(bytes[i])] &+= 1
          }
        }
      }
    }
    return (0...groups.count).map { Array(counts[($0 * kinds)..<(($0 + 1) * kinds)]) }
  }
}
