import WeirData

extension Value {
  /// What a column holds of the value: a uint as an int, bytes as base64, a duration and a type as
  /// text, lists and maps as their JSON.
  ///
  /// - Throws: what no column can hold without a change of the value.
  func cell(storedIn arena: inout Arena) throws(FailureKind) -> Cell {
    switch self {
    case .null: return .null
    case .bool(let v): return .bool(v)
    case .int(let v): return .int(v)
    case .number(let v): return .number(v)
    case .string(let bytes): return Value.text(bytes, &arena)
    case .timestamp(let instant):
      guard let microseconds = instant.microseconds else { throw .tooFine }
      return .timestamp(microseconds: microseconds)
    case .uint(let v):
      guard let whole = Int64(exactly: v) else { throw .overflow }
      return .int(whole)
    case .bytes(let bytes): return Value.text(Base64.encode(bytes), &arena)
    case .duration(let nanoseconds): return Value.text(DurationText.text(nanoseconds), &arena)
    case .type(let name): return Value.text(Array(name.rawValue.utf8), &arena)
    case .optional: throw .notStorable
    case .list, .map:
      var json: [UInt8] = []
      try appendJSON(to: &json, isExact: true)
      guard json.count <= ExpressionLimits.stringBytes else { throw .tooLong }
      return json.withUnsafeBufferPointer { .other(json: arena.store($0)) }
    }
  }

  private static func text(_ bytes: [UInt8], _ arena: inout Arena) -> Cell {
    if bytes.isEmpty { return .string(UnsafeBufferPointer(start: nil, count: 0)) }
    return bytes.withUnsafeBufferPointer { .string(arena.store($0)) }
  }
}
