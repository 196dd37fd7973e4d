import WeirData

/// How values are written as CSV: RFC 4180 with `\n`, or what Excel reads by a double click.
struct CSVFormat: Sendable {
  private static let quote = UInt8(ascii: "\"")
  private static let comma = UInt8(ascii: ",")

  /// Byte order mark and `\r\n`.
  let isForExcel: Bool
  /// Whether text that a spreadsheet would run as a formula gets `'` in front.
  let guardsFormulas: Bool

  /// A mark if Excel needs it, and a line with the names of the columns.
  func appendHead(_ columns: [String], to out: inout TextBuffer) {
    if isForExcel { out.append([0xEF, 0xBB, 0xBF]) }
    appendLine(columns.map { .text($0) }, Array(columns.indices), to: &out)
  }

  /// - Parameter places: of the values that are written, in order.
  func appendLine(_ values: [JSONValue], _ places: [Int], to out: inout TextBuffer) {
    let start = out.count
    for (i, place) in places.enumerated() {
      if i > 0 { appendComma(to: &out) }
      append(values[place], to: &out)
    }
    endLine(from: start, to: &out)
  }

  func appendComma(to out: inout TextBuffer) { out.append(CSVFormat.comma) }

  /// Ends a line that begins at `start`. A null alone in its line is written as `""`: readers pass
  /// over empty lines.
  func endLine(from start: Int, to out: inout TextBuffer) {
    if out.count == start { out.append("\"\"") }
    if isForExcel { out.append(0x0D) }
    out.append(0x0A)
  }

  /// Null is nothing; an array or object is its JSON text.
  private func append(_ value: JSONValue, to out: inout TextBuffer) {
    switch value {
    case .null: break
    case .string(let bytes): bytes.withUnsafeBufferPointer { appendText($0, to: &out) }
    case .array, .object: value.bytes().withUnsafeBufferPointer { appendText($0, to: &out) }
    case .bool(let value): out.append(value ? "true" : "false")
    case .int(let value): out.append(int: value)
    case .number(let value): out.append(number: value)
    }
  }

  /// Null is nothing. False for an array or object, of which a cell has no text.
  func append(_ cell: Cell, to out: inout TextBuffer) -> Bool {
    switch cell.kind {
    case .missing, .null: break
    case .string: appendText(cell.stringBytes, to: &out)
    case .int: out.append(int: cell.intValue)
    case .number: out.append(number: cell.numberValue)
    case .bool: out.append(cell.boolValue ? "true" : "false")
    case .timestamp: out.append(timestamp: Timestamp(microseconds: cell.intValue))
    case .other: return false
    }
    return true
  }

  private func appendText(_ text: UnsafeBufferPointer<UInt8>, to out: inout TextBuffer) {
    let isFormula = guardsFormulas && CSVFormat.startsFormula(text)
    guard isFormula || CSVFormat.needsQuotes(text) else {
      out.append(text)
      return
    }
    out.append(CSVFormat.quote)
    if isFormula { out.append(UInt8(ascii: "'")) }
    var from = 0
    for i in 0..<text.count where text[i] == CSVFormat.quote {
      out.append(UnsafeBufferPointer(rebasing: text[from...i]))
      out.append(CSVFormat.quote)
      from = i + 1
    }
    out.append(UnsafeBufferPointer(rebasing: text[from...]))
    out.append(CSVFormat.quote)
  }

  /// Empty text has quotes, so that it is not null.
  private static func needsQuotes(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    let count = text.count
    guard count > 0, let base = text.baseAddress else { return true }
    if isBlank(base[0]) || isBlank(base[count - 1]) { return true }
    for i in 0..<count {
      let byte = base[i]
      if byte == comma || byte == quote || byte == 0x0A || byte == 0x0D { return true }
    }
    return false
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  /// Whether a spreadsheet may take the text for a formula: it starts with `=`, `+`, `-`, `@`, their
  /// full-width forms (U+FF1D, U+FF0B, U+FF0D, U+FF20), or a tab, CR, LF or NUL, which some programs
  /// pass over (OWASP, "CSV Injection").
  private static func startsFormula(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard text.count > 0 else { return false }
    switch text[0] {
    case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 0x09, 0x0A,
      0x0D, 0x00:
      return true
    case 0xEF:
      guard text.count >= 3, text[1] == 0xBC else { return false }
      return text[2] == 0x9D || text[2] == 0x8B || text[2] == 0x8D || text[2] == 0xA0
    default: return false
    }
  }
}
