import WeirData

extension Checker {
  /// `x` of `params.x`.
  func parameterName(_ index: Syntax.Index) -> ([UInt8], SourceSpan)? {
    guard case .select(let inner, let name, isOptional: false) = syntax[index].kind,
      case .name(let root, _) = syntax[inner].kind, root.elementsEqual("params".utf8)
    else { return nil }
    return (name, syntax[index].span)
  }

  mutating func parameter(
    _ name: [UInt8], _ span: SourceSpan, _ index: Syntax.Index
  ) throws(ExpressionError) -> Part {
    let key = String(decoding: name, as: UTF8.self)
    guard let value = scope.params.first(where: { $0.key.utf8.elementsEqual(name) })?.value else {
      let names = scope.params.keys.map { Array($0.utf8) }.sorted {
        $0.lexicographicallyPrecedes($1)
      }
      let fix = Suggestions.fix(for: name, among: names, prefix: "params.")
      throw ExpressionError(
        .unknownParameter, "there is no parameter `\(key)`", at: span,
        fix: fix ?? (names.isEmpty ? "declare it under \"params\"" : nil))
    }
    guard case .list(let elements) = value else {
      guard let cell = builder.stored(value) else { throw unavailable("this parameter", span) }
      return .value(constant(cell, Checker.type(value), span))
    }
    var values: [Value] = []
    for element in elements {
      guard let cell = builder.stored(element) else {
        throw unavailable("a list inside a list", span)
      }
      values.append(constant(cell, Checker.type(element), span))
    }
    return .list(List(elements: values, span: span))
  }

  static func type(_ value: ConstantValue) -> ValueType {
    switch value {
    case .null: ValueType(.null)
    case .bool: ValueType(.bool)
    case .int: ValueType(.int)
    case .number: ValueType(.number)
    case .string: ValueType(.string)
    case .timestamp: ValueType(.timestamp)
    case .list: ValueType(.any)
    }
  }

  /// The names of `a.b.c`, outermost first; `nil` where something else than names is selected
  /// from.
  func names(_ index: Syntax.Index) -> [[UInt8]]? {
    var names: [[UInt8]] = []
    var at = index
    while true {
      switch syntax[at].kind {
      case .name(let name, _):
        names.append(name)
        return names.reversed()
      case .select(let inner, let name, isOptional: false):
        names.append(name)
        at = inner
      default: return nil
      }
    }
  }

  /// A field of the record: of several declared ones that a path goes through, the longest.
  func declaredField(_ index: Syntax.Index) throws(ExpressionError) -> ExpressionScope.Field {
    let span = syntax[index].span
    guard let names = names(index) else {
      if case .select(let inner, let name, let isOptional) = syntax[index].kind {
        if isOptional { throw unavailable("an optional selection (`.?`)", span) }
        let shown = String(decoding: name, as: UTF8.self)
        throw unavailable("selecting `.\(shown)` from `\(text(inner))`", span)
      }
      throw ExpressionError(.syntax, "`\(text(index))` is not a field", at: span)
    }
    guard let field = scope.longestField(names[...]) else {
      throw unknownField(names, span)
    }
    guard field.path.components.count == names.count else {
      let path = FieldPath(components: names).text
      if field.type.base == .any {
        throw unavailable(
          "looking inside `\(field.path.text)`", span, fix: "declare the field `\(path)`")
      }
      throw ExpressionError(
        .type, "`\(field.path.text)` is \(ValueType(field.type).phrase) and has no fields",
        at: span)
    }
    return field
  }

  mutating func field(_ index: Syntax.Index) throws(ExpressionError) -> Value {
    let field = try declaredField(index)
    let span = syntax[index].span
    return Value(
      operation: builder.add(.column(field.column), span), type: ValueType(field.type), span: span)
  }

  private func unknownField(_ names: [[UInt8]], _ span: SourceSpan) -> ExpressionError {
    let path = FieldPath(components: names).text
    let fix = unknownFieldFix(names)
    if names.count == 1, names[0].elementsEqual("params".utf8) {
      return ExpressionError(
        .unknownParameter, "`params` stands before the name of a parameter", at: span,
        fix: "write params.NAME")
    }
    if Checker.isTypeName(names) { return unavailable("the type `\(path)` as a value", span) }
    return ExpressionError(.unknownField, "there is no field `\(path)`", at: span, fix: fix)
  }

  /// `int` in `type(x) == int`.
  private static func isTypeName(_ names: [[UInt8]]) -> Bool {
    let types = [
      "bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint",
    ]
    if names.count > 1 {
      return names.starts(with: [Array("google".utf8), Array("protobuf".utf8)])
    }
    return types.contains { names[0].elementsEqual($0.utf8) }
  }

  private func unknownFieldFix(_ names: [[UInt8]]) -> String? {
    let written = names.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
    if names.count == 1, let word = Suggestions.foreignConstant(names[0]) {
      return "write `\(word)`"
    }
    let declared = scope.fields.map { Suggestions.expression($0.path) }
    let near = Suggestions.nearest(to: Array(written.utf8), among: declared)
    if names.count == 1, scope.params.keys.contains(where: { $0.utf8.elementsEqual(names[0]) }) {
      return "write params.\(written) for the parameter"
    }
    let isText = names.count == 1 ? ", or '\(written)' in quotes if it is text" : ""
    if let first = near.first {
      let shown = near.map { "`\(String(decoding: $0, as: UTF8.self))`" }.joined(separator: ", ")
      return near.count == 1
        ? "did you mean `\(String(decoding: first, as: UTF8.self))`?\(isText)"
        : "the nearest fields are \(shown)\(isText)"
    }
    return names.count == 1 ? "put text in quotes: '\(written)'" : nil
  }
}
