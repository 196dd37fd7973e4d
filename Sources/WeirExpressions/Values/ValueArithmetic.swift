/// `+ - * / %` and the minus sign, of single values.
enum ValueArithmetic {
  static func apply(
    _ operation: Syntax.Binary, _ a: Value, _ b: Value
  ) throws(FailureKind) -> Value {
    switch (a, b) {
    case (.int(let x), .int(let y)): return .int(try whole(operation, x, y))
    case (.uint(let x), .uint(let y)): return .uint(try whole(operation, x, y))
    case (.number(let x), .number(let y)):
      switch operation {
      case .add: return .number(x + y)
      case .subtract: return .number(x - y)
      case .multiply: return .number(x * y)
      case .divide: return .number(x / y)
      default: throw .wrongType
      }
    default: break
    }
    switch (operation, a, b) {
    case (.add, .string(let x), .string(let y)): return .string(try joined(x, y))
    case (.add, .bytes(let x), .bytes(let y)): return .bytes(try joined(x, y))
    case (.add, .list(let x), .list(let y)): return .list(x + y)
    case (.add, .duration(let x), .duration(let y)):
      return .duration(try duration(x.addingReportingOverflow(y)))
    case (.subtract, .duration(let x), .duration(let y)):
      return .duration(try duration(x.subtractingReportingOverflow(y)))
    case (.add, .timestamp(let x), .duration(let y)), (.add, .duration(let y), .timestamp(let x)):
      return .timestamp(try moved(x, by: Int128(y)))
    case (.subtract, .timestamp(let x), .duration(let y)):
      return .timestamp(try moved(x, by: -Int128(y)))
    case (.subtract, .timestamp(let x), .timestamp(let y)):
      guard let difference = Int64(exactly: nanoseconds(x) - nanoseconds(y)) else {
        throw .durationRange
      }
      return .duration(difference)
    default: throw .wrongType
    }
  }

  static func negated(_ value: Value) throws(FailureKind) -> Value {
    switch value {
    case .int(let v):
      guard v != .min else { throw .overflow }
      return .int(-v)
    case .number(let v): return .number(-v)
    default: throw .wrongType
    }
  }

  private static func whole<T: FixedWidthInteger>(
    _ operation: Syntax.Binary, _ a: T, _ b: T
  ) throws(FailureKind) -> T {
    let result: (partialValue: T, overflow: Bool)
    switch operation {
    case .add: result = a.addingReportingOverflow(b)
    case .subtract: result = a.subtractingReportingOverflow(b)
    case .multiply: result = a.multipliedReportingOverflow(by: b)
    case .divide:
      if b == 0 { throw .divisionByZero }
      result = a.dividedReportingOverflow(by: b)
    case .remainder:
      if b == 0 { throw .divisionByZero }
      result = a.remainderReportingOverflow(dividingBy: b)
    default: throw .wrongType
    }
    if result.overflow { throw .overflow }
    return result.partialValue
  }

  private static func joined(_ a: [UInt8], _ b: [UInt8]) throws(FailureKind) -> [UInt8] {
    guard a.count + b.count <= ExpressionLimits.stringBytes else { throw .tooLong }
    return a + b
  }

  private static func duration(
    _ result: (partialValue: Int64, overflow: Bool)
  ) throws(FailureKind) -> Int64 {
    if result.overflow { throw .durationRange }
    return result.partialValue
  }

  private static func nanoseconds(_ instant: Instant) -> Int128 {
    Int128(instant.seconds) * 1_000_000_000 + Int128(instant.nanoseconds)
  }

  private static func moved(
    _ instant: Instant, by duration: Int128
  ) throws(FailureKind) -> Instant {
    let total = nanoseconds(instant) + duration
    var (seconds, rest) = total.quotientAndRemainder(dividingBy: 1_000_000_000)
    if rest < 0 {
      seconds -= 1
      rest += 1_000_000_000
    }
    let moved = Instant(seconds: Int64(seconds), nanoseconds: Int64(rest))
    guard moved.isInRange else { throw .timeRange }
    return moved
  }
}
