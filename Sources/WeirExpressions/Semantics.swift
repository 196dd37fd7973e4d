import Glibc
import WeirData

/// True, false, or the number of a failure.
typealias TruthCode = UInt32

extension TruthCode {
  static let `false`: TruthCode = 0
  static let `true`: TruthCode = 1
  /// No operation has so many failures.
  static let unknown: TruthCode = .max

  @inline(__always) init(_ value: Bool) { self = value ? 1 : 0 }
  @inline(__always) var isFailure: Bool { self > 1 }
}

extension Cell {
  /// Not one of ``CellKind``: the operation that should have made this value failed.
  static let failureKind: UInt8 = 255

  @inline(__always) static func failure(_ number: UInt32) -> Cell {
    var cell = Cell.null
    cell.rawKind = failureKind
    cell.bits = UInt64(number)
    return cell
  }
  @inline(__always) var isFailure: Bool { rawKind == Cell.failureKind }
  @inline(__always) var failureNumber: UInt32 { UInt32(truncatingIfNeeded: bits) }
}

/// CEL's operators on cells.
///
/// `failing` is the number that a failure of the operation counts from. Follows the CEL language
/// definition, sections "Equality", "Ordering", "Overflow".
enum Semantics {
  @inline(__always)
  private static func failure(_ kind: FailureKind, _ base: UInt32) -> UInt32 {
    base + kind.rawValue
  }

  // MARK: - Comparing

  @inline(__always)
  static func compareBytes(_ a: Cell, _ b: Cell) -> Int {
    let count = Int(min(a.length, b.length))
    if count > 0 {
      let order = memcmp(a.stringBytes.baseAddress!, b.stringBytes.baseAddress!, count)
      if order != 0 { return Int(order) }
    }
    return Int(a.length) - Int(b.length)
  }

  @inline(__always)
  static func sameBytes(_ a: Cell, _ b: Cell) -> Bool {
    guard a.length == b.length else { return false }
    return a.length == 0
      || memcmp(a.stringBytes.baseAddress!, b.stringBytes.baseAddress!, Int(a.length)) == 0
  }

  /// The integer is rounded to the nearest double first, as the conformance cases ask
  /// (`not_gt_dyn_big_double_int`): past 2^53 neighbours can be equal to one double.
  @inline(__always)
  private static func compare(_ a: Int64, _ b: Double) -> Int { compare(Double(a), b) }

  /// -1, 0 or 1; 2 where one is not a number.
  @inline(__always)
  private static func compare(_ a: Double, _ b: Double) -> Int {
    a < b ? -1 : (a > b ? 1 : (a == b ? 0 : 2))
  }

  /// `==`. Values of unlike types are unequal; numbers compare by value whatever their type.
  @inline(__always)
  static func equal(_ a: Cell, _ b: Cell, failing base: UInt32) -> TruthCode {
    let kinds = (a.kind, b.kind)
    switch kinds {
    case (.string, .string): return TruthCode(sameBytes(a, b))
    case (.int, .int), (.bool, .bool), (.timestamp, .timestamp): return TruthCode(a.bits == b.bits)
    case (.number, .number): return TruthCode(a.numberValue == b.numberValue)
    case (.int, .number): return TruthCode(compare(a.intValue, b.numberValue) == 0)
    case (.number, .int): return TruthCode(compare(b.intValue, a.numberValue) == 0)
    default: break
    }
    if a.isFailure { return a.failureNumber }
    if b.isFailure { return b.failureNumber }
    if a.isNull || b.isNull { return TruthCode(a.isNull && b.isNull) }
    if a.kind == .other && b.kind == .other { return equalObjects(a, b, base) }
    return TruthCode.false
  }

  /// Objects and arrays, by what they hold.
  @inline(never)
  private static func equalObjects(_ a: Cell, _ b: Cell, _ base: UInt32) -> TruthCode {
    guard let x = a.jsonText, let y = b.jsonText else { return failure(.textGone, base) }
    do throws(FailureKind) {
      return TruthCode(Value.areEqual(try .reading(json: x), try .reading(json: y)))
    } catch { return failure(error, base) }
  }

