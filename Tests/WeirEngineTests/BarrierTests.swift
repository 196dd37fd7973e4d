import Testing
import WeirData
import WeirTesting

@testable import WeirEngine

/// A record as a barrier sees it, with its order as plain values.
private struct Candidate {
  var key: Int
  /// `nil` is null.
  var order: [Int?]
  var shard: Int
  var line: Int
}

@Suite struct `Deciding a barrier` {
  private static func hash(_ key: Int) -> Hash128 {
    var state = SeededRandom(seed: UInt64(key) &* 77)
    return Hash128(high: state.next(), low: state.next())
  }

  /// The plain rule: the highest order, null lowest, then the last place.
  private static func losers(_ all: [Candidate], keepsLast: Bool) -> [[Int]: [Int]] {
    var losers: [[Int]: [Int]] = [:]
    for key in Set(all.map(\.key)) {
      let group = all.filter { $0.key == key }.sorted { a, b in
        for (x, y) in zip(a.order, b.order) where x != y {
          return (x ?? Int.min) < (y ?? Int.min)
        }
        return (a.shard, a.line) < (b.shard, b.line)
      }
      let winner = keepsLast ? group.last! : group.first!
      for one in group where (one.shard, one.line) != (winner.shard, winner.line) {
        losers[[one.shard, one.line]] = [winner.shard, winner.line]
      }
    }
    return losers
  }

  /// Encodes orders as the collector does, through a batch.
  private static func tuples(
    _ all: [Candidate], shard: Int, types: [FieldType.Base], store: ChunkStore
  ) throws -> BarrierTuples {
    let mine = all.filter { $0.shard == shard }
    let rule = BarrierRule(
      key: [.init(field: FieldPath(components: [[0x6B]]), type: FieldType(.int), column: 0)],
      order: types.enumerated().map {
        .init(
          field: FieldPath(components: [[0x6F]]), type: FieldType($1, nullable: true),
          column: 1 + $0)
      }, keepsLast: true)
    let lines = mine.map { BatchLine(start: 0, length: 0, number: UInt32($0.line)) }
    var batch = Batch(
      bytes: Bytes(capacity: 0), lines: lines, columnCount: 1 + types.count)
    let tuples = BarrierTuples(store: store, shard: shard, instance: 0)
    let collector = BarrierCollector(
      rule: rule, hasher: SipHasher(secret: Array(repeating: 7, count: 16)), tuples: tuples)
    for (row, candidate) in mine.enumerated() {
      batch.column(0)[row] = .int(Int64(candidate.key))
      for (i, type) in types.enumerated() {
        batch.column(1 + i)[row] = cell(candidate.order[i], type, &batch.arena)
      }
    }
    // In two parts, with a block between them.
    let rows = Selection(all: mine.count).rows
    for part in [rows.prefix(mine.count / 3), rows.dropFirst(mine.count / 3)] {
      let kept = collector.collect(batch, Selection(rows: Array(part))) { _, _ in
        Issue.record("a key is missing")
      }
      #expect(kept.rows == Array(part))
      if mine.count % 2 == 0 { collector.finish() }
    }
    collector.finish()
    for write in collector.spills { try write.run() }
    return tuples
  }

  /// A value of the type that orders as the number does.
  private static func cell(_ value: Int?, _ type: FieldType.Base, _ arena: inout Arena) -> Cell {
    guard let value else { return value == nil ? .null : .missing }
    switch type {
    case .int: return .int(value == 3 ? .max : value == -3 ? .min : Int64(value))
    case .number:
      return .number(value == 3 ? 1e308 : value == -3 ? -1e308 : Double(value) * 1e-300)
    case .bool: return .bool(value > 0)
    case .timestamp: return .timestamp(microseconds: Int64(value))
    default:
      // "", "\0", "\0\0", "\u{1}", "a", "aa", "b": in the order of their bytes.
      let texts: [[UInt8]] = [[], [0], [0, 0], [1], [0x61], [0x61, 0x61], [0xC3, 0xA9]]
      return texts[value + 3].withUnsafeBufferPointer { .string(arena.store($0)) }
    }
  }

  @Test(arguments: 0..<60)
  func `gives what the plain rule gives, whatever the shards`(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let shardCount = 1 + random.below(4)
    let pool: [[FieldType.Base]] = [
      [], [.int], [.number], [.timestamp], [.string], [.int, .string], [.string, .number, .int],
    ]
    let types = random.pick(pool)
    let keys = 1 + random.below(40)
    var next = [Int](repeating: 0, count: shardCount)
    let all = (0..<random.below(300)).map { _ -> Candidate in
      let shard = random.below(shardCount)
      next[shard] += 1 + random.below(3)
      return Candidate(
        key: random.below(keys),
        order: types.map { _ in random.oneIn(6) ? nil : random.below(7) - 3 }, shard: shard,
        line: next[shard])
    }
    let expected = [true, false].map { Self.losers(all, keepsLast: $0) }
    // In memory, on the disk, and some of both; all at once, and in parts.
    for bytes in [.max, 0, random.below(2_000)] {
      try withTemporaryFolder { folder in
        let store = ChunkStore(
          budget: MemoryBudget(bytes: bytes), file: SpillFile(path: folder.file("tuples")))
        let shards = try (0..<shardCount).map {
          try Self.tuples(all, shard: $0, types: types, store: store)
        }
        for (keepsLast, expected) in zip([true, false], expected) {
          var found: [[Int]: [Int]] = [:]
          let resolver = BarrierResolver(
            keepsLast: keepsLast, limit: random.pick([.max, 1, 700, 3_000]))
          let together = random.pick([1, 2, 8, TupleIndex.together(shards)])
          for group in (0..<(BarrierTuples.partitions / together)).shuffled(using: &random) {
            try resolver.resolve(
              group, of: TupleIndex(shards.shuffled(using: &random), together: together)
            ) { _, losses in
              for loss in losses {
                let place = [loss.loser.shard, Int(loss.loser.line)]
                #expect(found[place] == nil, "a record lost twice")
                found[place] = [loss.winner.shard, Int(loss.winner.line)]
              }
            }
          }
          #expect(found == expected)
        }
      }
    }
  }

