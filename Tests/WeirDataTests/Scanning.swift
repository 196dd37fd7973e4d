import Testing

@testable import WeirData

/// What became of one line: a record with its values, or why it is none.
enum Verdict: Equatable, CustomStringConvertible {
  case record([CellValue])
  case refused(String, field: Int?, message: String)

  var description: String {
    switch self {
    case .record(let values): "record \(values)"
    case .refused(let code, let field, let message):
      "\(code)\(field.map { " of field \($0)" } ?? ""): \(message)"
    }
  }

  var isRecord: Bool { if case .record = self { true } else { false } }
  var code: String? { if case .refused(let code, _, _) = self { code } else { nil } }
}

/// A cell that does not point anywhere.
enum CellValue: Equatable {
  case missing, null, nested
  case string(String)
  case bytes([UInt8])
  case int(Int64)
  /// By bit pattern, so that 0 and -0 differ.
  case number(UInt64)
  case bool(Bool)
  case timestamp(Int64)

  static func number(_ value: Double) -> CellValue { .number(value.bitPattern) }

  init(_ cell: Cell) {
    switch cell.kind {
    case .missing: self = .missing
    case .null: self = .null
    case .other: self = .nested
    case .string:
      let bytes = Array(cell.stringBytes)
      self = String(validating: bytes, as: UTF8.self).map { .string($0) } ?? .bytes(bytes)
    case .int: self = .int(cell.intValue)
    case .number: self = .number(cell.numberValue)
    case .bool: self = .bool(cell.boolValue)
    case .timestamp: self = .timestamp(cell.intValue)
    }
  }
}

func planned(_ fields: [(String, String)]) -> [PlannedField] {
  fields.map { PlannedField(path: FieldPath(text: $0.0)!, type: FieldType(text: $0.1)!) }
}

/// A batch whose lines are `documents`, each behind the other, whatever bytes they hold.
func batch(of documents: [[UInt8]], columns: Int) -> Batch {
  var lines: [BatchLine] = []
  var text: [UInt8] = []
  for (i, document) in documents.enumerated() {
    lines.append(
      BatchLine(
        start: UInt32(text.count), length: UInt32(document.count), number: UInt32(i + 1)))
    text += document + [0x0A]
  }
  return Batch(bytes: Bytes(text), lines: lines, columnCount: columns)
}

/// Scans `documents` as the lines of one batch.
///
/// - Parameter exactly: by the exact reader alone.
func scan(_ documents: [[UInt8]], _ scanner: RecordScanner, exactly: Bool = false) -> [Verdict] {
  var batch = batch(of: documents, columns: scanner.fields.count)
  var refusals: [LineRefusal] = []
  let selection = scanner.scan(&batch, refusals: &refusals, exactly: exactly)
  var verdicts: [Verdict?] = Array(repeating: nil, count: documents.count)
  for row in selection.rows.map(Int.init) {
    verdicts[row] = .record(scanner.fields.indices.map { CellValue(batch.column($0)[row]) })
  }
  for refusal in refusals {
    #expect(verdicts[refusal.row] == nil)
    verdicts[refusal.row] = .refused(
      refusal.code.rawValue, field: refusal.field, message: refusal.message)
  }
  return verdicts.map { $0! }
}

/// Why `document` is not JSON, by the exact reader, or `nil`.
func exactError(_ document: [UInt8]) -> JSONError? {
  document.withUnsafeBufferPointer { bytes -> JSONError? in
    var tokens = JSONTokens(bytes)
    do throws(JSONError) {
      while try tokens.next() != nil {}
      return nil
    } catch {
      return error
    }
  }
}