  /// `<` and its like.
  @inline(__always)
  static func order(
    _ order: Program.Order, _ a: Cell, _ b: Cell, failing base: UInt32
  ) -> TruthCode {
    let result: Int
    switch (a.kind, b.kind) {
    case (.int, .int), (.timestamp, .timestamp):
      result = a.intValue < b.intValue ? -1 : (a.intValue == b.intValue ? 0 : 1)
    case (.number, .number): result = compare(a.numberValue, b.numberValue)
    case (.int, .number): result = compare(a.intValue, b.numberValue)
    case (.number, .int):
      let reversed = compare(b.intValue, a.numberValue)
      result = reversed == 2 ? 2 : -reversed
    case (.string, .string): result = compareBytes(a, b)
    case (.bool, .bool): result = a.bits < b.bits ? -1 : (a.bits == b.bits ? 0 : 1)
    default: return mismatch(a, b, base)
    }
    // Not a number has no order, and 2 stands for that only where numbers were compared.
    if result == 2, a.kind != .string { return TruthCode.false }
    switch order {
    case .less: return TruthCode(result < 0)
    case .lessOrEqual: return TruthCode(result <= 0)
    case .greater: return TruthCode(result > 0)
    case .greaterOrEqual: return TruthCode(result >= 0)
    }
  }

  /// The failure of an operation that its operands' types do not fit.
  @inline(never)
  static func mismatch(_ a: Cell, _ b: Cell, _ base: UInt32) -> UInt32 {
    if a.isFailure { return a.failureNumber }
    if b.isFailure { return b.failureNumber }
    if a.isNull { return failure(.leftNull, base) }
    if b.isNull { return failure(.rightNull, base) }
    return failure(.wrongType, base)
  }

  @inline(never)
  static func mismatch(_ a: Cell, _ base: UInt32) -> UInt32 {
    if a.isFailure { return a.failureNumber }
    return failure(a.isNull ? .leftNull : .wrongType, base)
  }

  @inline(__always)
  static func truth(_ cell: Cell, failing base: UInt32) -> TruthCode {
    if cell.rawKind == CellKind.bool.rawValue { return TruthCode(cell.boolValue) }
    return cell.isFailure ? cell.failureNumber : failure(.notBool, base)
  }

  // MARK: - Arithmetic

  @inline(__always)
  static func arithmetic(
    _ operation: Program.Arithmetic, _ a: Cell, _ b: Cell, failing base: UInt32,
    _ arena: inout Arena
  ) -> Cell {
    switch (a.kind, b.kind) {
    case (.int, .int): return integer(operation, a.intValue, b.intValue, failing: base)
    case (.number, .number):
      let (x, y) = (a.numberValue, b.numberValue)
      switch operation {
      case .add: return .number(x + y)
      case .subtract: return .number(x - y)
      case .multiply: return .number(x * y)
      case .divide: return .number(x / y)
      case .remainder: return .failure(failure(.wrongType, base))
      }
    case (.string, .string) where operation == .add:
      return concatenate(a, b, failing: base, &arena)
    default: return .failure(mismatch(a, b, base))
    }
  }

  @inline(__always)
  private static func integer(
    _ operation: Program.Arithmetic, _ a: Int64, _ b: Int64, failing base: UInt32
  ) -> Cell {
    let result: (partialValue: Int64, overflow: Bool)
    switch operation {
    case .add: result = a.addingReportingOverflow(b)
    case .subtract: result = a.subtractingReportingOverflow(b)
    case .multiply: result = a.multipliedReportingOverflow(by: b)
    case .divide:
      if b == 0 { return .failure(failure(.divisionByZero, base)) }
      result = a.dividedReportingOverflow(by: b)
    case .remainder:
      if b == 0 { return .failure(failure(.divisionByZero, base)) }
      result = a.remainderReportingOverflow(dividingBy: b)
    }
    return result.overflow ? .failure(failure(.overflow, base)) : .int(result.partialValue)
  }

