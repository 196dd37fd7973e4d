import WeirData

/// What the checker knows about a value.
struct ValueType: Sendable, Hashable {
  indirect enum Base: Sendable, Hashable {
    case null, bool, int, uint, number, string, bytes, timestamp, duration, type
    case any
    /// The element of an empty list: it joins with every other type.
    case open
    case list(Base)
    case map(Base, Base)
    case optional(Base)
  }
  var base: Base
  /// Whether it can be null at run time; always true of `null` and `any`.
  var isNullable: Bool

  init(_ base: Base, nullable: Bool = false) {
    self.base = base
    isNullable = nullable || base == .null || base.isAny
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

  /// What a column of such values is declared as.
  var fieldType: FieldType {
    switch base {
    case .bool: FieldType(.bool, nullable: isNullable)
    case .int, .uint: FieldType(.int, nullable: isNullable)
    case .number: FieldType(.number, nullable: isNullable)
    case .string, .bytes, .duration, .type: FieldType(.string, nullable: isNullable)
    case .timestamp: FieldType(.timestamp, nullable: isNullable)
    case .any, .open, .null, .list, .map, .optional: FieldType(.any, nullable: true)
    }
  }

  var isNumeric: Bool { base.isNumeric }
  var isAny: Bool { base.isAny }
  var phrase: String { base.phrase }

  /// Whether `==` between the two can be true: CEL's rule that unlike types are a mistake where
  /// both are known, but for numbers, which compare by value, and null.
  func isComparable(to other: ValueType) -> Bool { base.isComparable(to: other.base) }

  /// The type of a value that is one or the other; `nil` where they have none in common.
  func joined(_ other: ValueType) -> ValueType? {
    if isAny || other.isAny { return ValueType(.any) }
    if base == .null { return ValueType(other.base, nullable: true) }
    if other.base == .null { return ValueType(base, nullable: true) }
    guard let base = base.joined(other.base) else { return nil }
    return ValueType(base, nullable: isNullable || other.isNullable)
  }
}

extension ValueType.Base {
  var isAny: Bool { self == .any || self == .open }
  var isNumeric: Bool { self == .int || self == .uint || self == .number }

  /// Whether its values are those of cells, so that columns hold them as they are.
  var isCell: Bool {
    switch self {
    case .null, .bool, .int, .number, .string, .timestamp, .any: true
    case .uint, .bytes, .duration, .type, .open, .list, .map, .optional: false
    }
  }

  func isComparable(to other: ValueType.Base) -> Bool {
    if self == other || isAny || other.isAny || self == .null || other == .null { return true }
    switch (self, other) {
    case (.list(let a), .list(let b)), (.optional(let a), .optional(let b)):
      return a.isComparable(to: b)
    case (.map(let k, let v), .map(let l, let w)):
      return k.isComparable(to: l) && v.isComparable(to: w)
    default: return isNumeric && other.isNumeric
    }
  }

  /// The type that both are of; `nil` where there is none but `any`.
  func joined(_ other: ValueType.Base) -> ValueType.Base? {
    if self == other || other == .open { return self }
    if self == .open { return other }
    if self == .any || other == .any { return .any }
    switch (self, other) {
    case (.list(let a), .list(let b)): return a.joined(b).map { .list($0) }
    case (.optional(let a), .optional(let b)): return a.joined(b).map { .optional($0) }
    case (.map(let k, let v), .map(let l, let w)):
      guard let key = k.joined(l), let value = v.joined(w) else { return nil }
      return .map(key, value)
    default: return nil
    }
  }

  /// `a string`, for messages.
  var phrase: String {
    switch self {
    case .null: "null"
    case .bool: "a bool"
    case .int: "an int"
    case .uint: "a uint"
    case .number: "a number"
    case .string: "a string"
    case .bytes: "bytes"
    case .timestamp: "a timestamp"
    case .duration: "a duration"
    case .type: "a type"
    case .any, .open: "of any type"
    case .list: "a list"
    case .map: "a map"
    case .optional: "an optional"
    }
  }

  /// `strings`, for messages.
  var plural: String {
    switch self {
    case .null: "nulls"
    case .bool: "bools"
    case .int: "ints"
    case .uint: "uints"
    case .number: "numbers"
    case .string: "strings"
    case .bytes: "bytes"
    case .timestamp: "timestamps"
    case .duration: "durations"
    case .type: "types"
    case .any, .open: "any type"
    case .list: "lists"
    case .map: "maps"
    case .optional: "optionals"
    }
  }

  /// What the values of a list have in common.
  static func element(of types: [ValueType.Base]) -> ValueType.Base {
    guard var joined = types.first else { return .open }
    for type in types.dropFirst() {
      guard let next = joined.joined(type) else { return .any }
      joined = next
    }
    return joined
  }
}
