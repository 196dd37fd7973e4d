import WeirData
import WeirEngine

/// A field of the stage on one way through the plan.
struct BoundNormalizeField: Sendable {
  enum Work: Sendable {
    /// - `mapName`: the file, or nothing for a map in the spec.
    case text(TextSteps, mapName: String?)
    case number(asInt: Bool, trims: Bool)
    case timestamp(TimeForms, trims: Bool)
  }

  let path: FieldPath
  let from: Int
  let to: Int
  let work: Work
}

struct BoundNormalize: BoundMap {
  let fields: [BoundNormalizeField]

  var columnsRead: [Int] { fields.map(\.from) }
  /// What it cannot normalise goes to the quarantine; it decides nothing.
  var filters: Bool { false }
  func makeWorker() -> any MapWorker { NormalizeWorker(fields) }
}

/// Goes field by field over the batch: a row has at most one refusal, of the first field that fails.
private final class NormalizeWorker: MapWorker {
  private let columns: [any ColumnWorker]

  init(_ fields: [BoundNormalizeField]) {
    columns = fields.map { field in
      switch field.work {
      case .text(let steps, let mapName): TextColumn(field, steps, mapName: mapName)
      case .number(let asInt, let trims): NumberColumn(field, asInt: asInt, trims: trims)
      case .timestamp(let forms, let trims): TimeColumn(field, forms, trims: trims)
      }
    }
  }

  func apply(
    _ batch: inout Batch, _ selection: inout Selection, _ refusals: inout [Refusal]
  ) -> Int {
    for column in columns { column.apply(&batch, &selection, &refusals) }
    return 0
  }
}

/// Fills one column from another. Null and absent stay what they are.
private protocol ColumnWorker: AnyObject {
  func apply(_ batch: inout Batch, _ selection: inout Selection, _ refusals: inout [Refusal])
}

/// Text, with a memory of values that were seen before: a coded value is looked up by its code, any
/// other by its bytes.
private final class TextColumn: ColumnWorker {
  /// What the steps made of a value, of a refused one for the message; and what they say of it, `nil` where
  /// nothing is known yet.
  private typealias Outcome = TextMemory<TextSteps.Verdict?>.Outcome
  private static var unknown: Outcome { Outcome(cell: .missing, note: nil) }

  private let field: BoundNormalizeField
  private let steps: TextSteps
  private let mapName: String?
  private let memory = TextMemory<TextSteps.Verdict?>()
  private var byCode = CodeMemory(unknown: TextColumn.unknown)
  private var text: [UInt8] = []
  private var spare: [UInt8] = []

  init(_ field: BoundNormalizeField, _ steps: TextSteps, mapName: String?) {
    self.field = field
    self.steps = steps
    self.mapName = mapName
  }

  func apply(_ batch: inout Batch, _ selection: inout Selection, _ refusals: inout [Refusal]) {
    let from = batch.column(field.from)
    let to = batch.column(field.to)
    let count = selection.count
    var kept = 0
    let codes = batch.codes(ofColumn: field.from)
    byCode.withValues(of: codes) { byCode in
      selection.rows.withUnsafeMutableBufferPointer { rows in
        for i in 0..<count {
          let row = Int(rows[i])
          let cell = from[row]
          let code = Int(cell.code)
          if code > 0, byCode[code].note == .text {
            to[row] = byCode[code].cell
          } else if cell.isNull {
            to[row] = cell
          } else if cell.kind == .string {
            let outcome = code > 0 ? byCode[code] : TextColumn.unknown
            let known =
              outcome.note == nil ? self.outcome(of: cell.stringBytes, in: &batch) : outcome
            // What lies in the memory of this batch is not for the next.
            if code > 0, known.cell.code > 0 { byCode[code] = known }
            switch known.note {
            case .text: to[row] = known.cell
            case .null: to[row] = .null
            case .unmapped, .notInValues, nil:
              refusals.append(refusal(of: row, in: batch, cell, known))
              continue
            }
          } else {
            refusals.append(wrongType(field, row, batch, cell, expected: "a string"))
            continue
          }
          rows[kept] = UInt32(truncatingIfNeeded: row)
          kept &+= 1
        }
      }
    }
    selection.rows.removeLast(count - kept)
    batch.setCodes(memory.codes, ofColumn: field.to)
  }

  private func outcome(
    of bytes: UnsafeBufferPointer<UInt8>, in batch: inout Batch
  ) -> Outcome {
    if let known = memory.outcome(of: bytes) { return known }
    text.removeAll(keepingCapacity: true)
    text.append(contentsOf: bytes)
    let verdict = steps.run(&text, spare: &spare)
    return text.withUnsafeBufferPointer { memory.remember($0, verdict, of: bytes, in: &batch) }
  }

  private func refusal(
    of row: Int, in batch: borrowing Batch, _ cell: Cell, _ outcome: Outcome
  ) -> Refusal {
    var value = shown(cell)
    if !isSame(cell.stringBytes, outcome.cell.stringBytes) {
      value += " (\(shown(outcome.cell)) after the other steps)"
    }
    let isUnmapped = outcome.note == .unmapped
    let expected =
      isUnmapped
      ? "a key of \(mapName.map { "the map \($0)" } ?? "`map`")" : "one of `values`"
    return Refusal(
      row: row, of: batch, code: isUnmapped ? "unmapped_value" : "not_in_values",
      field: field.path, message: "`\(field.path.text)` is \(value), expected \(expected)")
  }
}

