import WeirData

/// Finds the group of every record. Where all values that name it have codes, each combination of
/// them and a bucket is looked at once; where not, the bytes of the record's own key decide.
final class GroupFinder {
  private let columns: [Int]
  private var tables = CodeTables()
  private var cursor: BucketCursor?
  // Of the batch in hand; their memory is used again.
  private var spaces: [UInt32] = []
  private var cells: [UnsafeMutablePointer<Cell>] = []

  /// - Parameters:
  ///   - columns: with the values that name a group.
  ///   - cursor: where groups are parted by time.
  init(columns: [Int], cursor: BucketCursor?) {
    self.columns = columns
    self.cursor = cursor
  }

  /// Forgets which records were of which group.
  func removeAll() { tables.removeAll() }

  /// - Parameters:
  ///   - times: the column of the time, in the years 1 to 9999; without a cursor it is not read.
  ///   - groups: one entry for each of `rows`; those that are negative stay, the others are replaced.
  ///   - make: the group of a row by its key. The second argument is the start of its bucket, 0
  ///     without a cursor.
  func find(
    _ batch: borrowing Batch, _ rows: UnsafeBufferPointer<UInt32>, times: UnsafePointer<Cell>?,
    _ groups: UnsafeMutablePointer<Int32>, make: (Int, Int64) -> Int32
  ) {
    spaces.removeAll(keepingCapacity: true)
    cells.removeAll(keepingCapacity: true)
    for column in columns {
      spaces.append(batch.codes(ofColumn: column).space)
      cells.append(batch.column(column))
    }
    // A column without codes may still be all null: that is one code more.
    let table = columns.count <= CodeTables.columnsMax ? tables.table(of: spaces) : nil
    var cursor = self.cursor ?? BucketCursor(width: 1, anchor: 0)
    let times = self.cursor == nil ? nil : times
    cells.withUnsafeBufferPointer { cells in
      for i in 0..<rows.count where groups[i] >= 0 {
        let row = Int(rows[i])
        let bucket = times.map { cursor.start(of: $0[row].intValue) } ?? 0
        guard let table, let codes = GroupFinder.codes(row, cells) else {
          groups[i] = make(row, bucket)
          continue
        }
        groups[i] = table.find(codes, bucket)
        if groups[i] < 0 {
          groups[i] = make(row, bucket)
          table.insert(groups[i], for: codes, bucket)
        }
      }
    }
    if self.cursor != nil { self.cursor = cursor }
  }

  /// The codes of a row's values, 0 for null; `nil` where a value has none.
  @inline(__always)
  private static func codes(
    _ row: Int, _ cells: UnsafeBufferPointer<UnsafeMutablePointer<Cell>>
  ) -> UInt64? {
    var codes: UInt64 = 0
    for column in cells {
      let cell = column[row]
      if cell.code == 0, !cell.isNull { return nil }
      codes = codes &<< 16 | UInt64(cell.code)
    }
    return codes
  }
}
