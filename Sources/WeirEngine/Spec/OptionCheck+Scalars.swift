import WeirData

extension OptionCheck {
  /// A value that is neither list nor object, with its parameters filled in.
  mutating func scalar(_ node: SpecNode, _ type: OptionType, _ what: String) -> OptionValue? {
    if case .expression = type, let text = node.string, refusesReferences(text, node) {
      return nil
    }
    let filled: SpecNode
    switch fill(node) {
    case .missing: return nil
    case .as(let value): filled = rebased(type.isText ? value.asText : value, of: node, type)
    }
    guard let content = content(filled, type) else {
      // What stands in the text is shown, not what the parameter made of it.
      if let text = node.string, let name = paramMeant(text) {
        problems.add(
          "bad_reference", at: node, "\(what): \(shown(text)) names no parameter",
          expected: "${param.NAME}", fix: quoted("${param.\(name)}"))
      } else if let range = outOfRange(filled, type) {
        problems.add(
          "out_of_range", at: node, "\(what) is \(range)", expected: type.expectation,
          fix: type.fix(for: filled))
      } else if case .string(let text) = filled.kind, type.isAnyPath, isElsewhere(text) {
        problems.add(
          "bad_path", at: node,
          text.utf8.first == UInt8(ascii: "~")
            ? "\(what): ~ is not read as the home folder"
            : "\(what): \(shown(text)) is an address, and only files are read and written",
          expected: type.expectation,
          fix: text.utf8.first == UInt8(ascii: "~")
            ? "write the whole path (/home/ann\(printable(Array(text.utf8.dropFirst())))), or declare a parameter of type path and write \"${param.NAME}\(printable(Array(text.utf8.dropFirst())))\""
            : "copy the files to this machine, and write their path here")
      } else if case .string(let text) = filled.kind, type.isAnyPath, isForeignPath(text) {
        problems.add(
          "bad_path", at: node,
          text.utf8.contains { $0 < 0x20 }
            ? "\(what) is no path: \\ begins an escape in JSON, and \\t and \\n are a tab and a line break"
            : "\(what) is no path: a \\ stands in it, which begins an escape in JSON",
          expected: "a path with / between its folders", fix: type.fix(for: filled))
      } else if case .string(let text) = filled.kind, type.readsText {
        problems.add(
          type.code, at: node,
          type.isOfWords
            ? "\(shown(text)) is not a value of \(what)"
            : "\(what): \(shown(text)) is no \(type.noun)\(type.reason(text))",
          expected: type.expectation,
          fix: isOfMonths(text) && same(what, quoted("bucket"))
            ? "write \"1w\" or \"1d\": no bucket is longer than a week" : type.fix(for: filled))
      } else {
        wrongType(filled, what, type)
      }
      return nil
    }
    return OptionValue(content: content, node: filled, isDefault: false)
  }

  /// The parameter that a text such as `{{ market }}` and `$market` is meant for.
  private func paramMeant(_ text: String) -> String? {
    ParamReferences.foreignName(text).flatMap { params[$0] == nil ? nil : $0 }
  }

  /// A path of a fragment, read from the folder of the spec.
  private func rebased(_ value: SpecNode, of node: SpecNode, _ type: OptionType) -> SpecNode {
    guard !scope.folder.utf8.isEmpty, type.isPath, let text = value.string,
      let written = node.string
    else { return value }
    // The value of a parameter of type path has been rebased where it was written.
    if case .reference(let name, _)? = ParamReferences.parts(written).first,
      case .path? = params[name]
    {
      return value
    }
    var result = value
    result.kind = .string(scope.path(text))
    result.isVerbatim = false
    return result
  }

  /// A value with its parameters filled in; `nil` where one of them has none.
  mutating func filled(_ node: SpecNode) -> SpecNode? {
    switch fill(node) {
    case .missing: nil
    case .as(let value): value
    }
  }

  private enum Filled {
    case `as`(SpecNode)
    /// A parameter in it has no value, or a reference is wrong; both are said elsewhere.
    case missing
  }

  private func fill(_ node: SpecNode) -> Filled {
    guard let text = node.string, ParamReferences.mayContain(text) else { return .as(node) }
    let parts = ParamReferences.parts(text)
    var filled = node
    filled.isVerbatim = false
    if parts.count == 1, case .reference(let name, _) = parts[0] {
      guard let value = params[name] else { return .missing }
      filled.kind = value.nodeKind
      return .as(filled)
    }
    var bytes: [UInt8] = []
    for part in parts {
      switch part {
      case .text(let text): bytes += text
      case .reference(let name, _):
        guard let value = params[name] else { return .missing }
        bytes += Array(value.text.utf8)
      case .malformed: return .missing
      }
    }
    if bytes.elementsEqual(text.utf8) { return .as(node) }
    filled.kind = .string(String(decoding: bytes, as: UTF8.self))
    return .as(filled)
  }

  /// A parameter pasted into an expression could change what it says.
  private mutating func refusesReferences(_ text: String, _ node: SpecNode) -> Bool {
    guard ParamReferences.mayContain(text) else { return false }
    for part in ParamReferences.parts(text) {
      guard case .reference(let name, var range) = part else { continue }
      let bytes = Array(text.utf8)
      if range.lowerBound > 0, range.upperBound < bytes.count,
        bytes[range.lowerBound - 1] == bytes[range.upperBound],
        [UInt8(ascii: "'"), UInt8(ascii: "\"")].contains(bytes[range.upperBound])
      {
        range = range.lowerBound - 1..<range.upperBound + 1
      }
      problems.add(
        "param_in_expression", at: node, within: range,
        "an expression reads a parameter by its name, without ${} and quotes",
        fix: "params.\(printable(name.unicodeScalars))")
      return true
    }
    return false
  }

