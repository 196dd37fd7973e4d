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
  /// Rows that were read, or put back, and come next; the last of them first.
  private var waiting: [[UInt8]] = []
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
      let head = SplitRow(csv: first, count: nil)
      columns = head.cells.indices.map { String(decoding: head.text($0), as: UTF8.self) }
    } else {
      columns = try JSONValue(reading: first).asMembers.map(\.key)
      waiting = [first]
    }
  }

  /// The bytes of the next row without its line end; `nil` behind the last.
  func next() throws -> [UInt8]? {
    if let row = waiting.popLast() { return row }
    return try row()
  }

  /// The row that ``next()`` will give.
  func peek() throws -> [UInt8]? {
    guard waiting.isEmpty, let row = try row() else { return waiting.last }
    waiting.append(row)
    return row
  }

  /// Gives back the row that came last, to be the next again.
  func putBack(_ row: [UInt8]) { waiting.append(row) }

  /// A row cut into cells, in the order of ``columns``.
  func split(_ row: [UInt8]) throws(JSONError) -> SplitRow {
    isCSV ? SplitRow(csv: row, count: columns.count) : try SplitRow(json: row, columns)
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
