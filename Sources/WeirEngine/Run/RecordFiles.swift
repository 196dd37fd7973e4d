import WeirData

/// Puts the files of record sinks together: what they begin with, then the pieces of all shards in
/// the order of the input.
struct RecordFiles {
  let plan: Plan
  let output: OutputDirectory

  private struct Part {
    var spool: String
    var offset: Int
    var length: Int
    var rows: Int
  }

  func write(_ spools: [ShardSpool]) throws -> [OutputRecord] {
    var parts: [Int: [String: [Part]]] = [:]
    for spool in spools {
      for piece in spool.pieces {
        guard let stage = piece.stage else { continue }
        parts[stage, default: [:]][piece.path, default: []].append(
          Part(spool: spool.path, offset: piece.offset, length: piece.length, rows: piece.rows))
      }
    }
    var records: [OutputRecord] = []
    for (stage, sink) in boundSinks() {
      var mine = parts[stage] ?? [:]
      if let empty = sink.emptyFile, mine[empty.path] == nil { mine[empty.path] = [] }
      guard mine.count <= sink.maxFiles else {
        throw RunError(
          code: "too_many_files",
          message:
            "`\(plan.stage(stage).name)` would write \(mine.count) files, \(sink.maxFiles) is the limit",
          fix: "choose fields with fewer values for its \"path\", or raise \"max_files\"")
      }
      let paths = mine.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      for path in paths {
        records.append(try write(path, mine[path]!, sink, stage: stage))
      }
    }
    return records
  }

  /// Every record sink once, by its stage.
  private func boundSinks() -> [(Int, any BoundRecordSink)] {
    var sinks: [Int: any BoundRecordSink] = [:]
    for node in plan.lanes.flatMap(\.nodes) {
      if case .sink(let sink) = node.work, sinks[node.stage] == nil { sinks[node.stage] = sink }
    }
    return sinks.keys.sorted().map { ($0, sinks[$0]!) }
  }

  private func write(
    _ path: String, _ parts: [Part], _ sink: any BoundRecordSink, stage: Int
  ) throws -> OutputRecord {
    try Task.checkCancellation()
    let writer = try output.create(path)
    if parts.isEmpty, let empty = sink.emptyFile {
      try writer.write(empty.bytes)
    } else {
      try writer.write(sink.fileHead)
    }
    var rows = 0
    for part in parts {
      try copy(part, to: writer)
      rows += part.rows
    }
    return OutputRecord(
      sink: plan.stage(stage).name, path: path, rows: rows, bytes: writer.bytes,
      sha256: try writer.finish())
  }

  private func copy(_ part: Part, to writer: OutputWriter) throws(FileError) {
    try readRange(part.spool, part.offset..<(part.offset + part.length)) {
      piece throws(FileError) in
      try writer.write(piece)
    }
  }
}