  private func content(_ node: SpecNode, _ type: OptionType) -> OptionValue.Content? {
    switch (type, node.kind) {
    case (.bool, .bool(let value)): .bool(value)
    case (.int(let range), .int(let value)):
      range.contains(Int(value)) ? .int(Int(value)) : nil
    case (.number(let range), .int(let value)):
      range.contains(Double(value)) ? .number(Double(value)) : nil
    case (.number(let range), .number(let value)): range.contains(value) ? .number(value) : nil
    case (.size, .int(let value)): value >= 0 ? .int(Int(value)) : nil
    case (.size, .string(let text)): parseSize(text).map { .int($0) }
    case (.duration, .string(let text)): SpecDuration(text: text).map { .duration($0) }
    case (.date, .string(let text)):
      SpecDate(text: text).map { .date($0.resolved(today: scope.today)) }
    case (.fieldPath, .string(let text)): FieldPath(text: text).map { .fieldPath($0) }
    case (.fieldType, .string(let text)): FieldType(text: text).map { .fieldType($0) }
    case (.string, .string(let text)): .string(text)
    case (.expression, .string(let text)): text.utf8.allSatisfy(isSpace) ? nil : .string(text)
    case (.path, .string(let text)), (.pathGlob, .string(let text)),
      (.pathTemplate, .string(let text)):
      text.utf8.isEmpty || text.utf8.contains(0)
        || (node.isVerbatim && (isForeignPath(text) || isElsewhere(text)))
        ? nil : .string(text)
    case (.choice(let words), .string(let text)):
      words.contains { same($0, text) } ? .string(text) : nil
    case (.constant(let word), .string(let text)): same(word, text) ? .string(text) : nil
    default: nil
    }
  }

  private func outOfRange(_ node: SpecNode, _ type: OptionType) -> String? {
    switch (type, node.kind) {
    case (.int, .int(let value)), (.number, .int(let value)), (.size, .int(let value)):
      String(value)
    case (.number, .number(let value)): canonicalNumber(value)
    default: nil
    }
  }
}

private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

extension ParamValue {
  fileprivate var nodeKind: SpecNode.Kind {
    switch self {
    case .int(let value): .int(Int64(value))
    case .number(let value): .number(value)
    case .bool(let value): .bool(value)
    default: .string(text)
    }
  }
}

extension SpecNode {
  /// The value as text, where an option wants text and a parameter was a number.
  fileprivate var asText: SpecNode {
    guard !isVerbatim else { return self }
    var result = self
    switch kind {
    case .int(let value): result.kind = .string(String(value))
    case .number(let value): result.kind = .string(canonicalNumber(value))
    case .bool(let value): result.kind = .string(value ? "true" : "false")
    default: break
    }
    return result
  }

  /// The opening bracket, where a problem belongs to an object as a whole.
  var opening: SpecNode {
    var result = self
    result.range = range.lowerBound..<min(range.lowerBound + 1, range.upperBound)
    return result
  }

  /// `the string 'x'`, `the integer 3`, `a list`.
  public var described: String {
    switch kind {
    case .string(let text): "the string \(shown(text))"
    case .int(let value): "the integer \(value)"
    case .number(let value): "the number \(canonicalNumber(value))"
    case .bool(let value): value ? "true" : "false"
    default: kindText
    }
  }
}

extension OptionType {
  /// Whether the value is a string whatever it says.
  fileprivate var isText: Bool {
    switch self {
    case .bool, .int, .number, .size: false
    default: true
    }
  }

  fileprivate var isPath: Bool {
    switch self {
    case .path, .pathGlob: true
    default: false
    }
  }

  var isAnyPath: Bool {
    switch self {
    case .path, .pathGlob, .pathTemplate: true
    case .list(let element): element.isAnyPath
    default: false
    }
  }

  /// Whether a string is the right JSON type, and only its text can be wrong.
  fileprivate var readsText: Bool {
    switch self {
    case .bool, .int, .number: false
    default: true
    }
  }

  fileprivate var code: String {
    switch self {
    case .size: "bad_size"
    case .duration: "bad_duration"
    case .date: "bad_date"
    case .fieldPath: "bad_field"
    case .fieldType: "unknown_field_type"
    case .expression: "empty_expression"
    case .path, .pathGlob, .pathTemplate: "bad_path"
    case .choice, .constant: "unknown_choice"
    default: "wrong_type"
    }
  }

  fileprivate var isOfWords: Bool {
    switch self {
    case .choice, .constant: true
    default: false
    }
  }

  /// Why a text is no value of this type, where more than its form is wrong.
  fileprivate func reason(_ text: String) -> String {
    if case .date = self, let fault = dateFault(text) { return ": " + fault.reason }
    if case .duration = self, isOfMonths(text) {
      return ": months and years are not of one length"
    }
    return ""
  }

  fileprivate var noun: String {
    switch self {
    case .size: "size"
    case .duration: "duration"
    case .date: "date"
    case .fieldPath: "field"
    case .fieldType: "type"
    case .expression: "expression"
    case .path, .pathGlob, .pathTemplate: "path"
    default: "choice"
    }
  }

  /// Whether a value of this type is written with the same brackets as `node`.
  func hasShape(of node: SpecNode) -> Bool {
    switch (self, node.kind) {
    case (.anyOf(let types), _): types.contains { $0.hasShape(of: node) }
    case (.list, .array), (.map, .object), (.object, .object), (.bool, .bool),
      (.int, .int), (.number, .int), (.number, .number), (.size, .int):
      true
    case (.list, _), (.map, _), (.object, _), (.bool, _), (.int, _), (.number, _): false
    case (_, .string): true
    default: false
    }
  }
}
