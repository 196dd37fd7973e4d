import Glibc
import WeirData
import WeirEngine

/// Writes a record as it came, with only the edited values changed: untouched bytes stay as they are.
struct RecordSplicer {
  private struct Edit {
    /// Column with the value as it stands in the record, which is the scanner's slot too.
    var record: Int
    var column: Int
  }
  private let edits: [Edit]
  private var starts: [UInt32]
  private var lengths: [UInt32]
  /// Edits that change the record in hand, by where they begin.
  private var changes: [(start: Int, end: Int, edit: Int)] = []

  init(scope: Scope) {
    edits = scope.fields.compactMap { field in
      guard field.isEdited, let record = field.recordColumn else { return nil }
      return Edit(record: record, column: field.column)
    }
    let slots = (edits.map(\.record).max() ?? -1) + 1
    let recordFields = scope.fields.compactMap(\.recordColumn).max() ?? -1
    starts = Array(repeating: 0, count: max(slots, recordFields + 1))
    lengths = starts
  }

  static func columnsRead(_ scope: Scope) -> [Int] {
    scope.fields.filter(\.isEdited).flatMap { [$0.column] + ($0.recordColumn.map { [$0] } ?? []) }
  }

  /// Appends row `row` without a line end.
  mutating func append(
    _ row: Int, of batch: borrowing Batch, using scanner: any BatchScanner, to out: inout [UInt8]
  ) {
    let text = batch.text(ofRow: row)
    changes.removeAll(keepingCapacity: true)
    if hasChange(row, batch) { locate(row, batch, text, scanner) }
    var from = 0
    for change in changes {
      out.append(contentsOf: text[from..<change.start])
      appendValue(batch.column(edits[change.edit].column)[row], to: &out)
      from = change.end
    }
    out.append(contentsOf: text[from...])
  }

  private func hasChange(_ row: Int, _ batch: borrowing Batch) -> Bool {
    for edit in edits
    where !isSameValue(batch.column(edit.column)[row], batch.column(edit.record)[row]) {
      return true
    }
    return false
  }

  private mutating func locate(
    _ row: Int, _ batch: borrowing Batch, _ text: UnsafeBufferPointer<UInt8>,
    _ scanner: any BatchScanner
  ) {
    scanner.locate(text, starts: &starts, lengths: &lengths)
    for (i, edit) in edits.enumerated() {
      guard lengths[edit.record] > 0,
        !isSameValue(batch.column(edit.column)[row], batch.column(edit.record)[row])
      else { continue }
      let start = Int(starts[edit.record])
      changes.append((start, start + Int(lengths[edit.record]), i))
    }
    changes.sort { $0.start < $1.start }
  }
}

private func isSameValue(_ a: Cell, _ b: Cell) -> Bool {
  if a.isNull, b.isNull { return true }
  guard a.rawKind == b.rawKind else { return false }
  return a.kind == .string ? isSame(a.stringBytes, b.stringBytes) : a.bits == b.bits
}

/// Appends a cell as JSON.
private func appendValue(_ cell: Cell, to out: inout [UInt8]) {
  switch cell.kind {
  case .string: appendJSONString(cell.stringBytes, to: &out)
  case .timestamp:
    out.append(UInt8(ascii: "\""))
    Timestamp(microseconds: cell.intValue).append(to: &out)
    out.append(UInt8(ascii: "\""))
  default: cell.jsonValue.write(to: &out)
  }
}
