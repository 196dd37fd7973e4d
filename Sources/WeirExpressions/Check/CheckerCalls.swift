import WeirData

/// Functions.
extension Checker {
  struct Call {
    var target: Syntax.Index?
    var name: String
    var nameSpan: SourceSpan
    var arguments: [Syntax.Index]
    var span: SourceSpan
  }

  mutating func call(_ call: Call) throws(ExpressionError) -> Tree.Index {
    if let namespaced = try namespaced(call) { return try apply(namespaced, call, []) }
    if let macro = try macro(call) { return macro }
    switch (call.name, call.target) {
    case ("has", nil): return try has(call)
    case ("dyn", nil):
      return try duplicate(try value(try single(call)), ValueType(.any), call.span)
    case ("or", let target?), ("orValue", let target?): return try orElse(target, call)
    default: break
    }
    guard let function = Function.byName[call.name], !function.isNamespaced else {
      throw unknown(call)
    }
    switch (function.signature.style, call.target) {
    case (.function, nil), (.both, nil): return try apply(function, call, [])
    case (.method, let target?), (.both, let target?):
      return try apply(function, call, [target])
    case (.method, nil):
      let kind = function.signature.forms.first?.first?.phrase.split(separator: " ").last ?? "value"
      throw ExpressionError(
        .type, "`\(call.name)` stands behind the \(kind) it looks at", at: call.nameSpan,
        fix: "write field.\(call.name)(...)")
    case (.function, let target?):
      throw ExpressionError(
        .type, "`\(call.name)` is a function and stands in front of what it takes",
        at: call.nameSpan, fix: "write \(call.name)(\(text(target)))")
    }
  }

  func single(_ call: Call) throws(ExpressionError) -> Syntax.Index {
    guard call.arguments.count == 1 else { throw count(call, "one argument") }
    return call.arguments[0]
  }

  func count(_ call: Call, _ wanted: String) -> ExpressionError {
    ExpressionError(
      .type, "`\(call.name)` takes \(wanted), and is given \(call.arguments.count)", at: call.span)
  }

  /// `math.greatest` and the like: a name before the dot that is no field and no variable.
  private func namespaced(_ call: Call) throws(ExpressionError) -> Function? {
    guard let target = call.target, case .name(let name, _) = syntax[target].kind,
      variable(name) == nil, scope.longestField([name]) == nil
    else { return nil }
    let namespace = String(decoding: name, as: UTF8.self)
    if let function = Function.byName[namespace + "." + call.name] { return function }
    guard Checker.namespaces.contains(where: { $0.utf8.elementsEqual(namespace.utf8) }) else {
      return nil
    }
    let own = Function.allCases.map(\.rawValue).filter {
      $0.utf8.starts(with: (namespace + ".").utf8)
    }
    let near = Suggestions.nearest(
      to: Array((namespace + "." + call.name).utf8), among: own.map { Array($0.utf8) })
    if let first = near.first {
      throw ExpressionError(
        .unknownFunction, "there is no function `\(namespace).\(call.name)`", at: call.nameSpan,
        fix: "`\(String(decoding: first, as: UTF8.self))`")
    }
    throw unavailable("the function `\(namespace).\(call.name)`", call.span)
  }

  /// Of CEL and its extensions, those too that this version does not have. `cel` has a macro only.
  private static let namespaces = [
    "math", "strings", "base64", "optional", "proto", "lists", "sets", "regex",
  ]

  // MARK: - Applying

  private mutating func apply(
    _ function: Function, _ call: Call, _ receiver: [Syntax.Index]
  ) throws(ExpressionError) -> Tree.Index {
    let arguments = receiver + call.arguments
    var operands: [Tree.Index] = []
    for argument in arguments { operands.append(try value(argument)) }
    let signature = function.signature
    try check(function, signature, operands, arguments, call)
    let result = signature.result(operands.map { type($0).base })
    if let known = try constant(function, operands, arguments, call) { return known }
    let pattern = try self.pattern(function, operands, arguments)
    let zone = try self.zone(function, operands, arguments)
    if pattern == nil, zone == nil {
      return try add(.call(function, operands), ValueType(result), call.span)
    }
    // What is made of a constant operand must be there before the call is computed.
    tree.patterns[tree.nodes.count] = pattern
    tree.zones[tree.nodes.count] = zone
    return try add(.call(function, operands), ValueType(result), call.span)
  }

