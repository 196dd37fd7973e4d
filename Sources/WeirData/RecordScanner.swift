import CSimdjson

/// A field that a plan reads from every record, and the type it is declared as.
public struct PlannedField: Sendable, Hashable {
  public var path: FieldPath
  public var type: FieldType

  public init(path: FieldPath, type: FieldType) {
    self.path = path
    self.type = type
  }
}

/// Why a line is not a record that the plan can use.
public struct LineRefusal: Sendable {
  public var row: Int
  public var code: RefusalCode
  /// Index into the planned fields, where one is to blame.
  public var field: Int?
  public var message: String
}

/// Stable codes of what is wrong with a line.
public enum RefusalCode: String, Sendable {
  case invalidJSON = "invalid_json"
  case invalidUTF8 = "invalid_utf8"
  case notAnObject = "not_an_object"
  case duplicateKey = "duplicate_key"
  case missingField = "missing_field"
  case wrongType = "wrong_type"
  case numberOutOfRange = "number_out_of_range"
  case loneSurrogate = "lone_surrogate"
  case badTimestamp = "bad_timestamp"
  case recordTooLong = "record_too_long"
}

/// Validates lines in full (RFC 8259, UTF-8) and takes the planned fields into the first columns of
/// a batch: column i is field i.
///
/// One scanner serves one task at a time: it owns the parser's memory.
public final class RecordScanner {
  public let fields: [PlannedField]
  private let tree: PathTree
  private let timestampSlots: [Int]
  private let scanner: OpaquePointer
  /// Of each field, the space of its codes.
  private let codeSpaces: [UInt32]
  /// Whether batches are to know where the values stand in the text (``Batch/places(ofColumn:)``).
  public var keepsPlaces = false

  /// Status of a line beyond those of the C scanner and the exact reader.
  private static let badTimestampStatus = 101

  /// - Parameter fields: no two of one path.
  public init(fields: [PlannedField]) {
    precondition(Set(fields.map(\.path)).count == fields.count, "a path is planned twice")
    self.fields = fields
    tree = PathTree(fields.map(\.path))
    timestampSlots = fields.indices.filter { fields[$0].type.base == .timestamp }
    let types = fields.map { field in
      field.type.base.scannerType | (field.type.isNullable ? UInt8(WEIR_TYPE_NULLABLE) : 0)
    }
    codeSpaces = fields.map { _ in ColumnCodes.makeSpace() }
    scanner = tree.withNodes { nodes, roots in
      weir_scanner_new(nodes.baseAddress, nodes.count, roots, types, types.count)!
    }
  }

  deinit { weir_scanner_free(scanner) }

  /// Fills the columns of `batch` and returns the rows that are records; the others are in
  /// `refusals`, in row order.
  public func scan(_ batch: inout Batch, refusals: inout [LineRefusal]) -> Selection {
    scan(&batch, refusals: &refusals, exactly: false)
  }

  /// - Parameter exactly: whether all lines are left to the exact reader, to hold one against the
  ///   other.
  func scan(
    _ batch: inout Batch, refusals: inout [LineRefusal], exactly: Bool
  ) -> Selection {
    let rows = batch.rowCount
    guard rows > 0 else { return Selection() }
    if keepsPlaces { batch.makePlaces(columns: fields.count) }
    let lines = batch.lines
    var failed = rows
    if exactly {
      for row in 0..<rows { lines[row].status = UInt16(WEIR_LINE_REFUSED) }
    } else {
      failed = scanFast(&batch)
    }
    if failed > 0 {
      for row in 0..<rows where lines[row].status == WEIR_LINE_REFUSED { rescan(row, of: &batch) }
    }
    for slot in timestampSlots { failed += readTimestamps(slot, of: batch) }
    if failed == 0 { return Selection(all: rows) }
    var selection = Selection()
    selection.rows.reserveCapacity(rows)
    for row in 0..<rows {
      if lines[row].status == WEIR_LINE_OK {
        selection.rows.append(UInt32(row))
      } else {
        refusals.append(refusal(of: row, in: batch))
      }
    }
    return selection
  }

