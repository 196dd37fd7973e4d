extension JSONValue {
  /// Reads one JSON text (RFC 8259): what Weir or a stage wrote earlier. Integers of 64 bits stay
  /// integers, other numbers become doubles. Of equal keys in one object all are kept, in their order.
  ///
  /// - Parameter depth: deeper nesting is refused: readers of the value go down by recursion.
  /// - Throws: `JSONError` with the place of what is not JSON, or cannot be held.
  public init(reading text: [UInt8], depth limit: Int = 64) throws(JSONError) {
    self = try text.withUnsafeBufferPointer { bytes throws(JSONError) in
      try readValue(bytes, depth: limit)
    }
  }
}

/// An array or object whose end was not seen yet.
private struct OpenValue {
  var isObject: Bool
  var elements: [JSONValue] = []
  var members: [JSONMember] = []
  var key = ""

  mutating func add(_ value: JSONValue) {
    if isObject { members.append(JSONMember(key, value)) } else { elements.append(value) }
  }

  var value: JSONValue { isObject ? .object(members) : .array(elements) }
}

private func readValue(
  _ bytes: UnsafeBufferPointer<UInt8>, depth limit: Int
) throws(JSONError) -> JSONValue {
  var tokens = JSONTokens(bytes)
  var open: [OpenValue] = []
  var result = JSONValue.null
  while let token = try tokens.next() {
    let value: JSONValue
    switch token.kind {
    case .beginObject, .beginArray:
      guard open.count < limit else {
        throw JSONError(
          code: .syntax, offset: token.range.lowerBound,
          message: "nested more than \(limit) levels deep")
      }
      open.append(OpenValue(isObject: token.kind == .beginObject))
      continue
    case .key:
      open[open.count - 1].key = String(decoding: try text(token, bytes), as: UTF8.self)
      continue
    case .endObject, .endArray: value = open.removeLast().value
    case .string: value = .string(try text(token, bytes))
    case .number: value = try number(token, bytes)
    case .true: value = .bool(true)
    case .false: value = .bool(false)
    case .null: value = .null
    }
    if open.isEmpty { result = value } else { open[open.count - 1].add(value) }
  }
  return result
}

private func text(
  _ token: JSONToken, _ bytes: UnsafeBufferPointer<UInt8>
) throws(JSONError) -> [UInt8] {
  let raw = UnsafeBufferPointer(rebasing: bytes[token.range])
  guard token.hasEscapes else { return Array(raw) }
  guard let text = unescapeJSON(raw) else {
    throw JSONError(
      code: .utf8, offset: token.range.lowerBound, message: "half of a surrogate pair")
  }
  return text
}

private func number(
  _ token: JSONToken, _ bytes: UnsafeBufferPointer<UInt8>
) throws(JSONError) -> JSONValue {
  let text = String(decoding: bytes[token.range], as: UTF8.self)
  if let whole = Int64(text) { return .int(whole) }
  guard let value = Double(text), value.isFinite else {
    throw JSONError(
      code: .syntax, offset: token.range.lowerBound, message: "a number past the largest double")
  }
  return .number(value)
}