  private func check(
    _ function: Function, _ signature: Function.Signature, _ operands: [Tree.Index],
    _ arguments: [Syntax.Index], _ call: Call
  ) throws(ExpressionError) {
    let types = operands.map { type($0).base }
    func operand(_ form: [Function.Operand], _ at: Int) -> Function.Operand? {
      at < form.count ? form[at] : (signature.repeats ? form.last : nil)
    }
    func fits(_ form: [Function.Operand]) -> Bool {
      form.count == types.count || (signature.repeats && form.count > 1 && types.count > form.count)
    }
    let forms = signature.forms.filter(fits)
    if forms.isEmpty {
      let receiver = arguments.count - call.arguments.count
      let counts = Set(signature.forms.map { $0.count - receiver }).sorted()
      let words = ["no arguments", "one argument", "two arguments", "three arguments"]
      let wanted = counts.map { $0 >= 0 && $0 < words.count ? words[$0] : "\($0) arguments" }
      throw count(call, wanted.joined(separator: " or "))
    }
    if forms.contains(where: { form in
      types.enumerated().allSatisfy { operand(form, $0.offset)?.takes($0.element) ?? false }
    }) {
      return
    }
    // The first operand that no form takes, given that the ones before it were taken.
    var open = forms
    for (at, type) in types.enumerated() {
      let left = open.filter { operand($0, at)?.takes(type) ?? false }
      guard left.isEmpty else {
        open = left
        continue
      }
      var wanted: [String] = []
      for form in open {
        if let phrase = operand(form, at)?.phrase, !wanted.contains(phrase) {
          wanted.append(phrase)
        }
      }
      let last = wanted.removeLast()
      let phrase = wanted.isEmpty ? last : wanted.joined(separator: ", ") + " or " + last
      throw ExpressionError(
        .type,
        "`\(function.rawValue)` takes \(phrase) here, and `\(text(arguments[at]))` is "
          + type.phrase, at: span(operands[at]), fix: fix(function, type, arguments[at]))
    }
  }

  private func fix(
    _ function: Function, _ type: ValueType.Base, _ argument: Syntax.Index
  ) -> String? {
    switch (function, type) {
    case (.getDate, .string), (.getHours, .string), (.getMonth, .string), (.getFullYear, .string),
      (.getDayOfWeek, .string):
      "write timestamp(\(text(argument)))"
    case (.ceil, .int), (.floor, .int), (.round, .int), (.trunc, .int):
      "an int is whole already: leave `\(function.rawValue)` away"
    case (.toInt, .duration): "subtract timestamps as int(...), in seconds"
    default: nil
    }
  }

  // MARK: - Constant operands

  /// Texts of times and durations that cannot be read are mistakes, and not only failures.
  private mutating func constant(
    _ function: Function, _ operands: [Tree.Index], _ arguments: [Syntax.Index], _ call: Call
  ) throws(ExpressionError) -> Tree.Index? {
    guard isChecked, operands.count == 1, case .string(let bytes)? = tree.constant(operands[0])
    else { return nil }
    let shown = text(arguments[0])
    switch function {
    case .toTimestamp:
      guard Instant.failure(rfc3339: bytes) != nil else { return nil }
      let iso = String(decoding: bytes, as: UTF8.self)
      throw ExpressionError(
        .alwaysFails, "`\(shown)` is not an RFC 3339 time of the years 1 to 9999",
        at: span(operands[0]),
        fix: CivilDate(iso: iso) != nil
          ? "write '\(iso)T00:00:00Z'" : "write it like '2026-01-31T00:00:00Z'")
    case .toDuration:
      guard DurationText.failure(bytes) != nil else { return nil }
      throw ExpressionError(
        .alwaysFails, "`\(shown)` is not a duration of up to 292 years", at: span(operands[0]),
        fix: "write it like '1h30m' or '90s': the units are h, m, s, ms, us and ns")
    default: return nil
    }
  }

