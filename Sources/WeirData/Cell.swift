/// What a cell holds. The numbers are those of the C scanner.
@frozen public enum CellKind: UInt8, Sendable {
  /// The record has no such field.
  case missing = 0
  case null = 1
  case string = 2
  case int = 3
  case number = 4
  case bool = 5
  /// Microseconds since 1970 in UTC.
  case timestamp = 6
  /// An object or array: its JSON text, where it was kept (``Cell/jsonText``).
  case other = 7
}

/// One value of one record: 16 bytes, the layout of the C scanner's `weir_cell`.
///
/// A string is an address and a length; its bytes belong to the batch (or to something that lives
/// longer) and are UTF-8 with escapes resolved.
@frozen public struct Cell: Sendable {
  public var bits: UInt64
  public var length: UInt32
  public var rawKind: UInt8
  @usableFromInline var spare: UInt8 = 0
  /// Of a string: its number among the distinct strings of its column, from 1; 0 where it has none.
  ///
  /// Cells with the same code in the same ``ColumnCodes`` space are the same string, at the same address, and
  /// its bytes live as long as the task: what was worked out for one of them holds for all.
  public var code: UInt16 = 0

  @inlinable init(bits: UInt64, length: UInt32, kind: CellKind) {
    self.bits = bits
    self.length = length
    rawKind = kind.rawValue
  }

  /// A cell made again from what was kept of it; not for strings.
  public init(rawKind: UInt8, bits: UInt64) {
    self.bits = bits
    length = 0
    self.rawKind = rawKind
  }

  @inlinable public var kind: CellKind { CellKind(rawValue: rawKind) ?? .other }

  @inlinable public static var missing: Cell { Cell(bits: 0, length: 0, kind: .missing) }
  @inlinable public static var null: Cell { Cell(bits: 0, length: 0, kind: .null) }
  @inlinable public static func int(_ value: Int64) -> Cell {
    Cell(bits: UInt64(bitPattern: value), length: 0, kind: .int)
  }
  @inlinable public static func number(_ value: Double) -> Cell {
    Cell(bits: value.bitPattern, length: 0, kind: .number)
  }
  @inlinable public static func bool(_ value: Bool) -> Cell {
    Cell(bits: value ? 1 : 0, length: 0, kind: .bool)
  }
  /// - Parameter microseconds: since 1970-01-01T00:00:00Z.
  @inlinable public static func timestamp(microseconds: Int64) -> Cell {
    Cell(bits: UInt64(bitPattern: microseconds), length: 0, kind: .timestamp)
  }
  /// - Parameter bytes: must outlive the cell.
  @inlinable public static func string(_ bytes: UnsafeBufferPointer<UInt8>) -> Cell {
    Cell(
      bits: UInt64(UInt(bitPattern: bytes.baseAddress)), length: UInt32(bytes.count), kind: .string)
  }

  /// The value of an `int` or a `timestamp`.
  @inlinable public var intValue: Int64 { Int64(bitPattern: bits) }
  /// The value of a `number`.
  @inlinable public var numberValue: Double { Double(bitPattern: bits) }
  @inlinable public var boolValue: Bool { bits != 0 }
  /// The bytes of a `string`.
  @inlinable public var stringBytes: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(
      start: UnsafePointer<UInt8>(bitPattern: UInt(bits)), count: Int(length))
  }
  /// - Parameter text: of an object or array; must outlive the cell.
  @inlinable public static func other(json text: UnsafeBufferPointer<UInt8>) -> Cell {
    Cell(bits: UInt64(UInt(bitPattern: text.baseAddress)), length: UInt32(text.count), kind: .other)
  }
  /// The JSON text of an object or array; `nil` where it was not kept, as behind a barrier.
  @inlinable public var jsonText: UnsafeBufferPointer<UInt8>? {
    rawKind == CellKind.other.rawValue && bits != 0 ? stringBytes : nil
  }
  /// Null and absent are one to expressions and keys.
  @inlinable public var isNull: Bool { rawKind <= 1 }

  /// The bytes of a `string` as a Swift string, for messages and reports.
  public var text: String { String(decoding: stringBytes, as: UTF8.self) }
}
