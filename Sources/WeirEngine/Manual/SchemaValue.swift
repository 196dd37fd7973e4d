/// JSON to be written: members keep their order, so that the text is the same every time.
indirect enum SchemaValue {
  case bool(Bool)
  case int(Int)
  case number(Double)
  case string(String)
  /// JSON text, as the default of a manual is.
  case text(String)
  case array([SchemaValue])
  case object([(String, SchemaValue)])

  /// Two spaces an indent, one member a line, short lists in one line.
  func write(_ out: inout [UInt8], indent: Int = 0) {
    switch self {
    case .bool(let value): out += Array((value ? "true" : "false").utf8)
    case .int(let value): out += Array(String(value).utf8)
    case .number(let value): out += Array(canonicalNumber(value).utf8)
    case .string(let value): appendJSON(string: value, to: &out)
    case .text(let value): out += Array(value.utf8)
    case .array(let values):
      let isFlat = values.allSatisfy(\.isScalar)
      list(&out, values, "[", "]", isFlat, indent) { $0.write(&$1, indent: indent + 2) }
    case .object(let members):
      let isFlat = members.count <= 1 && members.allSatisfy { $0.1.isScalar }
      list(&out, members, "{", "}", isFlat, indent) { member, out in
        appendJSON(string: member.0, to: &out)
        out += Array(": ".utf8)
        member.1.write(&out, indent: indent + 2)
      }
    }
  }

  private var isScalar: Bool {
    switch self {
    case .array, .object: false
    default: true
    }
  }

  private func list<T>(
    _ out: inout [UInt8], _ values: [T], _ open: String, _ close: String, _ isFlat: Bool,
    _ indent: Int, _ write: (T, inout [UInt8]) -> Void
  ) {
    out += Array(open.utf8)
    for (index, value) in values.enumerated() {
      if index > 0 { out += Array((isFlat ? ", " : ",").utf8) }
      if !isFlat { out += Array(("\n" + String(repeating: " ", count: indent + 2)).utf8) }
      write(value, &out)
    }
    if !isFlat, !values.isEmpty {
      out += Array(("\n" + String(repeating: " ", count: indent)).utf8)
    }
    out += Array(close.utf8)
  }
}

extension SchemaValue {
  /// A definition of the same schema.
  static func to(_ definition: String) -> SchemaValue {
    .object([("$ref", .string("#/$defs/\(definition)"))])
  }

  /// A string, and what it says.
  static func words(_ description: String) -> SchemaValue {
    described(description, [("type", .string("string"))])
  }

  static func described(_ description: String, _ members: [(String, SchemaValue)]) -> SchemaValue {
    .object([("description", .string(description))] + members)
  }
}
