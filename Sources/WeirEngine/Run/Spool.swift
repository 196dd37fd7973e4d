import Glibc
import Synchronization
import WeirData

/// What one shard hands to the disk.
enum SpoolItem: Sendable {
  /// Of a record sink: the stage, and the piece as the sink made it.
  case piece(Int, SinkPiece)
  /// The same, encoded.
  case frame(EncodedPiece)
  /// Encoded quarantine lines, not yet compressed.
  case quarantine([UInt8])
  /// What is not to stay in memory.
  case chunk(ChunkWrite)
}

/// Where the tasks of a run leave what waits for its place.
final class SpoolFolder: Sendable {
  /// Bytes of all shards that may wait in memory, so that small shards need no files.
  private static let memoryBytes = 8 << 20

  private let path: String
  private let free = Atomic<Int>(SpoolFolder.memoryBytes)

  init(path: String) { self.path = path }

  /// - Parameter entry: takes what is too much for memory, where it is to be kept anyway.
  func open(pass: Int, shard: Int, entry: EntryBuilder? = nil) -> ShardSpool.Writer {
    ShardSpool.Writer(folder: self, pass: pass, shard: shard, entry: entry)
  }

  func path(_ name: String) -> String { "\(path)/\(name)" }

  /// Whether `bytes` more may be held in memory; they are given back by ``give(_:)``.
  func take(_ bytes: Int) -> Bool {
    if free.subtract(bytes, ordering: .relaxed).newValue >= 0 { return true }
    give(bytes)
    return false
  }

  func give(_ bytes: Int) { free.add(bytes, ordering: .relaxed) }
}

/// Where a piece of a record sink waits until it is its turn.
struct SpooledPiece: Sendable {
  var stage: Int
  var path: String
  /// Bytes of the part.
  var range: Range<Int>
  var rows: Int
}

/// What one shard wrote in one pass.
struct ShardSpool: Sendable {
  let pass: Int
  /// Ordinal of the shard.
  let shard: Int
  private(set) var pieces: [SpooledPiece]
  /// The bytes of the pieces, one behind the other.
  private(set) var records: SpoolPart?
  /// zstd frames of quarantine lines.
  let quarantine: SpoolPart?

  /// - Returns: `nil` where nothing was written.
  init?(
    pass: Int, shard: Int, pieces: [SpooledPiece], records: SpoolPart?, quarantine: SpoolPart?
  ) {
    guard records != nil || quarantine != nil else { return nil }
    self.pass = pass
    self.shard = shard
    self.pieces = pieces
    self.records = records
    self.quarantine = quarantine
  }

  /// Lets the records be: they are where they belong, or nobody wants them.
  mutating func dropRecords() throws(FileError) {
    try records?.remove()
    records = nil
    pieces = []
  }

  /// Takes what one shard writes in one pass. Blocks.
  final class Writer {
    private let folder: SpoolFolder
    private let pass: Int
    private let shard: Int
    private var pieces: [SpooledPiece] = []
    private var records: SpoolPart?
    private var quarantine: SpoolPart?
    private let encoder = PieceEncoder()
    private let entry: EntryBuilder?

    fileprivate init(folder: SpoolFolder, pass: Int, shard: Int, entry: EntryBuilder?) {
      self.entry = entry
      self.folder = folder
      self.pass = pass
      self.shard = shard
    }

    func write(_ item: SpoolItem) throws(FileError) {
      switch encoder.encode(item) {
      case .piece(let stage, let piece):
        try write(piece.text.view, stage: stage, path: piece.path, rows: piece.rows)
      case .frame(let piece):
        try piece.bytes.withUnsafeBufferPointer { bytes throws(FileError) in
          try write(bytes, stage: piece.stage, path: piece.path, rows: piece.rows)
        }
      case .chunk(let write): try write.run()
      case .quarantine(let lines):
        let part = quarantine ?? SpoolPart(folder, "\(pass)-\(shard)-quarantine", entry)
        quarantine = part
        try encoder.frame(lines).withUnsafeBufferPointer { bytes throws(FileError) in
          try part.append(bytes)
        }
      }
    }

    private func write(
      _ bytes: UnsafeBufferPointer<UInt8>, stage: Int, path: String, rows: Int
    ) throws(FileError) {
      let part = records ?? SpoolPart(folder, "\(pass)-\(shard)", entry)
      records = part
      let start = part.count
      try part.append(bytes)
      pieces.append(
        SpooledPiece(stage: stage, path: path, range: start..<part.count, rows: rows))
    }

    /// `nil` where nothing was written.
    func finish() throws(FileError) -> ShardSpool? {
      try records?.close()
      try quarantine?.close()
      return ShardSpool(
        pass: pass, shard: shard, pieces: pieces, records: records, quarantine: quarantine)
    }
  }
}

/// Bytes that wait: in memory while they are few, else in a file or in the entry that their task
/// makes anyway. Written, then closed, then read; one worker at a time.
final class SpoolPart: @unchecked Sendable {
  /// Most bytes in memory.
  private static let memoryBytes = 64 * 1024

