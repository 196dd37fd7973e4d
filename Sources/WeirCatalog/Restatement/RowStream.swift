import WeirData
import WeirEngine

/// The rows of an output file, CSV or JSONL, plain or compressed, one after the other.
final class RowStream {
  /// Names of the columns: the header of a CSV, the keys of the first object of a JSONL.
  private(set) var columns: [String] = []
  private let file: ShardFile
  private var unpacker: ShardUnpacker
  private var buffer: [UInt8] = []
  /// What of the buffer is used up, and how far it was searched for the end of a row.
  private var from = 0
  private var seen = 0
  private var isAtEnd = false
  private var isCSV = false
  private var isQuoted = false
  private var waiting: [UInt8]?
  private var scratch = Bytes(capacity: RowStream.pieceBytes)
  private static let pieceBytes = 256 * 1024
  private static let rowBytesMax = 64 << 20

  init(path: String) throws {
    file = try ShardFile(path: path)
    unpacker = ShardUnpacker(path: path, limits: ShardLimits())
    try fill()
    if buffer.starts(with: [0xEF, 0xBB, 0xBF]) { from = 3 }
    seen = from
    isCSV = from < buffer.count && buffer[from] != UInt8(ascii: "{")
    guard let first = try row() else { return }
    if isCSV {
      columns = csvCells(first).map { String(decoding: $0.bytes, as: UTF8.self) }
    } else {
      columns = try JSONValue(reading: first).asMembers.map(\.key)
      waiting = first
    }
  }

  /// The bytes of the next row without its line end; `nil` behind the last.
  func next() throws -> [UInt8]? {
    if let row = waiting.take() { return row }
    return try row()
  }

  /// The values of a row in the order of ``columns``.
  func values(_ row: [UInt8]) throws -> [JSONValue] {
    if isCSV {
      let cells = csvCells(row)
      return columns.indices.map { $0 < cells.count ? cells[$0].value : .null }
    }
    let members = try JSONValue(reading: row).asMembers
    return columns.enumerated().map { i, column in
      if i < members.count, same(members[i].key, column) { return members[i].value }
      return members.first { same($0.key, column) }?.value ?? .null
    }
  }

  // MARK: Rows

  private func row() throws -> [UInt8]? {
    while true {
      if let end = findEnd() {
        var row = buffer[from..<end]
        from = end + 1
        seen = from
        if row.last == 0x0D { row = row.dropLast() }
        if row.isEmpty { continue }
        return Array(row)
      }
      guard !isAtEnd else {
        guard from < buffer.count else { return nil }
        let row = Array(buffer[from...])
        from = buffer.count
        seen = from
        return row
      }
      guard buffer.count - from < RowStream.rowBytesMax else {
        throw FileError(path: file.path, operation: "find the end of a row", code: tooLong)
      }
      try fill()
    }
  }

  /// EMSGSIZE.
  private var tooLong: Int32 { 90 }

  /// The next line end that is not inside quotes.
  private func findEnd() -> Int? {
    buffer.withUnsafeBufferPointer { bytes in
      var at = seen
      defer { seen = at }
      var quoted = isQuoted
      defer { isQuoted = quoted }
      while at < bytes.count {
        let byte = bytes[at]
        if byte == 0x0A, !quoted { return at }
        if byte == UInt8(ascii: "\""), isCSV { quoted.toggle() }
        at += 1
      }
      return nil
    }
  }

  private func fill() throws {
    if from > 0 {
      buffer.removeFirst(from)
      seen -= from
      from = 0
    }
    while true {
      let count = try unpacker.unpack(into: scratch.base, capacity: scratch.capacity)
      if count > 0 {
        buffer.append(contentsOf: UnsafeBufferPointer(start: scratch.base, count: count))
        return
      }
      if unpacker.isAtEnd {
        isAtEnd = true
        return
      }
      if let piece = try file.read(upTo: RowStream.pieceBytes) {
        unpacker.feed(piece)
      } else {
        unpacker.feedEnd()
      }
    }
  }
}

/// One cell of a CSV line (RFC 4180).
private struct CSVCell {
  var bytes: [UInt8]
  var isQuoted: Bool

  /// Nothing is null, what stands in quotes is text, and so is what is no number.
  var value: JSONValue {
    if isQuoted { return .string(bytes) }
    guard !bytes.isEmpty else { return .null }
    let text = String(decoding: bytes, as: UTF8.self)
    if let whole = Int64(text), same(String(whole), text) { return .int(whole) }
    if let number = Double(text), number.isFinite, same("\(number)", text) {
      return .number(number)
    }
    return .string(bytes)
  }
}

private func csvCells(_ line: [UInt8]) -> [CSVCell] {
  var cells: [CSVCell] = []
  var at = 0
  let quote = UInt8(ascii: "\"")
  while true {
    var cell = CSVCell(bytes: [], isQuoted: false)
    if at < line.count, line[at] == quote {
      cell.isQuoted = true
      at += 1
      while at < line.count {
        if line[at] == quote {
          at += 1
          guard at < line.count, line[at] == quote else { break }
        }
        cell.bytes.append(line[at])
        at += 1
      }
    }
    while at < line.count, line[at] != UInt8(ascii: ",") {
      cell.bytes.append(line[at])
      at += 1
    }
    cells.append(cell)
    guard at < line.count else { return cells }
    at += 1
  }
}
