import Glibc
import WeirData
import WeirEngine

/// The values that name a group, as bytes that sort as the values do: null first, then numbers and
/// times by value, strings by their bytes.
///
/// A null is `00`; any other value is `01` and then its bits, big-endian with the sign turned, or
/// the bytes of a string with `00 00` behind them and `00 FF` for a zero in them. A bucket is its
/// start, written as a value without the `01`.
struct GroupKey: ~Copyable {
  private var key = KeyBytes()

  /// Valid until the next change.
  var bytes: UnsafeBufferPointer<UInt8> { key.bytes }

  mutating func clear() { key.clear() }

  mutating func append(_ cell: Cell) {
    guard !cell.isNull else {
      key.append(0)
      return
    }
    key.append(1)
    switch cell.kind {
    case .string:
      let text = cell.stringBytes
      if let base = text.baseAddress, memchr(base, 0, text.count) != nil {
        for byte in text {
          key.append(byte)
          if byte == 0 { key.append(0xFF) }
        }
      } else {
        key.append(text)
      }
      key.append(raw: UInt16(0))
    case .number:
      let bits = (cell.numberValue == 0 ? 0 : cell.numberValue).bitPattern
      key.append(raw: (bits >> 63 == 1 ? ~bits : bits | 1 << 63).bigEndian)
    default: key.append(raw: (cell.bits ^ 1 << 63).bigEndian)
    }
  }

  /// - Parameter bucket: start, in microseconds since 1970.
  mutating func append(bucket: Int64) {
    key.append(raw: (UInt64(bitPattern: bucket) ^ 1 << 63).bigEndian)
  }
}

/// Reads a ``GroupKey`` back; throws at bytes that are none. Good as long as the bytes are.
struct GroupKeyReader {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var at = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  var isAtEnd: Bool { at == bytes.count }

  mutating func value(_ type: FieldType.Base) throws(RunError) -> JSONValue {
    switch try next() {
    case 0: return .null
    case 1: break
    default: throw Self.damage
    }
    switch type {
    case .string: return .string(try string())
    case .number:
      let bits = try bits()
      let number = Double(bitPattern: bits >> 63 == 1 ? bits ^ 1 << 63 : ~bits)
      guard number.isFinite else { throw Self.damage }
      return .number(number)
    case .bool: return .bool(try integer() != 0)
    case .timestamp: return .text(try instant().rfc3339)
    case .int, .any: return .int(try integer())
    }
  }

  mutating func bucket() throws(RunError) -> Timestamp { try instant() }

  private mutating func instant() throws(RunError) -> Timestamp {
    let time = Timestamp(microseconds: try integer())
    guard time.isWritable else { throw Self.damage }
    return time
  }

  private mutating func integer() throws(RunError) -> Int64 {
    Int64(bitPattern: try bits() ^ 1 << 63)
  }

  private mutating func bits() throws(RunError) -> UInt64 {
    guard bytes.count - at >= 8, let base = bytes.baseAddress else { throw Self.damage }
    defer { at += 8 }
    return UInt64(bigEndian: UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self))
  }

  private mutating func string() throws(RunError) -> [UInt8] {
    let rest = UnsafeBufferPointer(rebasing: bytes[at...])
    if let zero = rest.firstIndex(of: 0), zero + 1 < rest.count, rest[zero + 1] == 0 {
      at += zero + 2
      return Array(rest[..<zero])
    }
    var text: [UInt8] = []
    while true {
      let byte = try next()
      if byte == 0 {
        switch try next() {
        case 0: return text
        case 0xFF: break
        default: throw Self.damage
        }
      }
      text.append(byte)
    }
  }

  private mutating func next() throws(RunError) -> UInt8 {
    guard at < bytes.count else { throw Self.damage }
    defer { at += 1 }
    return bytes[at]
  }

  private static var damage: RunError { .damagedState("the name of a group cannot be read") }
}
