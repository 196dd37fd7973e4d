import WeirData

/// Finds the group of each line by the `ledger_by` fields: of every field the latest edit that there
/// is. Where the values have codes, each combination of them is looked at once.
final class LineGrouper {
  private typealias Columns = UnsafeBufferPointer<UnsafeMutablePointer<Cell>>

  /// The candidates of all fields, of each the latest edit last.
  private let candidates: [Int]
  /// Where the candidates of each field end.
  private let ends: [Int]
  private let fitsTable: Bool
  private var tables = CodeTables()

  init(_ fields: [[Int]]) {
    candidates = fields.flatMap { $0 }
    var ends: [Int] = []
    for field in fields { ends.append((ends.last ?? 0) + field.count) }
    self.ends = ends
    fitsTable = fields.count <= CodeTables.columnsMax && candidates.count < 256
  }

  /// - Parameters:
  ///   - groups: names the groups by their keys.
  ///   - lineGroups: gets the group of each line of the batch, from 1.
  func group(
    _ batch: borrowing Batch, _ groups: ByteDictionary, into lineGroups: inout [UInt32]
  ) {
    let (lines, count) = (batch.lines, batch.rowCount)
    guard count > 0 else { return }
    let missing = Int(lines[count - 1].number) - lineGroups.count
    if missing > 0 { lineGroups.append(contentsOf: repeatElement(0, count: missing)) }
    var spaces: [UInt32] = []
    var columns: [UnsafeMutablePointer<Cell>] = []
    for column in candidates {
      spaces.append(batch.codes(ofColumn: column).space)
      columns.append(batch.column(column))
    }
    let table = tables.table(of: spaces)
    var key = KeyBytes()
    lineGroups.withUnsafeMutableBufferPointer { lineGroups in
      columns.withUnsafeBufferPointer { columns in
        ends.withUnsafeBufferPointer { ends in
          for row in 0..<count {
            let at = Int(lines[row].number) &- 1
            guard fitsTable, let (codes, choice) = LineGrouper.codes(row, columns, ends) else {
              lineGroups[at] = LineGrouper.group(row, columns, ends, groups, &key)
              continue
            }
            let known = table.find(codes, choice)
            if known >= 0 {
              lineGroups[at] = UInt32(bitPattern: known)
            } else {
              lineGroups[at] = LineGrouper.group(row, columns, ends, groups, &key)
              table.insert(Int32(lineGroups[at]), for: codes, choice)
            }
          }
        }
      }
    }
  }

  /// The codes of a row's values, and which edits they are of; `nil` where one has no code.
  @inline(__always)
  private static func codes(
    _ row: Int, _ columns: Columns, _ ends: UnsafeBufferPointer<Int>
  ) -> (codes: UInt64, choice: Int64)? {
    var codes: UInt64 = 0
    var choice: Int64 = 0
    var first = 0
    for end in ends {
      var at = end
      while at > first, columns[at &- 1][row].isNull { at &-= 1 }
      let code = at > first ? columns[at &- 1][row].code : 0
      if at > first, code == 0 { return nil }
      codes = codes &<< 16 | UInt64(code)
      choice = choice &<< 8 | Int64(at &- first)
      first = end
    }
    return (codes, choice)
  }

  /// The group by the values themselves.
  @inline(never)
  private static func group(
    _ row: Int, _ columns: Columns, _ ends: UnsafeBufferPointer<Int>, _ groups: ByteDictionary,
    _ key: inout KeyBytes
  ) -> UInt32 {
    key.clear()
    var first = 0
    for end in ends {
      var cell = Cell.missing
      for at in first..<end where !columns[at][row].isNull { cell = columns[at][row] }
      key.append(cell)
      first = end
    }
    return UInt32(groups.code(of: key.bytes)) + 1
  }
}
