/// The bytes of a JSON string with its escapes resolved, or `nil` where it holds half of a surrogate
/// pair, which no UTF-8 text can.
///
/// - Parameter escaped: the valid bytes between the quotes.
public func unescapeJSON(_ escaped: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
  var out: [UInt8] = []
  out.reserveCapacity(escaped.count)
  var at = 0
  func unit(_ from: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 << 4 | (hexValue(escaped[from + $1]) ?? 0) }
  }
  while at < escaped.count {
    let byte = escaped[at]
    guard byte == UInt8(ascii: "\\") else {
      out.append(byte)
      at += 1
      continue
    }
    let escape = escaped[at + 1]
    at += 2
    switch escape {
    case UInt8(ascii: "b"): out.append(0x08)
    case UInt8(ascii: "f"): out.append(0x0C)
    case UInt8(ascii: "n"): out.append(0x0A)
    case UInt8(ascii: "r"): out.append(0x0D)
    case UInt8(ascii: "t"): out.append(0x09)
    case UInt8(ascii: "u"):
      var value = unit(at)
      at += 4
      if (0xD800..<0xDC00).contains(value) {
        guard at + 6 <= escaped.count, escaped[at] == UInt8(ascii: "\\"),
          escaped[at + 1] == UInt8(ascii: "u")
        else { return nil }
        let low = unit(at + 2)
        guard (0xDC00..<0xE000).contains(low) else { return nil }
        value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00)
        at += 6
      }
      guard let scalar = Unicode.Scalar(value) else { return nil }
      out.append(contentsOf: Array(String(Character(scalar)).utf8))
    default: out.append(escape)
    }
  }
  return out
}

/// Appends `bytes` as a JSON string: quotes, backslashes and control characters escaped, all else as
/// it is. `bytes` must be UTF-8.
public func appendJSONString(_ bytes: UnsafeBufferPointer<UInt8>, to out: inout [UInt8]) {
  out.append(UInt8(ascii: "\""))
  var from = 0
  for i in 0..<bytes.count {
    let byte = bytes[i]
    guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
    out.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[from..<i]))
    from = i + 1
    out.append(UInt8(ascii: "\\"))
    switch byte {
    case 0x08: out.append(UInt8(ascii: "b"))
    case 0x0C: out.append(UInt8(ascii: "f"))
    case 0x0A: out.append(UInt8(ascii: "n"))
    case 0x0D: out.append(UInt8(ascii: "r"))
    case 0x09: out.append(UInt8(ascii: "t"))
    case 0..<0x20:
      let digits = Array("0123456789abcdef".utf8)
      out.append(contentsOf: Array("u00".utf8))
      out.append(digits[Int(byte >> 4)])
      out.append(digits[Int(byte & 15)])
    default: out.append(byte)
    }
  }
  out.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[from...]))
  out.append(UInt8(ascii: "\""))
}

public func appendJSONString(_ text: String, to out: inout [UInt8]) {
  var text = text
  text.withUTF8 { appendJSONString($0, to: &out) }
}

/// Appends a finite number in the shortest form that reads back as itself, integers without a point
/// and -0 as 0.
public func appendJSONNumber(_ value: Double, to out: inout [UInt8]) {
  precondition(value.isFinite, "JSON has no \(value)")
  // From 2^54 on Swift writes an exponent.
  if value == value.rounded(), abs(value) < 18_014_398_509_481_984 {
    appendJSONInteger(Int64(value), to: &out)
  } else {
    var text = value.description
    text.withUTF8 { out.append(contentsOf: $0) }
  }
}

/// Appends an integer.
public func appendJSONInteger(_ value: Int64, to out: inout [UInt8]) {
  // 19 digits and a sign.
  withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { text in
    var rest = value.magnitude
    var at = 20
    repeat {
      at -= 1
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      text[at] = 0x30 + UInt8(truncatingIfNeeded: digit)
      rest = quotient
    } while rest > 0
    if value < 0 {
      at -= 1
      text[at] = UInt8(ascii: "-")
    }
    out.append(contentsOf: UnsafeBufferPointer(rebasing: text[at...]))
  }
}
