@testable import WeirData

// No Testing here: the fuzzer is built from this file too (Tests/Fuzz).

/// Holds the scanner against the exact reader, and the framer against the words of the format, on any
/// bytes.
///
/// It keeps its scanners, with what they learn, from input to input, as a task does.
final class ScannerCheck {
  private struct Plan {
    var fields: [PlannedField]
    var scanner: RecordScanner
    /// Of each field, the string of each code.
    var codes: [[UInt16: Cell]]

    init(_ fields: [PlannedField]) {
      self.fields = fields
      scanner = RecordScanner(fields: fields)
      scanner.keepsPlaces = true
      codes = Array(repeating: [:], count: fields.count)
    }
  }
  private var plans: [Plan]
  /// Lines that were held against the exact reader.
  private(set) var lineCount = 0

  private static let plannedFields: [[(String, String)]] = [
    [
      ("id", "string"), ("ts", "any"), ("market", "string?"), ("n", "int?"), ("x", "number?"),
      ("ok", "bool?"),
    ],
    [("a", "any?"), ("a.b", "any?"), ("a.b.c", "int?"), ("a.d", "string?"), ("é", "any?")],
    [("a", "int"), ("t", "timestamp?"), ("\"\"", "number?"), ("long_enough_for_a_middle", "any?")],
    [],
    [("a", "number"), ("b", "string"), ("c.a", "bool"), ("c.b", "any")],
  ]

  init() {
    plans = ScannerCheck.plannedFields.map { fields in
      Plan(fields.map { PlannedField(path: FieldPath(text: $0.0)!, type: FieldType(text: $0.1)!) })
    }
  }

  /// What is wrong with the reading of `input`, or `nil`. Its first byte says how it is read.
  func problem(_ input: [UInt8]) -> String? {
    guard let choice = input.first else { return nil }
    let text = Array(input.dropFirst())
    let plan = Int(choice) % plans.count
    var limits = ShardLimits()
    limits.batchBytes = [64, 1 << 12, 1 << 18][Int(choice >> 3) % 3]
    if choice & 0x80 != 0 { limits.recordBytesMax = 40 }
    var framer = LineFramer(path: "fuzz", limits: limits)
    var lines: [ClosedLine] = []
    var found: String?
    func take(_ block: consuming LineBlock) {
      lines += block.oversized.map { ClosedLine(number: $0.number, bytes: $0.head) }
      for line in block.lines {
        let bytes = block.bytes.view[Int(line.start)..<Int(line.start + line.length)]
        lines.append(ClosedLine(number: Int(line.number), bytes: Array(bytes)))
      }
      let problem = problem(of: block, plan)
      found = found ?? problem
    }
    do {
      var at = 0
      try text.withUnsafeBufferPointer {
        while at < text.count { if let block = try framer.add($0, at: &at) { take(block) } }
      }
      if let block = framer.finish() { take(block) }
    } catch { return "\(error)" }
    lines.sort { $0.number < $1.number }
    return found ?? (lines == expectedLines(text) ? nil : "other lines: \(lines)")
  }

  // MARK: Lines

  private struct ClosedLine: Equatable {
    var number: Int
    var bytes: [UInt8]
  }

  private func expectedLines(_ text: [UInt8]) -> [ClosedLine] {
    let text = text.starts(with: [0xEF, 0xBB, 0xBF]) ? text.dropFirst(3) : text[...]
    let parts = text.split(separator: 0x0A, omittingEmptySubsequences: false)
    return parts.enumerated().compactMap { index, part in
      // A carriage return belongs to the line end where there is a line feed.
      let isClosed = index < parts.count - 1
      let line = Array(isClosed && part.last == 0x0D ? part.dropLast() : part)
      let isBlank = line.allSatisfy { [0x20, 0x09, 0x0D].contains($0) }
      return isBlank ? nil : ClosedLine(number: index + 1, bytes: line)
    }
  }

  // MARK: Values

