import WeirData
import WeirEngine

/// The text of a row with the places of its cells: most are only held against others, and need no value.
struct SplitRow {
  struct Cell {
    /// Of a CSV cell in quotes, what stands between them; a JSON string has its quotes.
    var range: Range<Int>
    var isQuoted = false
  }

  let bytes: [UInt8]
  private(set) var cells: [Cell] = []
  private let isCSV: Bool

  // MARK: Cutting

  /// One line of a CSV (RFC 4180).
  ///
  /// - Parameter count: how many cells to make of it; `nil`: as many as there are.
  init(csv line: [UInt8], count: Int?) {
    bytes = line
    isCSV = true
    var found: [Cell] = []
    found.reserveCapacity(count ?? 16)
    line.withUnsafeBufferPointer { line in
      let quote = UInt8(ascii: "\"")
      var at = 0
      while true {
        let isQuoted = at < line.count && line[at] == quote
        var cell = Cell(range: at..<at, isQuoted: isQuoted)
        if isQuoted {
          let start = at + 1
          at = start
          while at < line.count {
            if line[at] == quote {
              guard at + 1 < line.count, line[at + 1] == quote else { break }
              at += 1
            }
            at += 1
          }
          cell.range = start..<at
        }
        let start = at
        while at < line.count, line[at] != UInt8(ascii: ",") { at += 1 }
        if !isQuoted { cell.range = start..<at }
        found.append(cell)
        guard at < line.count else { break }
        at += 1
      }
    }
    cells = found
    guard let count else { return }
    while cells.count < count { cells.append(Cell(range: line.count..<line.count)) }
  }

  /// One object of a JSONL file.
  init(json line: [UInt8], _ columns: [String]) throws(JSONError) {
    bytes = line
    isCSV = false
    let members = try line.withUnsafeBufferPointer { line throws(JSONError) in
      try SplitRow.members(line)
    }
    // Rows of one table have their columns in one order.
    cells = columns.enumerated().map { i, column in
      if i < members.count, members[i].key.elementsEqual(column.utf8) {
        return Cell(range: members[i].value)
      }
      let other = members.first { $0.key.elementsEqual(column.utf8) }?.value
      return Cell(range: other ?? line.count..<line.count)
    }
  }

  private typealias Member = (key: [UInt8], value: Range<Int>)

  private static func members(
    _ line: UnsafeBufferPointer<UInt8>
  ) throws(JSONError) -> [Member] {
    var tokens = JSONTokens(line)
    var members: [Member] = []
    var key: [UInt8] = []
    var start = 0
    var depth = 0
    while let token = try tokens.next() {
      switch token.kind {
      case .beginObject, .beginArray:
        depth += 1
        if depth == 2 { start = token.range.lowerBound }
      case .endObject, .endArray:
        depth -= 1
        if depth == 1 { members.append((key, start..<token.range.upperBound)) }
      case .key:
        guard depth == 1 else { continue }
        key = Array(line[token.range])
        guard token.hasEscapes else { continue }
        let quoted = Array(line[(token.range.lowerBound - 1)..<(token.range.upperBound + 1)])
        if case .string(let text) = try JSONValue(reading: quoted) { key = text }
      case .string:
        if depth == 1 {
          members.append((key, (token.range.lowerBound - 1)..<(token.range.upperBound + 1)))
        }
      default:
        if depth == 1 { members.append((key, token.range)) }
      }
    }
    return members
  }

  // MARK: Cells

  /// Whether two cells have the same text.
  func isSame(_ cell: Int, as other: SplitRow, _ otherCell: Int) -> Bool {
    let (a, b) = (cells[cell], other.cells[otherCell])
    guard a.isQuoted == b.isQuoted, a.range.count == b.range.count, isCSV == other.isCSV
    else { return false }
    return bytes.withUnsafeBufferPointer { mine in
      other.bytes.withUnsafeBufferPointer { others in
        for i in 0..<a.range.count
        where mine[a.range.lowerBound + i] != others[b.range.lowerBound + i] {
          return false
        }
        return true
      }
    }
  }

  /// The text of a CSV cell, its quotes resolved.
  func text(_ cell: Int) -> [UInt8] {
    let range = cells[cell].range
    guard cells[cell].isQuoted else { return Array(bytes[range]) }
    var text: [UInt8] = []
    var at = range.lowerBound
    while at < range.upperBound {
      text.append(bytes[at])
      at += bytes[at] == UInt8(ascii: "\"") ? 2 : 1
    }
    return text
  }

  /// The value of a cell. In a CSV nothing is null, what stands in quotes is text, and so is what is no
  /// number.
  func value(_ cell: Int) throws(JSONError) -> JSONValue {
    let range = cells[cell].range
    guard isCSV else {
      return range.isEmpty ? .null : try JSONValue(reading: Array(bytes[range]))
    }
    if cells[cell].isQuoted { return .string(text(cell)) }
    guard let first = bytes[range].first else { return .null }
    guard first == UInt8(ascii: "-") || (0x30...0x39).contains(first) else {
      return .string(Array(bytes[range]))
    }
    let text = String(decoding: bytes[range], as: UTF8.self)
    if let whole = Int64(text), same(String(whole), text) { return .int(whole) }
    if let number = Double(text), number.isFinite, same("\(number)", text) {
      return .number(number)
    }
    return .string(Array(bytes[range]))
  }
}