  /// A run of the bytes, and where it is in a pack.
  struct Extent: Sendable {
    var range: Range<Int>
    var offset: Int
  }
  private let folder: SpoolFolder
  /// Where the file is, if there is one.
  let path: String
  private var memory: [UInt8] = []
  private var descriptor: Int32 = -1
  private var hasFile = false
  private let entry: EntryBuilder?
  private var pack: PackFile?
  private var extents: [Extent] = []
  private(set) var count = 0

  init(_ folder: SpoolFolder, _ name: String, _ entry: EntryBuilder? = nil) {
    self.folder = folder
    self.entry = entry
    path = folder.path(name)
  }

  /// Bytes that are in a pack.
  init(_ folder: SpoolFolder, _ pack: PackFile, _ extents: [Extent]) {
    self.folder = folder
    self.pack = pack
    self.extents = extents
    entry = nil
    path = pack.path
    count = extents.last?.range.upperBound ?? 0
  }

  deinit {
    if descriptor >= 0 { Glibc.close(descriptor) }
    if !memory.isEmpty { folder.give(memory.count) }
  }

  func append(_ bytes: UnsafeBufferPointer<UInt8>) throws(FileError) {
    defer { count += bytes.count }
    if !hasFile, pack == nil {
      if count + bytes.count <= SpoolPart.memoryBytes, folder.take(bytes.count) {
        memory.append(contentsOf: bytes)
        return
      }
      if let entry { try moveMemory(to: entry) } else { try makeFile() }
    }
    if let entry {
      try append(bytes, to: entry, at: count)
    } else {
      try writeAll(bytes, to: descriptor, path: path)
    }
  }

  private func makeFile() throws(FileError) {
    descriptor = openFile(path, O_RDWR | O_CREAT | O_TRUNC, 0o600)
    guard descriptor >= 0 else { throw fail(path, "create") }
    hasFile = true
    try memory.withUnsafeBufferPointer { bytes throws(FileError) in
      try writeAll(bytes, to: descriptor, path: path)
    }
    dropMemory()
  }

  private func moveMemory(to entry: EntryBuilder) throws(FileError) {
    pack = entry.pack
    try memory.withUnsafeBufferPointer { bytes throws(FileError) in
      try append(bytes, to: entry, at: 0)
    }
    dropMemory()
  }

  private func append(
    _ bytes: UnsafeBufferPointer<UInt8>, to entry: EntryBuilder, at place: Int
  ) throws(FileError) {
    guard !bytes.isEmpty else { return }
    let offset = entry.start + (try entry.append(bytes, isWanted: true).lowerBound)
    if let last = extents.last, last.offset + last.range.count == offset {
      extents[extents.count - 1].range = last.range.lowerBound..<(place + bytes.count)
    } else {
      extents.append(Extent(range: place..<(place + bytes.count), offset: offset))
    }
  }

  private func dropMemory() {
    folder.give(memory.count)
    memory = []
  }

  /// Gives the descriptor back; reading opens it again.
  func close() throws(FileError) {
    guard descriptor >= 0 else { return }
    defer { descriptor = -1 }
    try closeFile(descriptor, path)
  }

  /// Hands on a part of the bytes, piece by piece.
  func read(
    _ range: Range<Int>, _ body: (UnsafeBufferPointer<UInt8>) throws(FileError) -> Void
  ) throws(FileError) {
    if let pack {
      for extent in extents where extent.range.overlaps(range) {
        let part = extent.range.clamped(to: range)
        let offset = extent.offset + part.lowerBound - extent.range.lowerBound
        try pack.read(offset..<(offset + part.count), body)
      }
      return
    }
    guard hasFile else {
      return try memory.withUnsafeBufferPointer { bytes throws(FileError) in
        try body(UnsafeBufferPointer(rebasing: bytes[range]))
      }
    }
    if descriptor < 0 {
      descriptor = openFile(path, O_RDONLY)
      guard descriptor >= 0 else { throw fail(path, "open") }
    }
    try readRange(descriptor, path, range, body)
  }

  /// Where the bytes are in an entry: they are put there where they are not yet. Blocks.
  func extents(in entry: EntryBuilder) throws(FileError) -> [Extent] {
    if let pack {
      precondition(pack === entry.pack, "a part is in the entry of its own task")
      return extents.map { Extent(range: $0.range, offset: $0.offset - entry.start) }
    }
    var copied: [Extent] = []
    var at = 0
    try read(0..<count) { bytes throws(FileError) in
      let range = try entry.append(bytes)
      copied.append(Extent(range: at..<(at + bytes.count), offset: range.lowerBound))
      at += bytes.count
    }
    try close()
    return copied
  }

  /// Lets the bytes be.
  func remove() throws(FileError) {
    try close()
    dropMemory()
    guard hasFile else { return }
    guard unlink(path) == 0 else { throw fail(path, "remove") }
    hasFile = false
  }
}
