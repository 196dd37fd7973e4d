/// What a field is declared as in a spec: `string`, `int`, `number`, `bool`, `timestamp`, `any`,
/// each with `?` where null or absent is allowed.
public struct FieldType: Sendable, Hashable {
  public enum Base: String, Sendable, CaseIterable {
    case string
    /// 64-bit; an integer literal only.
    case int
    /// A double; any JSON number.
    case number
    case bool
    /// RFC 3339 text in the record, microseconds UTC inside.
    case timestamp
    case any
  }
  public var base: Base
  /// Null and absent are allowed.
  public var isNullable: Bool

  public init(_ base: Base, nullable: Bool = false) {
    self.base = base
    isNullable = nullable
  }

  /// Reads `int?` and the like; `nil` for anything else.
  public init?(text: String) {
    var word = text.utf8[...]
    isNullable = word.last == UInt8(ascii: "?")
    if isNullable { word.removeLast() }
    guard let base = Base.allCases.first(where: { $0.rawValue.utf8.elementsEqual(word) }) else {
      return nil
    }
    self.base = base
  }

  public var text: String { base.rawValue + (isNullable ? "?" : "") }
}

/// A dotted path to a field: `model.score`. A component with a dot in it is written in double
/// quotes: `"a.b".c`, and so is the empty one. A component cannot hold a double quote.
public struct FieldPath: Sendable, Hashable, Comparable {
  /// The keys from the record inwards, as UTF-8 bytes; never empty.
  public let components: [[UInt8]]

  public init(components: [[UInt8]]) {
    precondition(!components.isEmpty)
    self.components = components
  }

  /// `nil` where a component is empty without quotes, or a quote is not closed or in the middle.
  public init?(text: String) {
    var components: [[UInt8]] = []
    var current: [UInt8] = []
    var quoted = false
    var wasQuoted = false
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""):
        guard quoted || (current.isEmpty && !wasQuoted) else { return nil }
        quoted.toggle()
        wasQuoted = true
      case UInt8(ascii: ".") where !quoted:
        guard !current.isEmpty || wasQuoted else { return nil }
        components.append(current)
        current = []
        wasQuoted = false
      default:
        guard quoted || !wasQuoted else { return nil }
        current.append(byte)
      }
    }
    guard !quoted, !current.isEmpty || wasQuoted else { return nil }
    components.append(current)
    self.components = components
  }

  /// As it is written in a spec.
  public var text: String {
    components.map { component in
      let text = String(decoding: component, as: UTF8.self)
      return component.isEmpty || component.contains(UInt8(ascii: ".")) ? "\"\(text)\"" : text
    }.joined(separator: ".")
  }

  public static func < (a: FieldPath, b: FieldPath) -> Bool {
    a.components.lexicographicallyPrecedes(b.components) { $0.lexicographicallyPrecedes($1) }
  }
}
