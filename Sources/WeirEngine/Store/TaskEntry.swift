import WeirData

/// What a task made of a shard in a pass, as an entry of a pack: all that later passes, the ledger and
/// the outputs want of it.
///
/// Nothing in it says where the shard stands among the others, so that it is good for another night;
/// nodes and stages are named by what does not change when something is added behind them.
struct TaskEntry {
  let plan: Plan
  let pass: Int
  let state: ShardState
  private let lane: Lane
  private let form: Form

  /// What entries of a lane and pass have in common.
  struct Form: Sendable {
    /// Nodes that work in this pass or before, by their number in the entry.
    let nodes: [Int]
    /// Those of this pass.
    let mine: [Int]
    /// Those of them of which budgets ask what they take in.
    let grouped: [Int]
    /// By node.
    let ranks: [Int: Int]

    init(_ plan: Plan, pass: Int, lane index: Int) {
      let lane = plan.lanes[index]
      nodes = lane.nodes(upTo: pass)
      mine = nodes.filter { lane.nodes[$0].depth == pass }
      grouped = mine.filter(plan.groupedNodes(ofLane: index).contains)
      ranks = Dictionary(uniqueKeysWithValues: nodes.enumerated().map { ($1, $0) })
    }
  }

  /// - Parameter form: `nil`: it is worked out.
  init(_ plan: Plan, pass: Int, _ state: ShardState, form: Form? = nil) {
    self.plan = plan
    self.pass = pass
    self.state = state
    lane = plan.lanes[state.lane]
    self.form = form ?? Form(plan, pass: pass, lane: state.lane)
  }

  private var nodes: [Int] { form.nodes }
  private var mine: [Int] { form.mine }
  private var grouped: [Int] { form.grouped }

  // MARK: Writing

  /// Writes what there is, before it is set aside. Blocks.
  func write(_ output: ShardTask.Output, to entry: EntryBuilder) throws -> TaskStore.Place {
    var table = EntryWriter(capacity: 1_024)
    table.put(state.blank)
    table.put(state.uncheckedFrames)
    table.put(range: try put(state.outcomes.encoded, entry))
    table.put(range: try put(state.lineGroups.isEmpty ? [] : encodeGroups(state.lineGroups), entry))
    table.put(list: 0..<state.groups.count) { $0.put(Array(state.groups.bytes(of: $1))) }
    table.put(list: nodes) { $0.put(state.counts[$1]) }
    table.put(list: nodes) { table, node in
      table.put(list: state.tallies[node] ?? []) { table, tally in
        table.put(tally.count)
        table.put(tally.firstLine)
      }
    }
    table.put(list: grouped) { table, node in
      table.put(list: state.refusals.taken[node] ?? []) { $0.put($1) }
    }
    write(state.quarantines[pass] ?? ShardQuarantine(), to: &table)
    for node in mine { try write(node, to: &table, entry) }
    table.put(output.partials.count)
    for partial in output.partials {
      table.put(form.ranks[partial.node]!)
      table.put(range: try put(partial.bytes, entry))
    }
    try write(output.spool, to: &table, entry)
    return try entry.finish(table: table.bytes)
  }

  private func put(_ bytes: [UInt8], _ entry: EntryBuilder) throws(FileError) -> Range<Int> {
    try bytes.withUnsafeBufferPointer { bytes throws(FileError) in try entry.append(bytes) }
  }

  /// What a barrier collected.
  private func write(_ node: Int, to table: inout EntryWriter, _ entry: EntryBuilder) throws {
    table.put(state.blocked[node]?.trimmedWords ?? [])
    table.put(state.arrived[node] == nil ? 0 : 1)
    table.put(state.arrived[node]?.trimmedWords ?? [])
    var buffer = RawBuffer()
    let tuples = state.tuples[node]
    table.put(tuples == nil ? 0 : 1)
    table.put(tuples?.blocks.count ?? 0)
    for block in tuples?.blocks ?? [] {
      try put(block.chunk, of: tuples!.store, to: &table, entry, &buffer)
      table.put(list: block.ends) { $0.put(Int($1)) }
      table.put(list: block.counts) { $0.put(Int($1)) }
      table.put(block.wideBytes)
    }
    for kept in [state.retained[node], state.keys[node]] {
      table.put(kept == nil ? 0 : 1)
      table.put(kept?.chunks.count ?? 0)
      for chunk in kept?.chunks ?? [] {
        try put(chunk, of: state.memory.columns, to: &table, entry, &buffer)
      }
    }
  }

