/// CEL's math extension.
enum MathFunctions {
  /// The greatest or least of the operands, or of the elements of the one list; of equal ones the
  /// first.
  static func extreme(
    _ operands: [Value], _ order: Syntax.Binary
  ) throws(FailureKind) -> Value {
    var values = operands
    if values.count == 1, case .list(let elements) = values[0] { values = elements }
    guard var best = values.first, values.allSatisfy(ValueOrder.isNumber) else { throw .wrongType }
    for value in values.dropFirst() where try ValueOrder.holds(order, value, best) { best = value }
    return best
  }

  static func apply(_ function: Function, _ value: Value) throws(FailureKind) -> Value {
    switch (function, value) {
    case (.ceil, .number(let v)): return .number(v.rounded(.up))
    case (.floor, .number(let v)): return .number(v.rounded(.down))
    case (.round, .number(let v)): return .number(v.rounded(.toNearestOrAwayFromZero))
    case (.trunc, .number(let v)): return .number(v.rounded(.towardZero))
    case (.isNaN, .number(let v)): return .bool(v.isNaN)
    case (.isInf, .number(let v)): return .bool(v.isInfinite)
    case (.isFinite, .number(let v)): return .bool(v.isFinite)
    case (.abs, .number(let v)): return .number(v.magnitude)
    case (.abs, .uint): return value
    case (.abs, .int(let v)):
      guard v != .min else { throw .overflow }
      return .int(v < 0 ? -v : v)
    case (.sign, .number(let v)): return .number(v > 0 ? 1 : (v < 0 ? -1 : v))
    case (.sign, .int(let v)): return .int(v.signum())
    case (.sign, .uint(let v)): return .uint(v > 0 ? 1 : 0)
    case (.sqrt, _): return .number(try Conversions.number(of: value).squareRoot())
    default: throw .wrongType
    }
  }

  static func bits(_ function: Function, _ a: Value, _ b: Value?) throws(FailureKind) -> Value {
    switch (a, b) {
    case (.int(let x), nil) where function == .bitNot: return .int(~x)
    case (.uint(let x), nil) where function == .bitNot: return .uint(~x)
    case (.int(let x), .int(let y)?):
      switch function {
      case .bitAnd: return .int(x & y)
      case .bitOr: return .int(x | y)
      case .bitXor: return .int(x ^ y)
      // Both shifts fill with zeros.
      default: return .int(Int64(bitPattern: try shifted(function, UInt64(bitPattern: x), y)))
      }
    case (.uint(let x), .uint(let y)?):
      switch function {
      case .bitAnd: return .uint(x & y)
      case .bitOr: return .uint(x | y)
      case .bitXor: return .uint(x ^ y)
      default: throw .wrongType
      }
    case (.uint(let x), .int(let y)?): return .uint(try shifted(function, x, y))
    default: throw .wrongType
    }
  }

  private static func shifted(
    _ function: Function, _ bits: UInt64, _ by: Int64
  ) throws(FailureKind) -> UInt64 {
    guard function == .bitShiftLeft || function == .bitShiftRight else { throw .wrongType }
    guard by >= 0 else { throw .negativeShift }
    guard by < 64 else { return 0 }
    return function == .bitShiftLeft ? bits &<< UInt64(by) : bits &>> UInt64(by)
  }
}

extension Conversions {
  /// Of a number of any type, not of text.
  static func number(of value: Value) throws(FailureKind) -> Double {
    guard ValueOrder.isNumber(value) else { throw .wrongType }
    return try double(value)
  }
}
