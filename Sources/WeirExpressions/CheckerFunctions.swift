import WeirData

extension Checker {
  struct Call {
    var target: Syntax.Index?
    var name: String
    var nameSpan: SourceSpan
    var arguments: [Syntax.Index]
    var span: SourceSpan
  }

  mutating func call(_ call: Call) throws(ExpressionError) -> Value {
    switch (call.name, call.target) {
    case ("has", nil): return try has(call)
    case ("dyn", nil):
      let inner = try value(try single(call))
      return Value(operation: inner.operation, type: ValueType(.any), span: call.span)
    case ("size", nil): return try size(try single(call), call)
    case ("size", let target?):
      guard call.arguments.isEmpty else { throw count(call, "no arguments") }
      return try size(target, call)
    case ("timestamp", nil): return try timestamp(call)
    case ("startsWith", let target?): return try text(.startsWith, target, call)
    case ("endsWith", let target?): return try text(.endsWith, target, call)
    case ("contains", let target?): return try text(.contains, target, call)
    default: throw unknown(call)
    }
  }

  // MARK: - Functions

  private func single(_ call: Call) throws(ExpressionError) -> Syntax.Index {
    guard call.arguments.count == 1 else { throw count(call, "one argument") }
    return call.arguments[0]
  }

  private func count(_ call: Call, _ wanted: String) -> ExpressionError {
    ExpressionError(
      .type, "`\(call.name)` takes \(wanted), and is given \(call.arguments.count)", at: call.span)
  }

  /// `has(field)`: present and not null. CEL wants a selection there; a record's own fields are
  /// selections of Weir's.
  private mutating func has(_ call: Call) throws(ExpressionError) -> Value {
    let argument = try single(call)
    switch syntax[argument].kind {
    case .name, .select: break
    default:
      throw ExpressionError(
        .type, "`has` takes a field, and `\(text(argument))` is none", at: syntax[argument].span)
    }
    if parameterName(argument) != nil {
      throw ExpressionError(
        .type, "`has` takes a field; parameters are always there", at: syntax[argument].span)
    }
    let field = try field(argument)
    return Value(
      operation: builder.add(.isPresent(field.operation), call.span), type: ValueType(.bool),
      span: call.span)
  }

  private mutating func size(
    _ argument: Syntax.Index, _ call: Call
  ) throws(ExpressionError) -> Value {
    switch try part(argument) {
    case .list(let list):
      // An element that fails makes the list, and so its size, fail.
      for element in list.elements {
        guard let cell = builder.constant(element.operation), !cell.isFailure else {
          throw unavailable("the size of a list that is not constant", call.span)
        }
      }
      return constant(.int(Int64(list.elements.count)), ValueType(.int), call.span)
    case .value(let operand):
      guard operand.type.base == .string || operand.type.isAny else {
        throw ExpressionError(
          .type, "`size` takes a string, and `\(text(argument))` is \(operand.type.phrase)",
          at: operand.span)
      }
      return Value(
        operation: builder.add(.size(operand.operation), call.span), type: ValueType(.int),
        span: call.span)
    }
  }

  private mutating func text(
    _ test: Program.TextTest, _ target: Syntax.Index, _ call: Call
  ) throws(ExpressionError) -> Value {
    let part = try single(call)
    let a = try value(target)
    let b = try value(part)
    for (operand, index) in [(a, target), (b, part)] {
      guard operand.type.base == .string || operand.type.isAny else {
        throw ExpressionError(
          .type,
          "`\(call.name)` needs strings, and `\(text(index))` is \(operand.type.phrase)",
          at: operand.span)
      }
    }
    return Value(
      operation: builder.add(.text(test, a.operation, b.operation), call.span),
      type: ValueType(.bool), span: call.span)
  }