  private func put(
    _ chunk: KeptChunk, of store: ChunkStore, to table: inout EntryWriter, _ entry: EntryBuilder,
    _ buffer: inout RawBuffer
  ) throws {
    let range = try chunk.range(in: entry) ?? entry.append(store.raw(chunk, nil, &buffer))
    table.put(range: range)
    table.put(chunk.isCompressed ? 1 : 0)
  }

  private func write(_ quarantine: ShardQuarantine, to table: inout EntryWriter) {
    table.put(list: quarantine.tallies.sorted { $0.value.index < $1.value.index }) {
      table, entry in
      table.put(stageName(entry.key.stage))
      table.put(entry.key.code)
      table.put(entry.key.field.map { [1] + Array($0.utf8) } ?? [0])
      table.put(entry.value.count)
      table.put(entry.value.line)
      table.put(entry.value.message)
      table.put(entry.value.sample)
    }
    table.put(list: quarantine.places) { table, place in
      table.put(Int(place.line))
      table.put(Int(place.key))
    }
  }

  private func write(
    _ spool: ShardSpool?, to table: inout EntryWriter, _ entry: EntryBuilder
  ) throws(FileError) {
    for part in [spool?.records, spool?.quarantine] {
      let extents = try part?.extents(in: entry) ?? []
      table.put(part == nil ? 0 : 1)
      table.put(list: extents) { table, extent in
        table.put(extent.offset)
        table.put(extent.range.count)
      }
    }
    table.put(list: spool?.pieces ?? []) { table, piece in
      table.put(stageName(piece.stage))
      table.put(piece.path)
      table.put(piece.range.lowerBound)
      table.put(piece.range.count)
      table.put(piece.rows)
    }
  }

  private func stageName(_ stage: Int) -> String { plan.stage(stage).name }
}

extension TaskEntry {
  // MARK: Reading

  /// Makes the state what it was behind the task, with what is known of each line set aside. Blocks.
  ///
  /// - Throws: ``EntryError`` where the table does not read as one, and nothing was changed.
  func read(
    _ file: EntryFile, _ spools: SpoolFolder
  ) throws -> ShardTask.Output {
    var table = EntryReader(file.table[...])
    let blank = try table.number()
    let unchecked = try table.number()
    let outcomes = try table.range(in: file)
    let lineGroups = try table.range(in: file)
    let groups = try table.list { table throws(EntryError) in try table.text() }
    let counts = try table.list { table throws(EntryError) in try table.stageCounts() }
    let tallies = try table.list { table throws(EntryError) in
      try table.list { table throws(EntryError) in
        NodeTally(count: try table.number(), firstLine: try table.number())
      }
    }
    let taken = try table.list { table throws(EntryError) in
      try table.list { table throws(EntryError) in try table.number() }
    }
    guard counts.count == nodes.count, tallies.count == nodes.count, taken.count == grouped.count
    else { throw EntryError() }
    let quarantine = try readQuarantine(&table)
    let kept = try mine.map { (node: $0, kept: try readKept(&table, file)) }
    let partials = try table.list { table throws(EntryError) in
      (rank: try table.index(below: nodes.count), range: try table.range(in: file))
    }
    let spool = try readSpool(&table, file, spools)
    guard table.isAtEnd else { throw EntryError() }

    state.blank = blank
    state.uncheckedFrames = unchecked
    try state.setAside(
      outcomes: try file.bytes(outcomes),
      groups: lineGroups.isEmpty ? [] : try file.bytes(lineGroups))
    for group in groups { _ = group.withUnsafeBufferPointer { state.groups.code(of: $0) } }
    for (node, counts) in zip(nodes, counts) { state.counts[node] = counts }
    for (node, tally) in zip(nodes, tallies) where !tally.isEmpty { state.tallies[node] = tally }
    for (node, counts) in zip(grouped, taken) { state.refusals.taken[node] = counts }
    state.quarantines[pass] = quarantine.count > 0 ? quarantine : nil
    for (node, kept) in kept { try take(kept, node, file) }
    return ShardTask.Output(
      partials: try partials.map { (node: nodes[$0.rank], bytes: try file.bytes($0.range)) },
      spool: spool)
  }

