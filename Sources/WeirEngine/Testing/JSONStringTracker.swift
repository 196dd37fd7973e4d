/// Tells the strings of JSON text from what stands between them, byte by byte.
struct JSONStringTracker {
  private(set) var isInString = false
  private var isEscaped = false

  /// - Returns: whether the byte belongs to a string, its quotes included.
  mutating func take(_ byte: UInt8) -> Bool {
    guard isInString else {
      isInString = byte == UInt8(ascii: "\"")
      return isInString
    }
    if isEscaped {
      isEscaped = false
    } else if byte == UInt8(ascii: "\\") {
      isEscaped = true
    } else if byte == UInt8(ascii: "\"") {
      isInString = false
    }
    return true
  }
}
