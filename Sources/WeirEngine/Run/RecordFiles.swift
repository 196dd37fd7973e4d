import Synchronization
import WeirData

/// Puts the files of record sinks together while the shards are worked on: what they begin with, then
/// the pieces of all shards in the order of the input. A shard that is done early waits in its spool.
final class RecordFiles: @unchecked Sendable {
  /// So many files are open at once.
  private static let openMax = 64

  private final class File {
    let writer: OutputWriter
    var rows = 0

    init(_ writer: OutputWriter) { self.writer = writer }
  }
  private struct Waiting {
    var spools: [Int: ShardSpool?] = [:]
    var next = 0
    /// Somebody is appending; who that is takes what comes meanwhile.
    var isTaken = false
  }
  private let plan: Plan
  private let output: OutputDirectory
  private let waiting = Mutex(Waiting())
  // Touched only by who has taken the files.
  private let sinks: [Int: any BoundRecordSink]
  private var files: [Int: [String: File]] = [:]
  private var open: [File] = []

  init(plan: Plan, output: OutputDirectory) {
    self.plan = plan
    self.output = output
    var sinks: [Int: any BoundRecordSink] = [:]
    for node in plan.lanes.flatMap(\.nodes) {
      if case .sink(let sink) = node.work, sinks[node.stage] == nil { sinks[node.stage] = sink }
    }
    self.sinks = sinks
  }

  /// Takes the records of one shard and pass, and appends all whose turn it is. Blocks.
  ///
  /// - Parameter slot: place in the order of all passes and shards; every slot must be filled once.
  func put(_ slot: Int, _ spool: ShardSpool?) throws {
    guard !sinks.isEmpty else { return }
    let isMine = waiting.withLock { waiting in
      waiting.spools[slot] = .some(spool)
      defer { waiting.isTaken = true }
      return !waiting.isTaken
    }
    guard isMine else { return }
    while let ready = takeNext() {
      guard var spool = ready else { continue }
      for piece in spool.pieces {
        try Task.checkCancellation()
        try append(piece, spool.records!)
      }
      try spool.dropRecords()
    }
  }

  /// The spool of the next slot, if it is there; else the files are free for others.
  private func takeNext() -> ShardSpool?? {
    waiting.withLock { waiting in
      guard let spool = waiting.spools.removeValue(forKey: waiting.next) else {
        waiting.isTaken = false
        return nil
      }
      waiting.next += 1
      return .some(spool)
    }
  }

  private func append(_ piece: SpooledPiece, _ part: SpoolPart) throws {
    let file = try files[piece.stage]?[piece.path] ?? makeFile(piece)
    if !file.writer.isOpen { try opened(file) }
    try part.read(piece.range) { bytes throws(FileError) in try file.writer.write(bytes) }
    file.rows += piece.rows
  }

  private func makeFile(_ piece: SpooledPiece) throws -> File {
    let sink = sinks[piece.stage]!
    guard files[piece.stage, default: [:]].count < sink.maxFiles else {
      throw RunError(tooManyFilesOf: plan.stage(piece.stage).name, limit: sink.maxFiles)
    }
    let file = File(try output.create(piece.path))
    files[piece.stage, default: [:]][piece.path] = file
    try opened(file)
    try file.writer.write(sink.fileHead)
    return file
  }

  /// Notes that a file will be open; where there are many, the others are closed meanwhile.
  private func opened(_ file: File) throws(FileError) {
    if open.count == RecordFiles.openMax {
      for other in open { try other.writer.pause() }
      open.removeAll(keepingCapacity: true)
    }
    open.append(file)
  }

  /// Ends all files. Call when every slot was filled.
  func finish() throws -> [OutputRecord] {
    var records: [OutputRecord] = []
    for (stage, sink) in sinks.sorted(by: { $0.key < $1.key }) {
      if let empty = sink.emptyFile, files[stage]?[empty.path] == nil {
        let file = File(try output.create(empty.path))
        try file.writer.write(empty.bytes)
        files[stage, default: [:]][empty.path] = file
      }
      for (path, file) in files[stage] ?? [:] {
        records.append(
          OutputRecord(
            sink: plan.stage(stage).name, path: path, rows: file.rows, bytes: file.writer.bytes,
            sha256: try file.writer.finish()))
      }
    }
    return records
  }
}

extension RunError {
  init(tooManyFilesOf sink: String, limit: Int) {
    self.init(
      code: "too_many_files", message: "`\(sink)` would write more than \(limit) files",
      fix: "choose fields with fewer values for its \"path\", or raise \"max_files\"")
  }
}