  /// What a barrier collected, by its parts of the file.
  fileprivate struct Kept {
    struct Chunk {
      var range: Range<Int>
      var isCompressed: Bool
    }
    var blocked: LineBitmap
    var arrived: LineBitmap?
    var tuples: [(chunk: Chunk, ends: [UInt32], counts: [UInt32], wideBytes: Int)]?
    var retained: [Chunk]?
    var keys: [Chunk]?
  }

  fileprivate func readKept(
    _ table: inout EntryReader, _ file: EntryFile
  ) throws(EntryError) -> Kept {
    let blocked = LineBitmap(words: try table.words())
    let hasArrived = try table.flag()
    let arrived = LineBitmap(words: try table.words())
    let hasTuples = try table.flag()
    let tuples = try table.list { table throws(EntryError) in
      (
        chunk: try table.chunk(in: file), ends: try table.list(UInt32.self),
        counts: try table.list(UInt32.self), wideBytes: try table.number()
      )
    }
    for block in tuples
    where block.ends.count != BarrierTuples.partitions
      || block.counts.count != BarrierTuples.partitions
      || Int(block.ends.last!) != block.chunk.range.count
    { throw EntryError() }
    var columns: [[Kept.Chunk]?] = []
    for _ in 0..<2 {
      let isThere = try table.flag()
      let chunks = try table.list { table throws(EntryError) in try table.chunk(in: file) }
      columns.append(isThere ? chunks : nil)
    }
    return Kept(
      blocked: blocked, arrived: hasArrived ? arrived : nil, tuples: hasTuples ? tuples : nil,
      retained: columns[0], keys: columns[1])
  }

  private func take(
    _ kept: Kept, _ node: Int, _ file: EntryFile
  ) throws {
    if kept.blocked.count > 0 { state.blocked[node] = kept.blocked }
    if let arrived = kept.arrived { state.arrived[node] = arrived }
    if let tuples = kept.tuples {
      let store = state.memory.tuples(of: lane.nodes[node].stage)
      state.tuples[node] = BarrierTuples(
        store: store, shard: state.ordinal, instance: lane.nodes[node].instance,
        blocks: try tuples.map {
          BarrierTuples.Block(
            chunk: try keep($0.chunk, in: store, file, inMemory: file.isInMemory), ends: $0.ends,
            counts: $0.counts, wideBytes: $0.wideBytes)
        })
    }
    // Columns are wanted only where the task of a later pass is not known.
    func columns(_ chunks: [Kept.Chunk], _ columns: [Int]) throws -> RetainedColumns {
      RetainedColumns(
        columns: columns, memory: state.memory,
        chunks: try chunks.map {
          try keep($0, in: state.memory.columns, file, inMemory: false)
        })
    }
    if let chunks = kept.retained, let wanted = lane.retained[node] {
      state.retained[node] = try columns(chunks, wanted)
    }
    if let chunks = kept.keys, case .barrier(let rule) = lane.nodes[node].work {
      state.keys[node] = try columns(chunks, rule.key.map(\.column))
    }
  }

  private func keep(
    _ chunk: Kept.Chunk, in store: ChunkStore, _ file: EntryFile, inMemory: Bool
  ) throws(FileError) -> KeptChunk {
    try store.keep(
      file.pack, at: file.place.offset + chunk.range.lowerBound, count: chunk.range.count,
      isCompressed: chunk.isCompressed, inMemory: inMemory)
  }

