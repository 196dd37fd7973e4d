import WeirData

/// A value of CEL, of any type: what records are computed with one at a time.
enum Value: Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case uint(UInt64)
  case number(Double)
  /// UTF-8.
  case string([UInt8])
  case bytes([UInt8])
  case timestamp(Instant)
  /// Nanoseconds.
  case duration(Int64)
  case list([Value])
  case map(MapValue)
  case type(TypeName)
  indirect case optional(Value?)

  var isNull: Bool { if case .null = self { true } else { false } }

  var typeName: TypeName {
    switch self {
    case .null: .null
    case .bool: .bool
    case .int: .int
    case .uint: .uint
    case .number: .double
    case .string: .string
    case .bytes: .bytes
    case .timestamp: .timestamp
    case .duration: .duration
    case .list: .list
    case .map: .map
    case .type: .type
    case .optional: .optional
    }
  }

  var staticType: ValueType.Base {
    switch self {
    case .null: .null
    case .bool: .bool
    case .int: .int
    case .uint: .uint
    case .number: .number
    case .string: .string
    case .bytes: .bytes
    case .timestamp: .timestamp
    case .duration: .duration
    case .list(let elements): .list(.element(of: elements.map(\.staticType)))
    case .map(let map):
      .map(
        .element(of: map.entries.map(\.key.staticType)),
        .element(of: map.entries.map(\.value.staticType)))
    case .type: .type
    case .optional(let inner): .optional(inner?.staticType ?? .open)
    }
  }
}

/// The names that `type(x)` gives.
enum TypeName: String, Sendable, CaseIterable {
  case bool, bytes, double, int, list, map, string, type, uint
  case null = "null_type"
  case timestamp = "google.protobuf.Timestamp"
  case duration = "google.protobuf.Duration"
  case optional = "optional_type"
}

/// An instant to the nanosecond.
struct Instant: Sendable, Hashable, Comparable {
  /// Since 1970-01-01T00:00:00Z, rounded down.
  var seconds: Int64
  /// 0 to 999,999,999.
  var nanoseconds: Int64

  init(seconds: Int64, nanoseconds: Int64) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  init(microseconds: Int64) {
    let (quotient, remainder) = microseconds.dividedDown(by: 1_000_000)
    self.init(seconds: quotient, nanoseconds: remainder * 1_000)
  }

  static func < (a: Instant, b: Instant) -> Bool {
    (a.seconds, a.nanoseconds) < (b.seconds, b.nanoseconds)
  }

  /// Whether it lies in the years 1 to 9999.
  var isInRange: Bool { seconds >= -62_135_596_800 && seconds <= 253_402_300_799 }

  /// `nil` where it is finer than that.
  var microseconds: Int64? {
    nanoseconds % 1_000 == 0 ? seconds * 1_000_000 + nanoseconds / 1_000 : nil
  }
}

/// A map in the order of its entries. Keys are bools, ints, uints and strings; numbers that are equal
/// are one key.
struct MapValue: Sendable {
  struct Entry: Sendable {
    var key: Value
    var value: Value
  }
  private(set) var entries: [Entry] = []
  /// Made when there are many entries.
  private var places: [MapKey: Int] = [:]
  private static let manyEntries = 8

  var count: Int { entries.count }

  /// - Parameter written: the key as a value; it has the type that it was written with.
  /// - Returns: false where the key is there already; the map is as before then.
  mutating func insert(_ key: MapKey, written: Value, _ value: Value) -> Bool {
    guard place(key) == nil else { return false }
    entries.append(Entry(key: written, value: value))
    if entries.count > MapValue.manyEntries {
      if places.isEmpty {
        for (index, entry) in entries.enumerated() {
          if let known = MapKey(entry.key) { places[known] = index }
        }
      } else {
        places[key] = entries.count - 1
      }
    }
    return true
  }

  subscript(_ key: MapKey) -> Value? { place(key).map { entries[$0].value } }

  private func place(_ key: MapKey) -> Int? {
    if entries.count > MapValue.manyEntries { return places[key] }
    return entries.firstIndex { key.isKey(of: $0) }
  }
}

/// A key by its value: 1, 1u and 1.0 are one.
enum MapKey: Hashable, Sendable {
  case bool(Bool)
  case int(Int64)
  /// Beyond the ints.
  case big(UInt64)
  case string([UInt8])

  /// `nil` where a value of its type is never a key of a map, though it may be looked up: a double
  /// that is whole is the int.
  init?(_ value: Value) {
    switch value {
    case .bool(let v): self = .bool(v)
    case .int(let v): self = .int(v)
    case .uint(let v): self = v <= UInt64(Int64.max) ? .int(Int64(v)) : .big(v)
    case .string(let v): self = .string(v)
    default: return nil
    }
  }

  fileprivate func isKey(of entry: MapValue.Entry) -> Bool {
    switch (self, entry.key) {
    case (.string(let a), .string(let b)): a == b
    case (.int(let a), .int(let b)): a == b
    case (.int(let a), .uint(let b)): a >= 0 && UInt64(a) == b
    case (.big(let a), .uint(let b)): a == b
    case (.bool(let a), .bool(let b)): a == b
    default: false
    }
  }
}
