import WeirData

/// The columns of one shard that later passes need, kept in memory so that the shard is read once:
/// numbers as they are, strings by a dictionary of the shard.
final class RetainedColumns: @unchecked Sendable {
  /// Rows of a batch that is made again.
  static let replayRows = 8_192

  let columns: [Int]
  private var lines: [UInt32] = []
  private var kinds: [[UInt8]]
  private var values: [[UInt64]]
  private var dictionaries: [ByteDictionary]

  init(columns: [Int]) {
    self.columns = columns
    kinds = Array(repeating: [], count: columns.count)
    values = Array(repeating: [], count: columns.count)
    dictionaries = columns.map { _ in ByteDictionary() }
  }

  func append(_ batch: borrowing Batch, _ selection: Selection) {
    lines.reserveCapacity(lines.count + selection.count)
    for row in selection.rows { lines.append(batch.lines[Int(row)].number) }
    for (i, column) in columns.enumerated() {
      let cells = batch.column(column)
      for row in selection.rows {
        let cell = cells[Int(row)]
        kinds[i].append(cell.rawKind)
        values[i].append(
          cell.rawKind == CellKind.string.rawValue
            ? UInt64(dictionaries[i].code(of: cell.stringBytes)) : cell.bits)
      }
    }
  }

  /// Hands the rows on again, in batches without text.
  func replay(
    columnCount: Int, _ body: (inout Batch, Selection) throws -> Void
  ) throws {
    var from = 0
    while from < lines.count {
      let count = min(RetainedColumns.replayRows, lines.count - from)
      let batchLines = lines[from..<(from + count)].map {
        BatchLine(start: 0, length: 0, number: $0)
      }
      var batch = Batch(bytes: Bytes(capacity: 0), lines: batchLines, columnCount: columnCount)
      for (i, column) in columns.enumerated() {
        fill(batch.column(column), i, from, count)
      }
      try body(&batch, Selection(all: count))
      from += count
    }
  }

  private func fill(_ cells: UnsafeMutablePointer<Cell>, _ i: Int, _ from: Int, _ count: Int) {
    for row in 0..<count {
      let kind = kinds[i][from + row]
      if kind == CellKind.string.rawValue {
        cells[row] = .string(dictionaries[i].bytes(of: Int(values[i][from + row])))
      } else {
        cells[row] = Cell(rawKind: kind, bits: values[i][from + row])
      }
    }
  }
}
