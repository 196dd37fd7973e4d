import WeirEngine

/// Reads CSV (RFC 4180) whose cells know their place: quotes around a cell, doubled inside of it, and lines
/// that end in LF or CRLF. Lines without a byte are passed over.
struct CSVReading {
  struct Field {
    /// Without the quotes.
    var text: [UInt8]
    /// Bytes of the file, with the quotes.
    var range: Range<Int>
    var isQuoted: Bool
  }
  /// Where the text is no CSV: nothing behind it can be read.
  struct Mistake: Error {
    var range: Range<Int>
    var message: String
    var fix: String
  }

  private let bytes: [UInt8]
  private let delimiter: UInt8
  private(set) var at: Int

  init(_ bytes: [UInt8], delimiter: UInt8) {
    self.bytes = bytes
    self.delimiter = delimiter
    // A byte order mark is no part of the first name.
    at = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
  }

  /// The next line with its cells; `nil` at the end.
  mutating func record() throws(Mistake) -> [Field]? {
    while at < bytes.count, let end = lineEnd(at) { at = end }
    guard at < bytes.count else { return nil }
    var fields: [Field] = []
    while true {
      fields.append(try field())
      if at < bytes.count, bytes[at] == delimiter {
        at += 1
        continue
      }
      if at < bytes.count { at = lineEnd(at)! }
      return fields
    }
  }

  /// Where the next line begins, if a line ends at this byte.
  private func lineEnd(_ place: Int) -> Int? {
    if bytes[place] == 0x0A { return place + 1 }
    let isPair = bytes[place] == 0x0D && place + 1 < bytes.count && bytes[place + 1] == 0x0A
    return isPair ? place + 2 : nil
  }

  private mutating func field() throws(Mistake) -> Field {
    let start = at
    guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else {
      while at < bytes.count, bytes[at] != delimiter, lineEnd(at) == nil {
        if bytes[at] == UInt8(ascii: "\"") {
          throw Mistake(
            range: at..<at + 1, message: "a quote stands inside of a cell that has none around it",
            fix: "put the cell in quotes and double those in it: \"say \"\"yes\"\"\"")
        }
        at += 1
      }
      return Field(text: Array(bytes[start..<at]), range: start..<at, isQuoted: false)
    }
    at += 1
    var text: [UInt8] = []
    while at < bytes.count {
      if bytes[at] != UInt8(ascii: "\"") {
        text.append(bytes[at])
        at += 1
      } else if at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: "\"") {
        text.append(UInt8(ascii: "\""))
        at += 2
      } else {
        at += 1
        guard at == bytes.count || bytes[at] == delimiter || lineEnd(at) != nil else {
          throw Mistake(
            range: at..<at + 1, message: "something stands behind the quote that ends a cell",
            fix: "double the quotes inside of a cell: \"say \"\"yes\"\"\"")
        }
        return Field(text: text, range: start..<at, isQuoted: true)
      }
    }
    throw Mistake(
      range: start..<start + 1, message: "the quote that begins this cell is never closed",
      fix: "close it, or double it if it is part of the text")
  }
}
