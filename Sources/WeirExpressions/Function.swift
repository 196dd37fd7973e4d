/// The functions of CEL that have values as operands; a receiver is the first of them.
enum Function: String, Sendable, CaseIterable {
  case size, contains, startsWith, endsWith, matches
  case toInt = "int"
  case toUint = "uint"
  case toDouble = "double"
  case toString = "string"
  case toBytes = "bytes"
  case toBool = "bool"
  case toTimestamp = "timestamp"
  case toDuration = "duration"
  case typeOf = "type"
  case getDate, getDayOfMonth, getDayOfWeek, getDayOfYear, getFullYear, getHours
  case getMilliseconds, getMinutes, getMonth, getSeconds
  case charAt, indexOf, lastIndexOf, join, lowerAscii, upperAscii, replace, split, substring, trim
  case reverse, format
  case quote = "strings.quote"
  case greatest = "math.greatest"
  case least = "math.least"
  case ceil = "math.ceil"
  case floor = "math.floor"
  case round = "math.round"
  case trunc = "math.trunc"
  case abs = "math.abs"
  case sign = "math.sign"
  case sqrt = "math.sqrt"
  case isNaN = "math.isNaN"
  case isInf = "math.isInf"
  case isFinite = "math.isFinite"
  case bitAnd = "math.bitAnd"
  case bitOr = "math.bitOr"
  case bitXor = "math.bitXor"
  case bitNot = "math.bitNot"
  case bitShiftLeft = "math.bitShiftLeft"
  case bitShiftRight = "math.bitShiftRight"
  case encode = "base64.encode"
  case decode = "base64.decode"
  case optionalOf = "optional.of"
  case optionalOfNonZero = "optional.ofNonZeroValue"
  case optionalNone = "optional.none"
  case hasValue, value
}

extension Function {
  /// How it is written.
  enum Style { case function, method, both }

  /// What an operand may be.
  enum Operand: Sendable {
    case any, bool, int, number, string, bytes, timestamp, duration, list, map, optional
    /// int or uint
    case whole
    /// int, uint or number
    case numeric
  }

  typealias Base = ValueType.Base

  struct Signature: Sendable {
    /// The operands of each form, a receiver first.
    var forms: [[Operand]]
    /// The last operand may come again and again.
    var repeats = false
    var style: Style
    /// The type of its value, by those of its operands.
    var result: @Sendable ([Base]) -> Base
  }

  private static func fixed(_ base: Base) -> @Sendable ([Base]) -> Base { { _ in base } }
  private static let ofFirst: @Sendable ([Base]) -> Base = { $0.first ?? .any }

  /// Of `greatest` and `least`: the common type of the operands, or of the elements of the one list.
  private static let common: @Sendable ([Base]) -> Base = { types in
    if types.count == 1, case .list(let element) = types[0] { return element }
    return .element(of: types)
  }

