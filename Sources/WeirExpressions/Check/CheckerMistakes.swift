import WeirData

/// What is said of names that are no fields, and what they may have been meant for.
extension Checker {
  func unknownField(_ names: [[UInt8]], _ span: SourceSpan) -> ExpressionError {
    let path = FieldPath(components: names).text
    let fix = unknownFieldFix(names, span)
    if names.count == 1, names[0].elementsEqual("params".utf8) {
      return ExpressionError(
        .unknownParameter, "`params` stands before the name of a parameter", at: span,
        fix: "write params.NAME")
    }
    if names.starts(with: [Array("google".utf8), Array("protobuf".utf8)]) {
      return unavailable("the type `\(path)` as a value", span)
    }
    var error = ExpressionError(
      .unknownField, "there is no field `\(path)`", at: span, fix: fix)
    error.isMisspelling = meant(names, span) != nil || fix?.utf8.first == UInt8(ascii: "`")
    return error
  }

  /// What else a name is meant for that is no field.
  private func meant(_ names: [[UInt8]], _ span: SourceSpan) -> String? {
    let last = names[names.count - 1]
    if names.count == 1, let word = Suggestions.foreignConstant(last) { return "write `\(word)`" }
    if names.count == 1, let clock = Suggestions.clock(last) { return clock }
    if names.count == 2,
      ["param", "parameter", "parameters"].contains(where: { names[0].elementsEqual($0.utf8) })
    {
      return "write `params.\(String(decoding: last, as: UTF8.self))`"
    }
    if names.count == 1, span.start < syntax.source.count,
      syntax.source[span.start] == UInt8(ascii: "`")
    {
      return
        "write '\(String(decoding: last, as: UTF8.self))': text stands in ', and only names in `"
    }
    return nil
  }

  private func unknownFieldFix(_ names: [[UInt8]], _ span: SourceSpan) -> String? {
    let written = names.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
    if let meant = meant(names, span) { return meant }
    let declared =
      scope.fields.map { Suggestions.expression($0.path) } + variables.map { $0.name }
    let near = Suggestions.nearest(to: Array(written.utf8), among: declared)
    if names.count == 1, scope.params.keys.contains(where: { $0.utf8.elementsEqual(names[0]) }) {
      return "write params.\(written) for the parameter"
    }
    let isText = names.count == 1 ? "; or '\(written)' in quotes if it is text" : ""
    guard !near.isEmpty else {
      return names.count == 1 ? "write '\(written)' in quotes if it is text" : nil
    }
    let shown = near.map { "`\(String(decoding: $0, as: UTF8.self))`" }.joined(separator: " or ")
    return shown + isText
  }

  /// What to write where `has` was given a text or a condition.
  func hasFix(_ argument: Syntax.Index) -> String? {
    switch syntax[argument].kind {
    case .literal(.string(let name)):
      guard !name.isEmpty, name.allSatisfy(\.isIdentifierPart) else { return nil }
      return "write `has(\(String(decoding: name, as: UTF8.self)))`"
    case .binary, .all, .any, .not: return "write the condition without `has`"
    default: return nil
    }
  }
}