  /// Returns how many lines are not records yet.
  private func scanFast(_ batch: inout Batch) -> Int {
    let rows = batch.rowCount
    let lines = UnsafeMutableRawPointer(batch.lines).assumingMemoryBound(to: weir_line.self)
    let cells = UnsafeMutableRawPointer(batch.cells).assumingMemoryBound(to: weir_cell.self)
    let places = keepsPlaces && !fields.isEmpty ? batch.places(ofColumn: 0) : nil
    let base = batch.bytes.base
    let failed = withUnsafeMutablePointer(to: &batch.arena) { arena in
      weir_scan(
        scanner, base, lines, rows, cells, rows,
        UnsafeMutableRawPointer(places)?.assumingMemoryBound(to: weir_place.self),
        { arena, length in arena!.assumingMemoryBound(to: Arena.self).pointee.allocate(length) },
        arena)
    }
    for slot in fields.indices {
      let largest = weir_largest_code(scanner, slot)
      guard largest > 0 else { continue }
      batch.setCodes(
        ColumnCodes(space: codeSpaces[slot], largest: UInt16(largest)), ofColumn: slot)
    }
    return failed
  }

  /// Finds where the values of the planned fields stand in the text of a record that ``scan`` took.
  public func locate(
    _ text: UnsafeBufferPointer<UInt8>, starts: UnsafeMutablePointer<UInt32>,
    lengths: UnsafeMutablePointer<UInt32>
  ) {
    weir_locate(scanner, text.baseAddress, text.count, starts, lengths)
  }

  /// The fast parser refused a line: it may be valid all the same (integers over 64 bits, 1e400, half
  /// a surrogate pair, more than 1,024 levels).
  private func rescan(_ row: Int, of batch: inout Batch) {
    let reader = ExactRecordReader(tree: tree, text: batch.text(ofRow: row))
    let values: [ExactValue]
    switch reader.read() {
    case .object(_, .some(let slot)):
      batch.lines[row].status = UInt16(WEIR_LINE_DUPLICATE_KEY)
      batch.lines[row].slot = UInt16(slot)
      return
    case .object(let found, nil): values = found
    case .notAnObject:
      batch.lines[row].status = UInt16(WEIR_LINE_NOT_OBJECT)
      return
    case .invalid: return
    }
    for (slot, field) in fields.enumerated() {
      let outcome = values[slot].cell(as: field.type, arena: &batch.arena)
      batch.column(slot)[row] = outcome.cell
      if outcome.status != UInt16(WEIR_LINE_OK) {
        batch.lines[row].status = outcome.status
        batch.lines[row].slot = UInt16(slot)
        return
      }
    }
    batch.lines[row].status = UInt16(WEIR_LINE_OK)
    if keepsPlaces || fields.indices.contains(where: { batch.column($0)[row].kind == .other }) {
      findPlaces(row, of: &batch)
    }
  }

  private func findPlaces(_ row: Int, of batch: inout Batch) {
    var starts = [UInt32](repeating: 0, count: fields.count)
    var lengths = starts
    let text = batch.text(ofRow: row)
    locate(text, starts: &starts, lengths: &lengths)
    for slot in fields.indices {
      let (start, length) = (starts[slot], lengths[slot])
      if keepsPlaces {
        batch.places(ofColumn: slot)?[row] = ValuePlace(start: start, length: length)
      }
      if batch.column(slot)[row].kind == .other {
        batch.column(slot)[row] = .other(
          json: UnsafeBufferPointer(rebasing: text[Int(start)..<Int(start + length)]))
      }
    }
  }

