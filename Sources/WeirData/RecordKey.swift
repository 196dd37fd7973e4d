/// Appends type and value of a cell, so that different keys have different bytes: null and absent are
/// one, -0.0 and 0.0 are one number.
public func appendKey(_ cell: Cell, to out: inout [UInt8]) {
  switch cell.kind {
  case .missing, .null:
    out.append(CellKind.null.rawValue)
  case .string:
    out.append(cell.rawKind)
    withUnsafeBytes(of: cell.length.littleEndian) { out.append(contentsOf: $0) }
    out.append(contentsOf: cell.stringBytes)
  default:
    out.append(cell.rawKind)
    // Where the text of an object lies says nothing.
    let isZero = cell.kind == .other || (cell.kind == .number && cell.numberValue == 0)
    let bits = isZero ? 0 : cell.bits
    withUnsafeBytes(of: bits.littleEndian) { out.append(contentsOf: $0) }
  }
}

/// The values of an encoded key.
public func keyValues(_ key: UnsafeBufferPointer<UInt8>) -> [JSONValue] {
  var values: [JSONValue] = []
  var at = 0
  while at < key.count {
    let kind = CellKind(rawValue: key[at]) ?? .null
    at += 1
    switch kind {
    case .missing, .null:
      values.append(.null)
    case .string:
      let count = (0..<4).reduce(0) { $0 | Int(key[at + $1]) << (8 * $1) }
      at += 4
      values.append(.string(Array(key[at..<(at + count)])))
      at += count
    default:
      let bits = (0..<8).reduce(UInt64(0)) { $0 | UInt64(key[at + $1]) << (8 * UInt64($1)) }
      at += 8
      values.append(Cell(rawKind: kind.rawValue, bits: bits).jsonValue)
    }
  }
  return values
}

/// The values of an encoded key as text; `nil` for null.
public func keyTexts(_ key: UnsafeBufferPointer<UInt8>) -> [String?] {
  keyValues(key).map { value in
    switch value {
    case .null: nil
    case .string(let bytes): String(decoding: bytes, as: UTF8.self)
    default: value.text
    }
  }
}

extension Cell {
  /// The value as JSON; an object or array, which a cell does not hold, is null.
  public var jsonValue: JSONValue {
    switch kind {
    case .missing, .null, .other: .null
    case .string: .string(Array(stringBytes))
    case .int: .int(intValue)
    case .number: .number(numberValue)
    case .bool: .bool(boolValue)
    case .timestamp: .text(Timestamp(microseconds: intValue).rfc3339)
    }
  }
}
