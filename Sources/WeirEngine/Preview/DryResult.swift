import WeirData

/// What a run in memory came to.
public struct DryResult: Sendable {
  public var ledger: Ledger
  /// The lines of the quarantine, in its order.
  public var quarantine: [[UInt8]]
  /// By path.
  public var files: [DryFile]
  /// By stage and output.
  var made: [Int: [String: StageOutput]]
  /// Budgets that are over; a run would withhold its outputs where one does not only warn.
  public var overBudget: [BudgetExcess]
  public var findings: [(level: String, count: Int)]
  /// Barrier -> bytes that were kept for it and behind it.
  var bytesKept: [Int: Int]
}

/// A file as a run would write it.
public struct DryFile: Sendable {
  public var sink: String
  /// Below the output directory.
  public var path: String
  /// As on disk.
  public var bytes: [UInt8]
  public var rows: Int

  /// Its lines, decompressed where it is compressed.
  public func lines() throws -> [[UInt8]] {
    guard !bytes.isEmpty, var text = try ShardUnpacker.unpack(bytes, path: path) else { return [] }
    if text.last == 0x0A { text.removeLast() }
    return text.isEmpty
      ? [] : text.split(separator: 0x0A, omittingEmptySubsequences: false).map { Array($0) }
  }
}

extension Plan {
  /// Runs the plan in memory over input that is given. Looks at no shard, and writes nothing.
  public func dryRun(_ shards: [DryShard]) async throws -> DryResult {
    try await DryRun(plan: self, shards: shards).run()
  }
}