  private static func concatenate(
    _ a: Cell, _ b: Cell, failing base: UInt32, _ arena: inout Arena
  ) -> Cell {
    if a.length == 0 { return b }
    if b.length == 0 { return a }
    let count = Int(a.length) + Int(b.length)
    guard count <= ExpressionLimits.stringBytes else { return .failure(failure(.tooLong, base)) }
    let bytes = arena.allocate(count)
    memcpy(bytes, a.stringBytes.baseAddress!, Int(a.length))
    memcpy(bytes + Int(a.length), b.stringBytes.baseAddress!, Int(b.length))
    return .string(UnsafeBufferPointer(start: bytes, count: count))
  }

  @inline(__always)
  static func negate(_ a: Cell, failing base: UInt32) -> Cell {
    switch a.kind {
    case .int: integer(.subtract, 0, a.intValue, failing: base)
    case .number: .number(-a.numberValue)
    default: .failure(mismatch(a, base))
    }
  }

  // MARK: - Text

  /// The Unicode code points of a string.
  static func size(_ a: Cell, failing base: UInt32) -> Cell {
    guard a.kind == .string else { return .failure(mismatch(a, base)) }
    var count: Int64 = 0
    for byte in a.stringBytes where byte & 0xC0 != 0x80 { count += 1 }
    return .int(count)
  }

  @inline(__always)
  static func text(
    _ test: Program.TextTest, _ a: Cell, _ b: Cell, failing base: UInt32
  ) -> TruthCode {
    guard a.kind == .string, b.kind == .string else { return mismatch(a, b, base) }
    let (length, part) = (Int(a.length), Int(b.length))
    if part > length { return TruthCode.false }
    if part == 0 { return TruthCode.true }
    let bytes = a.stringBytes.baseAddress!
    let wanted = b.stringBytes.baseAddress!
    switch test {
    case .startsWith: return TruthCode(memcmp(bytes, wanted, part) == 0)
    case .endsWith: return TruthCode(memcmp(bytes + (length - part), wanted, part) == 0)
    case .contains: return TruthCode(ByteSearch.contains(bytes, length, wanted, part))
    }
  }

  // MARK: - Conversions

  @inline(__always)
  static func convert(_ to: Program.Conversion, _ a: Cell, failing base: UInt32) -> Cell {
    switch (to, a.kind) {
    case (.number, .int): return .number(Double(a.intValue))
    case (.number, .number), (.int, .int): return a
    case (.int, .number):
      guard let whole = Conversions.int(a.numberValue) else {
        return .failure(failure(.outOfRange, base))
      }
      return .int(whole)
    default: return .failure(mismatch(a, base))
    }
  }

  static func dateParts(
    _ part: DatePart, _ a: Operand, _ rows: Rows, _ zone: Zone, failing base: UInt32,
    _ out: UnsafeMutablePointer<Cell>
  ) {
    let timestamp = CellKind.timestamp.rawValue
    // Most offsets never change, or not within many records.
    var stretch = zone.stretch(at: 0)
    for i in 0..<rows.count {
      let cell = a.cell(i, rows)
      guard cell.rawKind == timestamp else {
        out[i] = .failure(mismatch(cell, base))
        continue
      }
      let (seconds, rest) = cell.intValue.dividedDown(by: 1_000_000)
      if seconds < stretch.from || seconds >= stretch.to { stretch = zone.stretch(at: seconds) }
      let local = seconds &+ stretch.offset
      switch part {
      case .hours: out[i] = .int(local.dividedDown(by: 86_400).remainder / 3_600)
      case .milliseconds: out[i] = .int(rest / 1_000)
      default: out[i] = .int(part.value(local: local))
      }
    }
  }

  static func matches(_ a: Cell, _ pattern: Pattern, failing base: UInt32) -> TruthCode {
    guard a.kind == .string else { return mismatch(a, base) }
    return TruthCode(pattern.matches(a.stringBytes))
  }
}
