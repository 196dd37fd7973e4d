import WeirData

extension TextBuffer {
  mutating func append(int value: Int64) {
    var rest = value.magnitude
    var digits = 1
    var bound: UInt64 = 10
    while digits < 19, rest >= bound {
      digits += 1
      bound &*= 10
    }
    if digits == 19, rest >= bound { digits = 20 }
    let sign = value < 0 ? 1 : 0
    let to = extend(by: digits + sign)
    if sign == 1 { to[0] = UInt8(ascii: "-") }
    var at = digits + sign
    repeat {
      at -= 1
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      to[at] = 0x30 + UInt8(truncatingIfNeeded: digit)
      rest = quotient
    } while at > sign
  }

  /// As ``appendJSONNumber(_:to:)``.
  mutating func append(number value: Double) {
    var text: [UInt8] = []
    appendJSONNumber(value, to: &text)
    append(text)
  }

  /// As ``Timestamp/rfc3339``.
  mutating func append(timestamp time: Timestamp) {
    reserve(Timestamp.textBytesMax)
    add(time.write(to: end))
  }

  /// As ``appendJSONString(_:to:)``.
  mutating func append(jsonString text: UnsafeBufferPointer<UInt8>) {
    let count = text.count
    guard let from = text.baseAddress, !hasEscapes(from, count) else {
      var escaped: [UInt8] = []
      appendJSONString(text, to: &escaped)
      append(escaped)
      return
    }
    let to = extend(by: count + 2)
    to[0] = UInt8(ascii: "\"")
    (to + 1).update(from: from, count: count)
    to[count + 1] = UInt8(ascii: "\"")
  }

  /// Appends a cell as JSON.
  mutating func append(json cell: Cell) {
    switch cell.kind {
    case .string: append(jsonString: cell.stringBytes)
    case .timestamp:
      append(UInt8(ascii: "\""))
      append(timestamp: Timestamp(microseconds: cell.intValue))
      append(UInt8(ascii: "\""))
    case .int: append(int: cell.intValue)
    case .number: append(number: cell.numberValue)
    case .bool: append(cell.boolValue ? "true" : "false")
    case .missing, .null: append("null")
    case .other:
      if let json = cell.jsonText { append(json) } else { append("null") }
    }
  }
}

/// Whether a byte needs an escape in a JSON string: a control character, a quote or a backslash.
private func hasEscapes(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
  let ones: UInt64 = 0x0101_0101_0101_0101
  let highs: UInt64 = 0x8080_8080_8080_8080
  var at = 0
  // Eight bytes at once: a byte below `n` borrows into its highest bit when `n` is taken away.
  while at &+ 8 <= count {
    let word = UnsafeRawPointer(text + at).loadUnaligned(as: UInt64.self)
    let control = (word &- ones &* 0x20) & ~word
    let quote = word ^ ones &* 0x22
    let backslash = word ^ ones &* 0x5C
    let hit = control | ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)
    if hit & highs != 0 { return true }
    at &+= 8
  }
  while at < count {
    let byte = text[at]
    if byte < 0x20 || byte == 0x22 || byte == 0x5C { return true }
    at &+= 1
  }
  return false
}