  private func problem(of block: consuming LineBlock, _ plan: Int) -> String? {
    let copy = Bytes(block.bytes.view)
    let lines = Array(block.lines)
    lineCount += lines.count
    var fast = Batch(block, columnCount: plans[plan].fields.count)
    var exact = Batch(bytes: copy, lines: lines, columnCount: plans[plan].fields.count)
    var fastRefusals: [LineRefusal] = []
    var exactRefusals: [LineRefusal] = []
    let scanner = plans[plan].scanner
    let fastRows = scanner.scan(&fast, refusals: &fastRefusals)
    let exactRows = scanner.scan(&exact, refusals: &exactRefusals, exactly: true)
    guard fastRows.rows == exactRows.rows else {
      return "rows \(fastRows.rows), exactly \(exactRows.rows)"
    }
    for (a, b) in zip(fastRefusals, exactRefusals)
    where a.row != b.row || a.code != b.code || a.field != b.field || a.message != b.message {
      return "refused as \(a), exactly \(b)"
    }
    for row in fastRows.rows.map(Int.init) {
      for slot in plans[plan].fields.indices {
        let cell = fast.column(slot)[row]
        if let problem = difference(cell, exact.column(slot)[row]) {
          return "row \(row), field \(slot): \(problem)"
        }
        guard cell.code > 0 else { continue }
        let codes = fast.codes(ofColumn: slot)
        let known = plans[plan].codes[slot].updateValue(cell, forKey: cell.code) ?? cell
        guard codes.space > 0, cell.code <= codes.largest, cell.kind == .string,
          cell.bits == known.bits, cell.length == known.length
        else { return "row \(row), field \(slot): code \(cell.code) is another string" }
      }
      if let problem = misplaced(row, in: fast, plans[plan].fields.map(\.path)) {
        return "row \(row), field \(problem) stands elsewhere"
      }
    }
    return nil
  }

  private func difference(_ a: Cell, _ b: Cell) -> String? {
    let isSame =
      (a.kind == .string && b.kind == .string) || (a.jsonText != nil && b.jsonText != nil)
      ? a.stringBytes.elementsEqual(b.stringBytes)
      : a.rawKind == b.rawKind && a.bits == b.bits && a.length == b.length
    return isSame ? nil : "\(a), exactly \(b)"
  }

  /// The first field whose place is not that of its value.
  private func misplaced(
    _ row: Int, in batch: borrowing Batch, _ paths: [FieldPath]
  ) -> Int? {
    let expected = locations(of: paths, in: Array(batch.text(ofRow: row)))
    return paths.indices.first { slot in
      let place = batch.places(ofColumn: slot)![row]
      let range = Int(place.start)..<Int(place.start + place.length)
      return range != expected?[slot] ?? 0..<0
    }
  }
}

/// Where the values of `paths` stand in a document, found with the exact reader; of doubled keys the
/// first. `nil` where it is not JSON.
func locations(of paths: [FieldPath], in document: [UInt8]) -> [Range<Int>?]? {
  document.withUnsafeBufferPointer { bytes in
    var found = [Range<Int>?](repeating: nil, count: paths.count)
    var tokens = JSONTokens(bytes)
    /// One level of nesting: the path to it, unless it is in an array, the key whose value comes next,
    /// and where it begins.
    struct Level {
      var path: [[UInt8]]?
      var key: [UInt8]?
      var start: Int
    }
    var levels: [Level] = []
    func path() -> [[UInt8]]? {
      guard let level = levels.last else { return [] }
      return level.path.flatMap { path in level.key.map { path + [$0] } }
    }
    func note(_ range: Range<Int>) {
      guard !levels.isEmpty, let path = path() else { return }
      for i in paths.indices where paths[i].components == path && found[i] == nil {
        found[i] = range
      }
    }
    do throws(JSONError) {
      while let token = try tokens.next() {
        let range = token.range
        switch token.kind {
        case .key:
          let raw = UnsafeBufferPointer(rebasing: bytes[range])
          levels[levels.count - 1].key = token.hasEscapes ? unescapeJSON(raw) : Array(raw)
        case .beginObject:
          levels.append(Level(path: path(), key: nil, start: range.lowerBound))
        case .beginArray:
          levels.append(Level(path: nil, key: nil, start: range.lowerBound))
        case .endObject, .endArray:
          let start = levels.removeLast().start
          note(start..<range.upperBound)
        case .string: note((range.lowerBound - 1)..<(range.upperBound + 1))
        default: note(range)
        }
      }
      return found
    } catch {
      return nil
    }
  }
}
