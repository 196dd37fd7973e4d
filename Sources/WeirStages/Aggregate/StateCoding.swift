import WeirEngine

/// Writes the state of an aggregation: little-endian, lengths and counts as LEB128.
struct StateWriter {
  private(set) var bytes: [UInt8] = []

  mutating func byte(_ value: UInt8) { bytes.append(value) }

  mutating func count(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func integer<Value: FixedWidthInteger>(_ value: Value) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Bytes with their number in front.
  mutating func block(_ block: some Collection<UInt8>) {
    count(UInt64(block.count))
    bytes.append(contentsOf: block)
  }
}

/// Reads what ``StateWriter`` wrote and throws at anything else.
struct StateReader {
  private let bytes: ArraySlice<UInt8>
  private var at: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    at = bytes.startIndex
  }

  var isAtEnd: Bool { at == bytes.endIndex }

  mutating func byte() throws(RunError) -> UInt8 {
    guard at < bytes.endIndex else { throw .damagedState("it ends too early") }
    defer { at += 1 }
    return bytes[at]
  }

  mutating func count() throws(RunError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), through: 63, by: 7) {
      let next = try byte()
      if shift == 63, next > 1 { break }
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 { return value }
    }
    throw .damagedState("a number in it is too long")
  }

  /// A count that is not more than `limit`.
  mutating func count(upTo limit: UInt64) throws(RunError) -> UInt64 {
    let value = try count()
    guard value <= limit else { throw .damagedState("a part counts more than its whole") }
    return value
  }

  mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws(RunError) -> Value {
    var value: Value = 0
    for i in 0..<(Value.bitWidth / 8) { value |= Value(truncatingIfNeeded: try byte()) << (8 * i) }
    return value
  }

  mutating func block() throws(RunError) -> ArraySlice<UInt8> {
    let length = try count()
    guard length <= UInt64(bytes.endIndex - at) else { throw .damagedState("it ends too early") }
    defer { at += Int(length) }
    return bytes[at..<(at + Int(length))]
  }
}

extension RunError {
  static func damagedState(_ reason: String) -> RunError {
    RunError(
      code: "damaged_partial", message: "the state of an aggregation is damaged: \(reason)",
      fix: "remove the workspace of the run and start it again")
  }
}
