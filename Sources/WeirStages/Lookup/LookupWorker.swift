import WeirData
import WeirEngine

/// A lookup on one way through the plan.
struct BoundLookup: BoundMap {
  enum Unmatched: String {
    case null, `default`, drop, quarantine
  }
  struct Key: Sendable {
    var path: FieldPath
    var column: Int
    var type: FieldType.Base
  }
  var keys: [Key]
  /// Columns of the batch, in the order of those of the table.
  var columns: [Int]
  var table: LookupTable
  var unmatched: Unmatched
  /// As the spec names it, for messages.
  var path: String

  var columnsRead: [Int] { keys.map(\.column) }
  var filters: Bool { unmatched == .drop }
  func makeWorker() -> any MapWorker { LookupWorker(self) }
}

/// Finds the row of each record. One for a coded key is found once.
private final class LookupWorker: MapWorker {
  private static let unknown: Int32 = -2
  private static let none: Int32 = -1

  private let lookup: BoundLookup
  private let table: LookupTable
  private var byCode = CodeMemory<Int32>(unknown: unknown)
  private var key = KeyBytes()
  /// Of the rows that stay, which row of the table.
  private var found: [Int32] = []

  init(_ lookup: BoundLookup) {
    self.lookup = lookup
    table = lookup.table
  }

  func apply(
    _ batch: inout Batch, _ selection: inout Selection, _ refusals: inout [Refusal]
  ) -> Int {
    let before = selection.count
    found.removeAll(keepingCapacity: true)
    found.reserveCapacity(before)
    let filtered = find(batch, &selection, &refusals)
    for (place, column) in lookup.columns.enumerated() {
      let from = table.columns[place]
      let to = batch.column(column)
      from.cells.withUnsafeBufferPointer { cells in
        for (i, row) in selection.rows.enumerated() {
          let at = found[i]
          to[Int(row)] = at >= 0 ? cells[Int(at)] : from.fallback
        }
      }
      if from.type.base == .string { batch.setCodes(from.codes, ofColumn: column) }
    }
    return filtered
  }

  /// Fills ``found``; returns how many records were dropped.
  private func find(
    _ batch: borrowing Batch, _ selection: inout Selection, _ refusals: inout [Refusal]
  ) -> Int {
    let before = selection.count
    let refusedBefore = refusals.count
    var kept = 0
    let first = batch.column(lookup.keys[0].column)
    let codes = table.hasPlainKey ? batch.codes(ofColumn: lookup.keys[0].column) : .none
    byCode.withValues(of: codes) { byCode in
      for i in 0..<before {
        let row = Int(selection.rows[i])
        var place: Int32
        if table.hasPlainKey {
          let code = Int(first[row].code)
          if code > 0, byCode[code] != LookupWorker.unknown {
            place = byCode[code]
          } else {
            place = plainRow(first[row])
            if code > 0 { byCode[code] = place }
          }
        } else {
          place = keyRow(row, batch)
        }
        if place == LookupWorker.none {
          if lookup.unmatched == .drop { continue }
          if lookup.unmatched == .quarantine {
            refusals.append(refusal(row, batch))
            continue
          }
        }
        found.append(place)
        selection.rows[kept] = UInt32(row)
        kept += 1
      }
    }
    selection.rows.removeLast(before - kept)
    return before - kept - (refusals.count - refusedBefore)
  }

  private func plainRow(_ cell: Cell) -> Int32 {
    guard cell.kind == .string else { return LookupWorker.none }
    return table.row(cell.stringBytes).map { Int32($0) } ?? LookupWorker.none
  }

  private func keyRow(_ row: Int, _ batch: borrowing Batch) -> Int32 {
    key.clear()
    for part in lookup.keys {
      let cell = batch.column(part.column)[row]
      if cell.isNull { return LookupWorker.none }
      key.append(cell)
    }
    return table.row(key.bytes).map { Int32($0) } ?? LookupWorker.none
  }

  private func refusal(_ row: Int, _ batch: borrowing Batch) -> Refusal {
    let words = lookup.keys.map { key -> String in
      let cell = batch.column(key.column)[row]
      let value =
        switch cell.kind {
        case .string: shown(cell.text)
        case .int: "\(cell.intValue)"
        default: "null"
        }
      return "`\(key.path.text)` \(value)"
    }
    return Refusal(
      row: row, of: batch, code: "unmatched_key", field: lookup.keys[0].path,
      message: "no row of \(lookup.path) has \(words.joined(separator: ", "))")
  }
}