  var signature: Signature {
    switch self {
    case .size:
      Signature(
        forms: [[.string], [.bytes], [.list], [.map]], style: .both, result: Self.fixed(.int))
    case .contains, .startsWith, .endsWith:
      Signature(forms: [[.string, .string]], style: .method, result: Self.fixed(.bool))
    case .matches:
      Signature(forms: [[.string, .string]], style: .both, result: Self.fixed(.bool))
    case .toInt:
      Signature(
        forms: [[.numeric], [.string], [.timestamp]], style: .function, result: Self.fixed(.int))
    case .toUint:
      Signature(forms: [[.numeric], [.string]], style: .function, result: Self.fixed(.uint))
    case .toDouble:
      Signature(forms: [[.numeric], [.string]], style: .function, result: Self.fixed(.number))
    case .toString:
      Signature(
        forms: [[.string], [.numeric], [.bool], [.bytes], [.timestamp], [.duration]],
        style: .function, result: Self.fixed(.string))
    case .toBytes:
      Signature(forms: [[.string], [.bytes]], style: .function, result: Self.fixed(.bytes))
    case .toBool:
      Signature(forms: [[.bool], [.string]], style: .function, result: Self.fixed(.bool))
    case .toTimestamp:
      Signature(
        forms: [[.string], [.int], [.timestamp]], style: .function,
        result: Self.fixed(.timestamp))
    case .toDuration:
      Signature(forms: [[.string], [.duration]], style: .function, result: Self.fixed(.duration))
    case .typeOf: Signature(forms: [[.any]], style: .function, result: Self.fixed(.type))
    case .getHours, .getMinutes, .getSeconds, .getMilliseconds:
      Signature(
        forms: [[.timestamp], [.timestamp, .string], [.duration]], style: .method,
        result: Self.fixed(.int))
    case .getDate, .getDayOfMonth, .getDayOfWeek, .getDayOfYear, .getFullYear, .getMonth:
      Signature(
        forms: [[.timestamp], [.timestamp, .string]], style: .method, result: Self.fixed(.int))
    case .charAt: Signature(forms: [[.string, .int]], style: .method, result: Self.fixed(.string))
    case .indexOf, .lastIndexOf:
      Signature(
        forms: [[.string, .string], [.string, .string, .int]], style: .method,
        result: Self.fixed(.int))
    case .join:
      Signature(forms: [[.list], [.list, .string]], style: .method, result: Self.fixed(.string))
    case .lowerAscii, .upperAscii, .trim, .reverse:
      Signature(forms: [[.string]], style: .method, result: Self.fixed(.string))
    case .replace:
      Signature(
        forms: [[.string, .string, .string], [.string, .string, .string, .int]], style: .method,
        result: Self.fixed(.string))
    case .split:
      Signature(
        forms: [[.string, .string], [.string, .string, .int]], style: .method,
        result: Self.fixed(.list(.string)))
    case .substring:
      Signature(
        forms: [[.string, .int], [.string, .int, .int]], style: .method,
        result: Self.fixed(.string))
    case .format: Signature(forms: [[.string, .list]], style: .method, result: Self.fixed(.string))
    case .quote: Signature(forms: [[.string]], style: .function, result: Self.fixed(.string))
    case .greatest, .least:
      Signature(
        forms: [[.numeric], [.list], [.numeric, .numeric]], repeats: true, style: .function,
        result: Self.common)
    case .ceil, .floor, .round, .trunc:
      Signature(forms: [[.number]], style: .function, result: Self.fixed(.number))
    case .abs, .sign: Signature(forms: [[.numeric]], style: .function, result: Self.ofFirst)
    case .sqrt: Signature(forms: [[.numeric]], style: .function, result: Self.fixed(.number))
    case .isNaN, .isInf, .isFinite:
      Signature(forms: [[.number]], style: .function, result: Self.fixed(.bool))
    case .bitAnd, .bitOr, .bitXor:
      Signature(forms: [[.whole, .whole]], style: .function, result: Self.ofFirst)
    case .bitNot: Signature(forms: [[.whole]], style: .function, result: Self.ofFirst)
    case .bitShiftLeft, .bitShiftRight:
      Signature(forms: [[.whole, .int]], style: .function, result: Self.ofFirst)
    case .encode: Signature(forms: [[.bytes]], style: .function, result: Self.fixed(.string))
    case .decode: Signature(forms: [[.string]], style: .function, result: Self.fixed(.bytes))
    case .optionalOf, .optionalOfNonZero:
      Signature(
        forms: [[.any]], style: .function, result: { .optional($0.first ?? .open) })
    case .optionalNone:
      Signature(forms: [[]], style: .function, result: Self.fixed(.optional(.open)))
    case .hasValue: Signature(forms: [[.optional]], style: .method, result: Self.fixed(.bool))
    case .value:
      Signature(
        forms: [[.optional]], style: .method,
        result: { if case .optional(let inner)? = $0.first { inner } else { .any } })
    }
  }

  /// The name behind the dot of a namespace.
  var isNamespaced: Bool { rawValue.utf8.contains(UInt8(ascii: ".")) }

  static let byName: [String: Function] = Dictionary(
    uniqueKeysWithValues: allCases.map { ($0.rawValue, $0) })
}

extension Function.Operand {
  func takes(_ base: ValueType.Base) -> Bool {
    if base.isAny { return true }
    switch (self, base) {
    case (.any, _), (.bool, .bool), (.int, .int), (.number, .number), (.string, .string),
      (.bytes, .bytes), (.timestamp, .timestamp), (.duration, .duration), (.list, .list),
      (.map, .map), (.optional, .optional), (.whole, .int), (.whole, .uint), (.numeric, .int),
      (.numeric, .uint), (.numeric, .number):
      return true
    default: return false
    }
  }

  /// For messages.
  var phrase: String {
    switch self {
    case .any: "any value"
    case .bool: "a bool"
    case .int: "an int"
    case .number: "a number"
    case .string: "a string"
    case .bytes: "bytes"
    case .timestamp: "a timestamp"
    case .duration: "a duration"
    case .list: "a list"
    case .map: "a map"
    case .optional: "an optional"
    case .whole: "an int or a uint"
    case .numeric: "an int, a uint or a number"
    }
  }
}
