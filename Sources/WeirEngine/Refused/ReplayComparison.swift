import WeirData

/// What became of the records that a run refused, in a later run over the same input.
///
/// A record is told by its source, shard and line, as long as the content of the shard is the same;
/// shards that changed, came or went are counted apart.
public struct ReplayComparison: Sendable {
  /// Records that the first run refused, those in changed shards left out.
  public private(set) var refusedThen = 0
  /// Those of them that the second run did not refuse.
  public private(set) var accepted = 0
  /// Those of them that it refused again, by the code that it refuses them with, most frequent first.
  public private(set) var stillRefused: [(code: String, count: Int)] = []
  /// Records that only the second run refused, those in changed shards left out.
  public private(set) var newlyRefused: [(code: String, count: Int)] = []
  /// Records in shards whose content is not the same, or that only one of the runs read: refused by the
  /// first run, and by the second.
  public private(set) var inOtherShards = (then: 0, now: 0)

  /// - Parameters:
  ///   - old: its quarantine is there.
  ///   - new: the same, and its ledger.
  public init(_ old: RunFolder, _ new: RunFolder) throws {
    let oldContents = try old.shardContents()
    let newContents = try new.shardContents()
    let before = try RefusedLines(old)
    let now = try RefusedLines(new)
    var still: [String: Int] = [:]
    var fresh: [String: Int] = [:]
    for place in Set(before.lines.keys).union(now.lines.keys) {
      let (a, b) = (before.lines[place] ?? [], now.lines[place] ?? [])
      guard let content = oldContents[place], content == newContents[place] else {
        inOtherShards.then += a.count
        inOtherShards.now += b.count
        continue
      }
      refusedThen += a.count
      var then = Set(a.map(\.line))
      for refusal in b {
        let code = now.codes[Int(refusal.code)]
        if then.remove(refusal.line) != nil {
          still[code, default: 0] += 1
        } else {
          fresh[code, default: 0] += 1
        }
      }
      accepted += then.count
    }
    stillRefused = sorted(still)
    newlyRefused = sorted(fresh)
  }

  public var json: JSONValue {
    func counts(_ codes: [(code: String, count: Int)]) -> JSONValue {
      [
        "records": .int(codes.reduce(0) { $0 + $1.count }),
        "codes": .object(codes.map { JSONMember($0.code, .int($0.count)) }),
      ]
    }
    return [
      "refused_then": .int(refusedThen), "accepted": .int(accepted),
      "still_refused": counts(stillRefused), "newly_refused": counts(newlyRefused),
      "in_other_shards": [
        "refused_then": .int(inOtherShards.then), "refused_now": .int(inOtherShards.now),
      ],
    ]
  }
}

private func sorted(_ codes: [String: Int]) -> [(code: String, count: Int)] {
  codes.sorted { a, b in
    a.value != b.value
      ? a.value > b.value : a.key.utf8.lexicographicallyPrecedes(b.key.utf8)
  }.map { (code: $0.key, count: $0.value) }
}

/// The lines that a run refused: 8 bytes each.
private struct RefusedLines {
  struct Refusal {
    var line: UInt32
    /// In ``RefusedLines/codes``.
    var code: UInt32
  }
  private(set) var lines: [ShardPlace: [Refusal]] = [:]
  private(set) var codes: [String] = []

  init(_ run: RunFolder) throws {
    let names = ByteDictionary()
    var place: ShardPlace?
    var here: [Refusal] = []
    try QuarantineReader(path: run.quarantinePath).forEach { entry in
      // The entries of a shard stand together.
      if place.map({
        !$0.shard.elementsEqual(entry.shard) || !$0.source.elementsEqual(entry.source)
      })
        ?? true
      {
        if let place { lines[place] = here }
        let next = ShardPlace(source: Array(entry.source), shard: Array(entry.shard))
        here = lines[next] ?? []
        place = next
      }
      let line = UInt32(truncatingIfNeeded: entry.line)
      // A record that several stages refused counts once, for the first of them.
      if here.last?.line != line {
        here.append(Refusal(line: line, code: UInt32(names.code(of: entry.code))))
      }
    }
    if let place { lines[place] = here }
    codes = (0..<names.count).map { String(decoding: names.bytes(of: $0), as: UTF8.self) }
  }
}
