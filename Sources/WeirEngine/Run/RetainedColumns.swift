import WeirData

/// Columns of the records that came to one barrier in one shard, kept in encoded chunks so that a
/// later pass need not read the shard again.
final class RetainedColumns: @unchecked Sendable {
  let columns: [Int]
  private let memory: RunMemory
  private let entry: EntryBuilder?
  /// Until all rows are there.
  private var writer: ColumnChunkWriter?
  private(set) var chunks: [KeptChunk] = []

  /// - Parameters:
  ///   - keepsOffsets: whether a later pass asks where its rows begin in the shard.
  ///   - entry: what the task makes for another night.
  init(columns: [Int], keepsOffsets: Bool = false, entry: EntryBuilder?, memory: RunMemory) {
    self.entry = entry
    self.columns = columns
    self.memory = memory
    writer = memory.takeWriter(columns: columns, keepsOffsets: keepsOffsets)
  }

  /// - Parameter chunks: what an earlier run kept of all rows.
  init(columns: [Int], memory: RunMemory, chunks: [KeptChunk]) {
    entry = nil
    self.columns = columns
    self.memory = memory
    self.chunks = chunks
  }

  /// - Parameter spill: takes what is to be written to the disk before the rows are asked for.
  func append(
    _ batch: borrowing Batch, _ selection: Selection, spill: (ChunkWrite) -> Void
  ) {
    writer?.append(batch, selection) { keep($0, spill) }
  }

  /// Call behind the last row.
  func finish(spill: (ChunkWrite) -> Void) {
    guard let writer = writer.take() else { return }
    writer.finish { keep($0, spill) }
    memory.give(writer)
  }

  private func keep(_ bytes: UnsafeRawBufferPointer, _ spill: (ChunkWrite) -> Void) {
    let coder = memory.takeCoder()
    chunks.append(memory.columns.keep(bytes, in: entry, coder, spill: spill))
    memory.give(coder)
  }

  /// - Parameter others: columns that whoever gets the batches writes.
  func makeReader(columnCount: Int, others: [Int]) -> ColumnChunkReader {
    ColumnChunkReader(columns: columns, columnCount: columnCount, others: others)
  }

  /// Hands the rows on again, in batches without text; their strings live as long as `reader`.
  /// Blocks where chunks are on the disk.
  func replay(
    with reader: ColumnChunkReader, _ body: (inout Batch, Selection) throws -> Void
  ) throws {
    let coder = memory.takeCoder()
    defer { memory.give(coder) }
    var buffer = RawBuffer()
    for chunk in chunks {
      let bytes = try memory.columns.read(chunk, nil, coder, &buffer)
      do {
        try reader.read(bytes, body)
      } catch let error as ChunkError {
        throw RunError(damagedSpill: memory.columns.path(of: chunk), error)
      }
    }
  }
}
