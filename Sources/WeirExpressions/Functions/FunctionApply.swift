extension Function {
  /// Computes the function.
  ///
  /// - Parameter zone: of a date part, where it is known.
  /// - Throws: `wrongType` where the operands do not fit.
  func apply(_ values: [Value], zone: Zone?) throws(FailureKind) -> Value {
    let last = values.count > 1 ? values[1] : nil
    switch self {
    case .size: return .int(try size(values[0]))
    case .contains, .startsWith, .endsWith:
      guard case .string(let text) = values[0], case .string(let part)? = last else {
        throw .wrongType
      }
      switch self {
      case .contains: return .bool(TextFunctions.contains(text, part))
      case .startsWith: return .bool(text.starts(with: part))
      default: return .bool(text.count >= part.count && text.suffix(part.count).elementsEqual(part))
      }
    case .matches: throw .wrongType
    case .toInt: return .int(try Conversions.int(values[0]))
    case .toUint: return .uint(try Conversions.uint(values[0]))
    case .toDouble: return .number(try Conversions.double(values[0]))
    case .toString: return .string(try Conversions.string(values[0]))
    case .toBytes: return .bytes(try Conversions.bytes(values[0]))
    case .toBool: return .bool(try Conversions.bool(values[0]))
    case .toTimestamp: return .timestamp(try Conversions.timestamp(values[0]))
    case .toDuration: return .duration(try Conversions.duration(values[0]))
    case .typeOf: return .type(values[0].typeName)
    case .getDate, .getDayOfMonth, .getDayOfWeek, .getDayOfYear, .getFullYear, .getHours,
      .getMilliseconds, .getMinutes, .getMonth, .getSeconds:
      return .int(try datePart(values, zone))
    case .charAt, .indexOf, .lastIndexOf, .join, .lowerAscii, .upperAscii, .replace, .split,
      .substring, .trim, .reverse, .quote:
      return try TextFunctions.apply(self, values)
    case .format:
      guard case .string(let text) = values[0], case .list(let list)? = last else {
        throw .wrongType
      }
      return .string(try TextFormat.format(text, list))
    case .greatest: return try MathFunctions.extreme(values, .greater)
    case .least: return try MathFunctions.extreme(values, .less)
    case .ceil, .floor, .round, .trunc, .abs, .sign, .sqrt, .isNaN, .isInf, .isFinite:
      return try MathFunctions.apply(self, values[0])
    case .bitAnd, .bitOr, .bitXor, .bitNot, .bitShiftLeft, .bitShiftRight:
      return try MathFunctions.bits(self, values[0], last)
    case .encode:
      guard case .bytes(let bytes) = values[0] else { throw .wrongType }
      return .string(Base64.encode(bytes))
    case .decode:
      guard case .string(let text) = values[0] else { throw .wrongType }
      guard let bytes = Base64.decode(text) else { throw .notBase64 }
      return .bytes(bytes)
    case .optionalOf: return .optional(values[0])
    case .optionalOfNonZero: return .optional(values[0].isZero ? nil : values[0])
    case .optionalNone: return .optional(nil)
    case .hasValue:
      guard case .optional(let held) = values[0] else { throw .wrongType }
      return .bool(held != nil)
    case .value:
      guard case .optional(let held) = values[0] else { throw .wrongType }
      guard let held else { throw .noValue }
      return held
    }
  }

  private func size(_ value: Value) throws(FailureKind) -> Int64 {
    switch value {
    case .string(let bytes): return Int64(TextFunctions.size(bytes))
    case .bytes(let bytes): return Int64(bytes.count)
    case .list(let elements): return Int64(elements.count)
    case .map(let map): return Int64(map.count)
    default: throw .wrongType
    }
  }

  private func datePart(_ values: [Value], _ known: Zone?) throws(FailureKind) -> Int64 {
    guard let part = DatePart(self) else { throw .wrongType }
    switch values[0] {
    case .timestamp(let instant):
      guard values.count > 1 else { return part.value(of: instant, in: .utc) }
      guard case .string(let name) = values[1] else { throw .wrongType }
      guard let zone = known ?? Zone.named(name) else { throw .notAZone }
      return part.value(of: instant, in: zone)
    case .duration(let nanoseconds):
      guard values.count == 1, let value = part.value(ofDuration: nanoseconds) else {
        throw .wrongType
      }
      return value
    default: throw .wrongType
    }
  }
}

extension Value {
  /// The value that a type has before anything is set: what `optional.ofNonZeroValue` holds for none.
  fileprivate var isZero: Bool {
    switch self {
    case .null: true
    case .bool(let v): !v
    case .int(let v): v == 0
    case .uint(let v): v == 0
    case .number(let v): v == 0
    case .string(let v), .bytes(let v): v.isEmpty
    case .timestamp(let v): v.seconds == 0 && v.nanoseconds == 0
    case .duration(let v): v == 0
    case .list(let v): v.isEmpty
    case .map(let v): v.count == 0
    case .type: false
    case .optional(let held): held == nil
    }
  }
}