  @Test func `gives back the rows that have a key, and tells of the others`() {
    let column = BarrierRule.Column(
      field: FieldPath(components: [[0x6B]]), type: FieldType(.any), column: 0)
    var second = column
    second.column = 1
    for rule in [
      BarrierRule(key: [column], order: [], keepsLast: true),
      BarrierRule(key: [column, second], order: [], keepsLast: true),
    ] {
      let lines = (1...7).map { BatchLine(start: 0, length: 0, number: UInt32($0)) }
      let batch = Batch(bytes: Bytes(capacity: 0), lines: lines, columnCount: 2)
      for row in 0..<7 {
        batch.column(0)[row] = [0, 3, 4].contains(row) ? .null : .int(Int64(row))
        batch.column(1)[row] = .bool(true)
      }
      let store = ChunkStore(
        budget: MemoryBudget(bytes: .max), file: SpillFile(path: "/nowhere/tuples"))
      let tuples = BarrierTuples(store: store, shard: 0, instance: 0)
      let collector = BarrierCollector(
        rule: rule, hasher: SipHasher(secret: Array(repeating: 7, count: 16)), tuples: tuples)
      var missing: [Int] = []
      let kept = collector.collect(batch, Selection(rows: [0, 1, 2, 3, 4, 6])) { row, column in
        missing.append(row)
        #expect(column.column == 0)
      }
      collector.finish()
      #expect(kept.rows == [1, 2, 6] && missing == [0, 3, 4])
      #expect(tuples.blocks.map { $0.counts.reduce(0, +) } == [3])
    }
  }

  @Test func `tells keys with the same low half apart`() throws {
    var piece = RawBuffer()
    let header = TuplePiece(
      count: 4, orderWidth: 0, lineWidth: 1, form: .null, leastOrder: 0,
      firstLine: 1, wideBytes: 0)
    header.encode(to: &piece)
    for line in 0..<4 {
      piece.append(UInt64(line % 2))
      piece.append(UInt64(5))
    }
    for line in 0..<4 { piece.append(UInt8(line)) }
    let store = ChunkStore(
      budget: MemoryBudget(bytes: .max), file: SpillFile(path: "/nowhere/tuples"))
    let tuples = BarrierTuples(store: store, shard: 0, instance: 0)
    let partitions = BarrierTuples.partitions
    tuples.add(
      piece.view, ends: [UInt32](repeating: UInt32(piece.count), count: partitions),
      counts: [4] + [UInt32](repeating: 0, count: partitions - 1), wideBytes: 0, FrameCoder()
    ) { _ in Issue.record("there is room") }
    var losers: [UInt32] = []
    try BarrierResolver(keepsLast: true).resolve(0, of: TupleIndex([tuples])) {
      losers += $1.map(\.loser.line)
    }
    #expect(losers.sorted() == [1, 2])
  }

  @Test func `keeps shard, line and instance apart at their limits`() {
    let tuple = BarrierTuple.Packed(
      hasOrder: true, shard: BarrierTuple.Packed.shardsMax - 1, line: .max, instance: 255)
    #expect(tuple.shard == BarrierTuple.Packed.shardsMax - 1)
    #expect(tuple.line == .max && tuple.instance == 255 && tuple.hasOrder)
  }

  @Test(arguments: 0..<10)
  func `its bitmap holds what a set holds`(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed))
    var bitmap = LineBitmap()
    var set: Set<UInt32> = []
    for _ in 0..<300 {
      let line = UInt32(random.below(5_000))
      bitmap.insert(line)
      set.insert(line)
    }
    #expect((0..<6_000).allSatisfy { bitmap.contains(UInt32($0)) == set.contains(UInt32($0)) })
    #expect(!bitmap.contains(.max))
    #expect(bitmap.count == set.count)
    var listed: [UInt32] = []
    bitmap.forEach { listed.append($0) }
    #expect(listed == set.sorted())
    var other = LineBitmap(lines: 9_000)
    for _ in 0..<300 { other.insert(UInt32(random.below(9_000))) }
    #expect(bitmap.subtracting(other).count == set.count { !other.contains($0) })
    let both = other.count + bitmap.subtracting(other).count
    bitmap.formUnion(other)
    #expect(bitmap.count == both)
  }
}