  /// `timestamp('2026-01-31T00:00:00Z')`, or of seconds since 1970, of a constant.
  private mutating func timestamp(_ call: Call) throws(ExpressionError) -> Value {
    let argument = try single(call)
    let operand = try value(argument)
    switch operand.type.base {
    case .timestamp: return operand
    case .string, .int, .any: break
    case .null, .bool, .number:
      throw ExpressionError(
        .type, "`timestamp` takes text, and `\(text(argument))` is \(operand.type.phrase)",
        at: operand.span)
    }
    guard let cell = builder.constant(operand.operation), !cell.isFailure else {
      throw unavailable(
        "`timestamp` of something that is not constant", call.span,
        fix: "read the field as a timestamp in `normalize`")
    }
    switch cell.kind {
    case .timestamp: return constant(cell, ValueType(.timestamp), call.span)
    case .int:
      let (value, overflow) = cell.intValue.multipliedReportingOverflow(by: 1_000_000)
      guard !overflow, Timestamp(microseconds: value).isWritable else {
        throw outOfRange(argument)
      }
      return constant(.timestamp(microseconds: value), ValueType(.timestamp), call.span)
    case .string:
      guard let time = Timestamp(rfc3339: cell.stringBytes) else {
        throw badTime(cell, text(argument), operand.span)
      }
      guard time.isWritable else { throw outOfRange(argument) }
      return constant(
        .timestamp(microseconds: time.microseconds), ValueType(.timestamp), call.span)
    case .missing, .null, .number, .bool, .other:
      throw ExpressionError(
        .type, "`timestamp` takes text, and `\(text(argument))` is none", at: operand.span)
    }
  }

  private func badTime(_ cell: Cell, _ shown: String, _ span: SourceSpan) -> ExpressionError {
    let bytes = cell.stringBytes
    // `2026-01-31T00:00:00.123456789Z`
    if bytes.count > 26, bytes[19] == UInt8(ascii: "."), bytes[20..<27].allSatisfy({ $0.isDigit }) {
      return unavailable("a time finer than a microsecond", span)
    }
    return ExpressionError(
      .alwaysFails, "`\(shown)` is not an RFC 3339 time of the years 1 to 9999", at: span,
      fix: CivilDate(iso: cell.text).map { "write '\($0.iso)T00:00:00Z'" }
        ?? "write it like '2026-01-31T00:00:00Z'")
  }

  private func outOfRange(_ argument: Syntax.Index) -> ExpressionError {
    ExpressionError(
      .alwaysFails, "`\(text(argument))` is outside the years 1 to 9999",
      at: syntax[argument].span)
  }

  // MARK: - What is not there

  private func unknown(_ call: Call) -> ExpressionError {
    let name = Array(call.name.utf8)
    if let target = call.target, let namespace = names(target)?.first,
      ["math", "strings", "optional", "base64", "cel", "proto", "lists", "sets"].contains(where: {
        namespace.elementsEqual($0.utf8)
      })
    {
      let whole = "\(text(target)).\(call.name)"
      return unavailable("the function `\(whole)`", call.span)
    }
    if Checker.later.contains(where: { $0.utf8.elementsEqual(name) }) {
      return unavailable("the function `\(call.name)`", call.nameSpan)
    }
    let isMethod = ["startsWith", "endsWith", "contains"].contains { $0.utf8.elementsEqual(name) }
    if isMethod, call.target == nil {
      return ExpressionError(
        .type, "`\(call.name)` stands behind the string it looks at", at: call.nameSpan,
        fix: "write field.\(call.name)('...')")
    }
    let known =
      (Checker.later + ["has", "dyn", "size", "timestamp", "startsWith", "endsWith", "contains"])
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { Array($0.utf8) }
    let near = Suggestions.nearest(to: name, among: known).first
    return ExpressionError(
      .unknownFunction, "there is no function `\(call.name)`", at: call.nameSpan,
      fix: near.map { "did you mean `\(String(decoding: $0, as: UTF8.self))`?" })
  }

  /// Functions and macros of CEL and its usual extensions that are still to come.
  private static let later = [
    "matches", "duration", "int", "uint", "double", "string", "bytes", "bool", "type", "all",
    "exists", "exists_one", "existsOne", "map", "filter", "transformList", "transformMap",
    "transformMapEntry", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear",
    "getFullYear", "getHours", "getMilliseconds", "getMinutes", "getMonth", "getSeconds",
    "charAt", "format", "indexOf", "join", "lastIndexOf", "lowerAscii", "quote", "replace",
    "reverse", "split", "substring", "trim", "upperAscii", "distinct", "flatten", "range",
    "slice", "sort", "sortBy", "first", "last", "value", "hasValue", "or", "orValue",
    "optMap", "optFlatMap", "greatest", "least", "encode", "decode", "bind", "block", "index",
  ]
}