  /// Returns how many are none.
  private func readTimestamps(_ slot: Int, of batch: borrowing Batch) -> Int {
    let cells = batch.column(slot)
    let lines = batch.lines
    var failed = 0
    for row in 0..<batch.rowCount where lines[row].status == WEIR_LINE_OK {
      guard cells[row].rawKind == CellKind.string.rawValue else { continue }
      if let time = Timestamp(rfc3339: cells[row].stringBytes) {
        cells[row] = .timestamp(microseconds: time.microseconds)
      } else {
        lines[row].status = UInt16(RecordScanner.badTimestampStatus)
        lines[row].slot = UInt16(slot)
        failed += 1
      }
    }
    return failed
  }

  private func refusal(of row: Int, in batch: borrowing Batch) -> LineRefusal {
    let line = batch.lines[row]
    let slot = Int(line.slot)
    switch Int(line.status) {
    case WEIR_LINE_NOT_OBJECT:
      return LineRefusal(
        row: row, code: .notAnObject, message: "valid JSON, but not an object")
    case WEIR_LINE_REFUSED:
      let reader = ExactRecordReader(tree: tree, text: batch.text(ofRow: row))
      guard case .invalid(let error) = reader.read() else {
        preconditionFailure("`rescan` settles every line that is JSON")
      }
      return LineRefusal(
        row: row, code: error.code == .utf8 ? .invalidUTF8 : .invalidJSON,
        message: "not JSON at byte \(error.offset + 1) of the line: \(error.message)")
    default:
      let name = fields[slot].path.text
      let cell = batch.column(slot)[row]
      switch Int(line.status) {
      case WEIR_LINE_DUPLICATE_KEY:
        return LineRefusal(
          row: row, code: .duplicateKey, field: slot,
          message: "the key of `\(name)` stands twice: it is not known which value is meant")
      case WEIR_LINE_MISSING:
        return LineRefusal(
          row: row, code: .missingField, field: slot,
          message: "`\(name)` is \(cell.kind == .null ? "null" : "absent")")
      case WEIR_LINE_OUT_OF_RANGE:
        return LineRefusal(
          row: row, code: .numberOutOfRange, field: slot,
          message: "`\(name)` is a number that does not fit \(fields[slot].type.base.rawValue)")
      case RecordScanner.badTimestampStatus:
        return LineRefusal(
          row: row, code: .badTimestamp, field: slot,
          message: "`\(name)` is \(quoted(cell)), not an RFC 3339 time")
      case ExactValue.loneSurrogateStatus:
        return LineRefusal(
          row: row, code: .loneSurrogate, field: slot,
          message: "`\(name)` holds half of a surrogate pair, which is no text")
      default:
        return LineRefusal(
          row: row, code: .wrongType, field: slot,
          message: "`\(name)` is \(describe(cell)), expected \(fields[slot].type.text)")
      }
    }
  }
}

private func describe(_ cell: Cell) -> String {
  switch cell.kind {
  case .missing: "absent"
  case .null: "null"
  case .string: "the string \(quoted(cell))"
  case .int: "the integer \(cell.intValue)"
  case .number: "the number \(cell.numberValue)"
  case .bool: "a boolean"
  case .timestamp: "a timestamp"
  case .other: cell.isNumberBeyond64Bits ? "a number beyond 64 bits" : "an object or array"
  }
}

/// The first 40 bytes of a string cell, in quotes, for messages.
func quoted(_ cell: Cell) -> String {
  let bytes = cell.stringBytes
  return "\"\(String(decoding: bytes.prefix(40), as: UTF8.self))\(bytes.count > 40 ? "…" : "")\""
}

extension FieldType.Base {
  fileprivate var scannerType: UInt8 {
    switch self {
    case .string: UInt8(WEIR_TYPE_STRING)
    case .int: UInt8(WEIR_TYPE_INT)
    case .number: UInt8(WEIR_TYPE_NUMBER)
    case .bool: UInt8(WEIR_TYPE_BOOL)
    case .timestamp: UInt8(WEIR_TYPE_TIMESTAMP)
    case .any: UInt8(WEIR_TYPE_ANY)
    }
  }
}
