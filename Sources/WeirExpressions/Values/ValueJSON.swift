import WeirData

/// JSON text to values, and back.
extension Value {
  /// Reads a JSON text that the scanner has found valid. Integers become ints, other numbers doubles.
  ///
  /// - Throws: what the value cannot be held for: `jsonNumber`, `jsonText`, `jsonDepth`, `jsonKey`.
  static func reading(json text: UnsafeBufferPointer<UInt8>) throws(FailureKind) -> Value {
    var tokens = JSONTokens(text)
    var open: [OpenValue] = []
    while true {
      let token: JSONToken?
      do throws(JSONError) { token = try tokens.next() } catch { throw .jsonText }
      guard let token else { throw .jsonText }
      let raw = UnsafeBufferPointer(rebasing: text[token.range])
      let value: Value
      switch token.kind {
      case .key:
        open[open.count - 1].key = try string(raw, token.hasEscapes)
        continue
      case .beginObject, .beginArray:
        guard open.count < ExpressionLimits.jsonDepth else { throw .jsonDepth }
        open.append(OpenValue(isObject: token.kind == .beginObject))
        continue
      case .endObject, .endArray: value = open.removeLast().value
      case .string: value = .string(try string(raw, token.hasEscapes))
      case .number: value = try number(raw)
      case .true: value = .bool(true)
      case .false: value = .bool(false)
      case .null: value = .null
      }
      if open.isEmpty { return value }
      try open[open.count - 1].add(value)
    }
  }

  private struct OpenValue {
    var isObject: Bool
    var key: [UInt8] = []
    var map = MapValue()
    var elements: [Value] = []

    init(isObject: Bool) { self.isObject = isObject }

    var value: Value { isObject ? .map(map) : .list(elements) }

    mutating func add(_ value: Value) throws(FailureKind) {
      guard isObject else {
        elements.append(value)
        return
      }
      guard map.insert(.string(key), written: .string(key), value) else { throw .jsonKey }
    }
  }

  private static func string(
    _ raw: UnsafeBufferPointer<UInt8>, _ hasEscapes: Bool
  ) throws(FailureKind) -> [UInt8] {
    guard hasEscapes else { return Array(raw) }
    guard let text = unescapeJSON(raw) else { throw .jsonText }
    return text
  }

  private static func number(_ raw: UnsafeBufferPointer<UInt8>) throws(FailureKind) -> Value {
    let text = String(decoding: raw, as: UTF8.self)
    if raw.contains(where: { $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") }) {
      guard let number = Double(text), number.isFinite else { throw .jsonNumber }
      return .number(number)
    }
    guard let whole = Int64(text) else { throw .jsonNumber }
    return .int(whole)
  }

  // MARK: - Writing

  /// Appends the value as JSON: bytes as base64, times and durations as text, what is no JSON number
  /// as text, an optional as what it holds or null.
  ///
  /// - Parameter isExact: whether what has no JSON of its own is refused instead: a number that is not
  ///   finite, an optional.
  /// - Throws: `keysAlike` where two keys of a map are the same text; `tooLong`: a small value may name
  ///   the same list again and again; `notFinite`, `notStorable`.
  func appendJSON(to out: inout [UInt8], isExact: Bool) throws(FailureKind) {
    guard out.count <= ExpressionLimits.stringBytes else { throw .tooLong }
    switch self {
    case .null: out += Array("null".utf8)
    case .bool(let v): out += Array((v ? "true" : "false").utf8)
    case .int(let v): out += Array(String(v).utf8)
    case .uint(let v): out += Array(String(v).utf8)
    case .number(let v):
      if v.isFinite {
        appendJSONNumber(v, to: &out)
      } else {
        guard !isExact else { throw .notFinite }
        Value.append(Conversions.number(v), to: &out)
      }
    case .string(let bytes): Value.append(bytes, to: &out)
    case .bytes(let bytes): Value.append(Base64.encode(bytes), to: &out)
    case .timestamp(let instant): Value.append(instant.rfc3339, to: &out)
    case .duration(let nanoseconds): Value.append(DurationText.text(nanoseconds), to: &out)
    case .type(let name): Value.append(Array(name.rawValue.utf8), to: &out)
    case .list(let elements):
      out.append(UInt8(ascii: "["))
      for (at, element) in elements.enumerated() {
        if at > 0 { out.append(UInt8(ascii: ",")) }
        try element.appendJSON(to: &out, isExact: isExact)
      }
      out.append(UInt8(ascii: "]"))
    case .map(let map): try Value.append(map, to: &out, isExact: isExact)
    case .optional(let held):
      guard !isExact else { throw .notStorable }
      try (held ?? .null).appendJSON(to: &out, isExact: isExact)
    }
  }

  private static func append(_ text: [UInt8], to out: inout [UInt8]) {
    text.withUnsafeBufferPointer { appendJSONString($0, to: &out) }
  }

  private static func append(
    _ map: MapValue, to out: inout [UInt8], isExact: Bool
  ) throws(FailureKind) {
    var keys: Set<[UInt8]> = []
    out.append(UInt8(ascii: "{"))
    for (at, entry) in map.entries.enumerated() {
      if at > 0 { out.append(UInt8(ascii: ",")) }
      let key = try Conversions.string(entry.key)
      guard keys.insert(key).inserted else { throw .keysAlike }
      append(key, to: &out)
      out.append(UInt8(ascii: ":"))
      try entry.value.appendJSON(to: &out, isExact: isExact)
    }
    out.append(UInt8(ascii: "}"))
  }
}