  private func pattern(
    _ function: Function, _ operands: [Tree.Index], _ arguments: [Syntax.Index]
  ) throws(ExpressionError) -> Pattern? {
    guard function == .matches, case .string(let bytes)? = tree.constant(operands[1]) else {
      return nil
    }
    guard tree.patterns.count < ExpressionLimits.patterns else {
      throw ExpressionError(
        .limit, "the expression has more than \(ExpressionLimits.patterns) regular expressions",
        at: span(operands[1]), fix: "join them into one: (a|b)")
    }
    do throws(Pattern.Mistake) {
      return try Pattern(bytes)
    } catch {
      throw ExpressionError(
        .alwaysFails, "`\(text(arguments[1]))` is not a regular expression: \(error.words)",
        at: span(operands[1]), fix: error.fix)
    }
  }

  private func zone(
    _ function: Function, _ operands: [Tree.Index], _ arguments: [Syntax.Index]
  ) throws(ExpressionError) -> Zone? {
    switch function {
    case .getDate, .getDayOfMonth, .getDayOfWeek, .getDayOfYear, .getFullYear, .getMonth,
      .getHours, .getMinutes, .getSeconds, .getMilliseconds:
      break
    default: return nil
    }
    guard operands.count == 2, case .string(let name)? = tree.constant(operands[1]) else {
      return nil
    }
    guard let zone = Zone.named(name) else {
      throw ExpressionError(
        .alwaysFails, "there is no time zone \(text(arguments[1]))", at: span(operands[1]),
        fix: Zone.likelyName(name).map { "write '\(String(decoding: $0, as: UTF8.self))'" }
          ?? "write a name of the tz database, such as 'Europe/Berlin', or an offset, such as '+01:00'"
      )
    }
    return zone
  }

  // MARK: - Optionals

  private mutating func orElse(
    _ target: Syntax.Index, _ call: Call
  ) throws(ExpressionError) -> Tree.Index {
    let fallback = try single(call)
    let first = try value(target)
    let isValue = call.name.utf8.elementsEqual("orValue".utf8)
    let held: ValueType.Base
    switch type(first).base {
    case .optional(let inner): held = inner
    case .any, .open: held = .any
    default:
      throw ExpressionError(
        .type, "`\(call.name)` needs an optional, and `\(text(target))` is \(type(first).phrase)",
        at: span(first), fix: "an optional is made with `.?` or `[?...]`")
    }
    let second = try value(fallback)
    let other = isValue ? type(second).base : try inside(second)
    guard let joined = held.isAny || other.isAny ? held.joined(other) ?? .any : held.joined(other)
    else {
      throw ExpressionError(
        .type,
        "the optional holds \(held.phrase), and `\(text(fallback))` is \(type(second).phrase)",
        at: span(second))
    }
    return try add(
      .orElse(first, second, isValue: isValue),
      ValueType(isValue ? joined : .optional(joined)), call.span)
  }

  // MARK: - What is not there

  private func unknown(_ call: Call) -> ExpressionError {
    let name = Array(call.name.utf8)
    if Checker.later.contains(where: { $0.utf8.elementsEqual(name) }) {
      return unavailable("the function `\(call.name)`", call.nameSpan)
    }
    let known =
      (Function.allCases.map(\.rawValue).filter { !$0.utf8.contains(UInt8(ascii: ".")) }
      + Checker.macros + ["has", "dyn", "or", "orValue"])
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { Array($0.utf8) }
    let near = Suggestions.nearest(to: name, among: known).first
    return ExpressionError(
      .unknownFunction, "there is no function `\(call.name)`", at: call.nameSpan,
      fix: Suggestions.foreignFunction(
        name, ((call.target.map { [$0] } ?? []) + call.arguments).map { operandText($0) })
        ?? near.map { "`\(String(decoding: $0, as: UTF8.self))`" }
        ?? "docs/expressions.md lists the functions")
  }

  /// A part as it is written, in brackets where an operator would take a piece of it.
  private func operandText(_ index: Syntax.Index) -> String {
    switch syntax[index].kind {
    case .name, .select, .literal, .call, .index, .list: text(index)
    default: "(\(text(index)))"
    }
  }

  /// Functions of CEL's extensions that this version does not have.
  private static let later = [
    "distinct", "flatten", "slice", "sort", "sortBy", "first", "last", "range", "block", "index",
    "isIP", "ip", "isCIDR", "cidr", "getExt", "hasExt",
  ]
}