private final class NumberColumn: ColumnWorker {
  private let field: BoundNormalizeField
  private let asInt: Bool
  private let trims: Bool

  init(_ field: BoundNormalizeField, asInt: Bool, trims: Bool) {
    self.field = field
    self.asInt = asInt
    self.trims = trims
  }

  func apply(_ batch: inout Batch, _ selection: inout Selection, _ refusals: inout [Refusal]) {
    let from = batch.column(field.from)
    let to = batch.column(field.to)
    let count = selection.count
    let expected = asInt ? "a whole number of 64 bits" : "a number"
    let (asInt, trims) = (asInt, trims)
    var kept = 0
    selection.rows.withUnsafeMutableBufferPointer { rows in
      for i in 0..<count {
        let row = Int(rows[i])
        let cell = from[row]
        let value: Cell?
        switch cell.kind {
        case .missing, .null: value = cell
        case .int: value = asInt ? cell : .number(Double(cell.intValue))
        case .number: value = asInt ? NumberText.whole(cell.numberValue) : cell
        case .string:
          let text = trims ? UnicodeText.trimmed(cell.stringBytes) : cell.stringBytes
          value = NumberText.read(text, asInt: asInt)
        case .bool, .timestamp, .other:
          refusals.append(wrongType(field, row, batch, cell, expected: expected))
          continue
        }
        guard let value else {
          refusals.append(
            Refusal(
              row: row, of: batch, code: "bad_number", field: field.path,
              message: "`\(field.path.text)` is \(shown(cell)), expected \(expected)"))
          continue
        }
        to[row] = value
        rows[kept] = UInt32(truncatingIfNeeded: row)
        kept &+= 1
      }
    }
    selection.rows.removeLast(count - kept)
  }
}

private final class TimeColumn: ColumnWorker {
  private let field: BoundNormalizeField
  private let forms: TimeForms
  private let trims: Bool
  private var reader = TimestampReader()

  init(_ field: BoundNormalizeField, _ forms: TimeForms, trims: Bool) {
    self.field = field
    self.forms = forms
    self.trims = trims
  }

  func apply(_ batch: inout Batch, _ selection: inout Selection, _ refusals: inout [Refusal]) {
    let from = batch.column(field.from)
    let to = batch.column(field.to)
    let count = selection.count
    let (forms, trims) = (forms, trims)
    var reader = self.reader
    var kept = 0
    selection.rows.withUnsafeMutableBufferPointer { rows in
      for i in 0..<count {
        let row = Int(rows[i])
        let cell = from[row]
        let time: Int64?
        switch cell.kind {
        case .string:
          let text = trims ? UnicodeText.trimmed(cell.stringBytes) : cell.stringBytes
          if forms.rfc3339, let read = reader.read(text) {
            time = read
          } else {
            time = forms.read(text: text)?.microseconds
          }
        case .int where forms.epoch != nil: time = forms.read(int: cell.intValue)?.microseconds
        case .timestamp: time = cell.intValue
        case .number where forms.epoch != nil:
          time = forms.read(number: cell.numberValue)?.microseconds
        case .missing, .null:
          to[row] = cell
          rows[kept] = UInt32(truncatingIfNeeded: row)
          kept &+= 1
          continue
        default:
          refusals.append(wrongType(field, row, batch, cell, expected: forms.expectation))
          continue
        }
        guard let time else {
          refusals.append(
            Refusal(
              row: row, of: batch, code: "bad_timestamp", field: field.path,
              message: "`\(field.path.text)` is \(shown(cell)), expected \(forms.expectation)"))
          continue
        }
        to[row] = .timestamp(microseconds: time)
        rows[kept] = UInt32(truncatingIfNeeded: row)
        kept &+= 1
      }
    }
    self.reader = reader
    selection.rows.removeLast(count - kept)
  }
}

// MARK: - Messages

private func wrongType(
  _ field: BoundNormalizeField, _ row: Int, _ batch: borrowing Batch, _ cell: Cell,
  expected: String
) -> Refusal {
  Refusal(
    row: row, of: batch, code: "wrong_type", field: field.path,
    message: "`\(field.path.text)` is \(shown(cell)), expected \(expected)")
}

/// A value for a message; of a string at most the first 40 bytes, whole characters.
private func shown(_ cell: Cell) -> String {
  switch cell.kind {
  case .missing: return "absent"
  case .null: return "null"
  case .int: return "the integer \(cell.intValue)"
  case .number: return "the number \(cell.numberValue)"
  case .bool: return cell.boolValue ? "true" : "false"
  case .timestamp: return "the time \(Timestamp(microseconds: cell.intValue).rfc3339)"
  case .other: return "an object, an array or a number that does not fit"
  case .string:
    let bytes = cell.stringBytes
    var end = min(40, bytes.count)
    while end < bytes.count, end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
    let head = String(decoding: bytes[..<end], as: UTF8.self)
    return "\"\(head)\(end < bytes.count ? "…" : "")\""
  }
}