  private func readQuarantine(_ table: inout EntryReader) throws(EntryError) -> ShardQuarantine {
    var index: UInt32 = 0
    let tallies = try table.list { table throws(EntryError) in
      defer { index += 1 }
      let stage = try stage(&table)
      let code = try table.string()
      let field = try table.text()
      return (
        ShardQuarantine.Key(
          stage: stage, code: code,
          field: field.first == 1 ? String(decoding: field.dropFirst(), as: UTF8.self) : nil),
        ShardQuarantine.Tally(
          index: index, count: try table.number(), line: try table.number(),
          message: try table.string(),
          sample: try table.text())
      )
    }
    let places = try table.list { table throws(EntryError) in
      let line = try table.uint32()
      let key = try table.index(below: tallies.count)
      return ShardQuarantine.Place(
        line: line, stage: UInt32(tallies[key].0.stage), key: UInt32(key))
    }
    return ShardQuarantine(
      tallies: Dictionary(tallies, uniquingKeysWith: { first, _ in first }), places: places)
  }

  private func stage(_ table: inout EntryReader) throws(EntryError) -> Int {
    let name = try table.text()
    guard let stage = plan.spec.stages.firstIndex(where: { $0.name.utf8.elementsEqual(name) })
    else { throw EntryError() }
    return stage
  }

  private func readSpool(
    _ table: inout EntryReader, _ file: EntryFile, _ spools: SpoolFolder
  ) throws(EntryError) -> ShardSpool? {
    var parts: [SpoolPart?] = []
    for _ in 0..<2 {
      let isThere = try table.flag()
      var at = 0
      let extents = try table.list { table throws(EntryError) in
        let range = try table.range(in: file)
        defer { at += range.count }
        return SpoolPart.Extent(
          range: at..<(at + range.count), offset: file.place.offset + range.lowerBound)
      }
      parts.append(isThere ? SpoolPart(spools, file.pack, extents) : nil)
    }
    let bytes = parts[0]?.count ?? 0
    let pieces = try table.list { table throws(EntryError) in
      let stage = try stage(&table)
      let path = try table.string()
      let (from, count) = (try table.number(), try table.number())
      guard from >= 0, count >= 0, from + count <= bytes else { throw EntryError() }
      return SpooledPiece(
        stage: stage, path: path, range: from..<(from + count), rows: try table.number())
    }
    return ShardSpool(
      pass: pass, shard: state.ordinal, pieces: pieces, records: parts[0], quarantine: parts[1])
  }
}

extension EntryWriter {
  fileprivate mutating func put(range: Range<Int>) {
    put(range.lowerBound)
    put(range.count)
  }

  fileprivate mutating func put(_ counts: StageCounts) {
    for number in [
      counts.in, counts.out, counts.filtered, counts.deduplicated, counts.quarantined, counts.taken,
    ] { put(number) }
  }
}

extension EntryReader {
  fileprivate mutating func flag() throws(EntryError) -> Bool { try index(below: 2) == 1 }

  fileprivate mutating func uint32() throws(EntryError) -> UInt32 {
    guard let value = UInt32(exactly: try number()) else { throw EntryError() }
    return value
  }

  fileprivate mutating func list(_ type: UInt32.Type) throws(EntryError) -> [UInt32] {
    try list { table throws(EntryError) in try table.uint32() }
  }

  fileprivate mutating func range(in file: EntryFile) throws(EntryError) -> Range<Int> {
    let (from, count) = (try number(), try number())
    guard from >= 0, count >= 0, from <= file.partsCount - count else { throw EntryError() }
    return from..<(from + count)
  }

  fileprivate mutating func chunk(
    in file: EntryFile
  ) throws(EntryError) -> TaskEntry.Kept.Chunk {
    TaskEntry.Kept.Chunk(range: try range(in: file), isCompressed: try flag())
  }

  fileprivate mutating func stageCounts() throws(EntryError) -> StageCounts {
    var counts = StageCounts()
    counts.in = try number()
    counts.out = try number()
    counts.filtered = try number()
    counts.deduplicated = try number()
    counts.quarantined = try number()
    counts.taken = try number()
    return counts
  }
}
