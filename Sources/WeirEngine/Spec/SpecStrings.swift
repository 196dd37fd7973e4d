extension SpecNode {
  /// The source bytes behind `offsets` of this string's UTF-8 value, escapes counted.
  ///
  /// Only for strings as they were written; a string with a parameter filled in, or a value that
  /// is no string, is answered by its whole range.
  public func sourceRange(_ offsets: Range<Int>) -> Range<Int> {
    guard isVerbatim, case .string(let value) = kind, range.count >= 2,
      range.upperBound <= source.bytes.count
    else { return range }
    let bytes = source.bytes
    let end = range.upperBound - 1
    guard bytes[range.lowerBound] == UInt8(ascii: "\"") else { return range }
    var at = range.lowerBound + 1
    var produced = 0
    var start: Int?
    while at < end {
      if produced >= offsets.lowerBound, start == nil { start = at }
      if produced >= offsets.upperBound { break }
      let (length, width) = unit(at: at, before: end)
      at += length
      produced += width
    }
    guard at < end || produced == value.utf8.count else { return range }
    let from = start ?? at
    return from..<max(at, from)
  }

  /// The source length and the UTF-8 width of the character or escape at `at`.
  private func unit(at: Int, before end: Int) -> (length: Int, width: Int) {
    let bytes = source.bytes
    guard bytes[at] == UInt8(ascii: "\\") else { return (1, 1) }
    guard at + 1 < end, bytes[at + 1] == UInt8(ascii: "u") else { return (2, 1) }
    guard let code = hex(at + 2, before: end) else { return (2, 1) }
    switch code {
    case 0..<0x80: return (6, 1)
    case 0x80..<0x800: return (6, 2)
    case 0xD800..<0xDC00: return (12, 4)
    default: return (6, 3)
    }
  }

  private func hex(_ at: Int, before end: Int) -> Int? {
    guard at + 4 <= end else { return nil }
    var value = 0
    for byte in source.bytes[at..<at + 4] {
      guard let digit = hexDigit(byte) else { return nil }
      value = value * 16 + digit
    }
    return value
  }
}

func hexDigit(_ byte: UInt8) -> Int? {
  switch byte {
  case 0x30...0x39: Int(byte) - 0x30
  case 0x41...0x46: Int(byte) - 0x41 + 10
  case 0x61...0x66: Int(byte) - 0x61 + 10
  default: nil
  }
}
