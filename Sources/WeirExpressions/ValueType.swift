import WeirData

/// What the checker knows about a value.
struct ValueType: Sendable, Hashable {
  enum Base: Sendable, Hashable { case null, bool, int, number, string, timestamp, any }
  var base: Base
  /// Whether it can be null at run time; always true of `null` and `any`.
  var isNullable: Bool

  init(_ base: Base, nullable: Bool = false) {
    self.base = base
    isNullable = nullable || base == .null || base == .any
  }

  init(_ type: FieldType) {
    let base: Base =
      switch type.base {
      case .string: .string
      case .int: .int
      case .number: .number
      case .bool: .bool
      case .timestamp: .timestamp
      case .any: .any
      }
    self.init(base, nullable: type.isNullable)
  }

  var fieldType: FieldType {
    switch base {
    case .bool: FieldType(.bool, nullable: isNullable)
    case .int: FieldType(.int, nullable: isNullable)
    case .number: FieldType(.number, nullable: isNullable)
    case .string: FieldType(.string, nullable: isNullable)
    case .timestamp: FieldType(.timestamp, nullable: isNullable)
    case .any, .null: FieldType(.any, nullable: true)
    }
  }

  var isNumeric: Bool { base == .int || base == .number }
  var isAny: Bool { base == .any }

  /// `string`, with its article, for messages.
  var phrase: String {
    switch base {
    case .null: "null"
    case .bool: "a bool"
    case .int: "an int"
    case .number: "a number"
    case .string: "a string"
    case .timestamp: "a timestamp"
    case .any: "of any type"
    }
  }

  /// Whether `==` between the two can be true: CEL's rule that unlike types are a mistake where
  /// both are known, but for numbers, which compare by value, and null.
  func isComparable(to other: ValueType) -> Bool {
    base == other.base || isAny || other.isAny || base == .null || other.base == .null
      || (isNumeric && other.isNumeric)
  }

  /// The type of a value that is one or the other; `nil` where they have none in common.
  func joined(_ other: ValueType) -> ValueType? {
    if isAny || other.isAny { return ValueType(.any) }
    if base == .null { return ValueType(other.base, nullable: true) }
    guard base == other.base || other.base == .null else { return nil }
    return ValueType(base, nullable: isNullable || other.isNullable)
  }
}
