import WeirData

/// Columns of the records that came to one barrier in one shard, kept in encoded chunks so that a
/// later pass need not read the shard again.
final class RetainedColumns: @unchecked Sendable {
  let columns: [Int]
  private let memory: RunMemory
  /// Until all rows are there.
  private var writer: ColumnChunkWriter?
  private var chunks: [KeptChunk] = []

  init(columns: [Int], memory: RunMemory) {
    self.columns = columns
    self.memory = memory
    writer = memory.takeWriter(columns: columns)
  }

  func append(_ batch: borrowing Batch, _ selection: Selection) {
    writer?.append(batch, selection) { chunks.append(memory.columns.keep($0)) }
  }

  /// Call behind the last row.
  func finish() {
    guard let writer = writer.take() else { return }
    writer.finish { chunks.append(memory.columns.keep($0)) }
    memory.give(writer)
  }

  /// - Parameter others: columns that whoever gets the batches writes.
  func makeReader(columnCount: Int, others: [Int]) -> ColumnChunkReader {
    ColumnChunkReader(columns: columns, columnCount: columnCount, others: others)
  }

  /// Hands the rows on again, in batches without text; their strings live as long as `reader`.
  func replay(
    with reader: ColumnChunkReader, _ body: (inout Batch, Selection) throws -> Void
  ) throws {
    for chunk in chunks { try reader.read(chunk.bytes, body) }
  }
}
