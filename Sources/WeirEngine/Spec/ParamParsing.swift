/// Reads `params` of a spec.
struct ParamParsing {
  var problems = Problems()
  /// Names that were declared, also where the declaration is wrong.
  var names: [String] = []

  mutating func parse(_ node: SpecNode) -> [ParamDeclaration] {
    guard let members = node.object else {
      problems.add(
        "wrong_type", at: node, "\"params\" is \(node.kindText)",
        expected: "an object of parameters",
        fix: "\"params\": { \"market\": { \"type\": \"string\", \"default\": \"*\" } }")
      return []
    }
    names = members.map(\.key)
    return members.compactMap { parse($0) }
  }

  private mutating func parse(_ member: SpecMember) -> ParamDeclaration? {
    if !isParamName(member.key) {
      problems.add(
        "bad_name", at: member.keyNode,
        "\(shown(member.key)) cannot be the name of a parameter",
        expected: "a letter, then letters, digits and _, as expressions need it",
        fix: quoted(mendedName(member.key, separator: "_")))
    }
    let node = member.value
    guard let entries = node.object else {
      let type = ParamParsing.guess(node)
      let isDefault = node.string.flatMap { ParamType(rawValue: $0) } == nil
      problems.add(
        "wrong_type", at: node, "a parameter is declared by an object, not by \(node.kindText)",
        fix: isDefault
          ? "{ \"type\": \"\(type.rawValue)\", \"default\": \(node.sourceText) }"
          : "{ \"type\": \(node.sourceText) }")
      return nil
    }
    let known = ["type", "default", "description", "required", "values", "min", "max"]
    for entry in entries where !(known + ["secret"]).contains(where: { same($0, entry.key) }) {
      problems.unknownKey(entry, known, of: "a parameter")
    }
    if let reference = node.member("secret") {
      problems.add(
        "secret_not_taken", at: reference.keyNode,
        "a parameter is no secret: its value is kept with the run",
        fix: "remove it; a stage that needs a secret names it itself")
    }
    guard let type = type(node, member) else { return nil }
    let values = values(node, type)
    return declaration(member, type, values)
  }

  private mutating func type(_ node: SpecNode, _ member: SpecMember) -> ParamType? {
    let words = ParamType.allCases.map(\.rawValue)
    guard let type = node.member("type") else {
      let guess = node.member("default").map { ParamParsing.guess($0.value) } ?? .string
      problems.add(
        "missing_key", at: member.keyNode, "the parameter \(shown(member.key)) has no type",
        expected: oneOf(words), fix: "\"type\": \"\(guess.rawValue)\"")
      return nil
    }
    guard let word = type.value.string else {
      problems.add(
        "wrong_type", at: type.value, "the type is \(type.value.kindText)",
        expected: oneOf(words.map { quoted($0) }))
      return nil
    }
    if let type = ParamType(rawValue: word), same(type.rawValue, word) { return type }
    problems.add(
      "unknown_param_type", at: type.value, "there is no parameter type \(shown(word))",
      expected: oneOf(words),
      fix: (typeSynonym(word, words) ?? nearest(to: word, among: words)).map { quoted($0) })
    return nil
  }

  private mutating func values(_ node: SpecNode, _ type: ParamType) -> [String] {
    guard let member = node.member("values") else {
      if type == .choice {
        problems.add(
          "missing_key", at: node.opening, "an enum lists the values that it may have",
          expected: "\"values\", a list of strings, the default among them",
          fix:
            "add \"values\": [\(node.member("default")?.value.string.map { quoted($0) + ", " } ?? "")\"OTHER\"], or write \"type\": \"string\" where any text will do"
        )
      }
      return []
    }
    if type != .choice {
      problems.add(
        "wrong_type", at: member.keyNode, "only an enum has \"values\"",
        fix: "\"type\": \"enum\"")
    }
    guard let items = member.value.array, !items.isEmpty else {
      problems.add(
        "wrong_type", at: member.value, "\"values\" is \(member.value.kindText)",
        expected: "a list of strings that is not empty")
      return []
    }
    return items.compactMap { item in
      if let text = item.string { return text }
      problems.add(
        "wrong_type", at: item, "\(item.kindText) among the values of an enum",
        expected: "a string", fix: quoted(item.sourceText))
      return nil
    }
  }

  private mutating func declaration(
    _ member: SpecMember, _ type: ParamType, _ values: [String]
  ) -> ParamDeclaration? {
    let node = member.value
    var isRequired: Bool?
    if let required = node.member("required")?.value {
      if case .bool(let value) = required.kind {
        isRequired = value
      } else {
        problems.add(
          "wrong_type", at: required, "\"required\" is \(required.kindText)",
          expected: "true or false")
      }
    }
    var defaultValue: ParamValue?
    if let given = node.member("default") {
      defaultValue = type.value(given.value, values: values)
      if defaultValue == nil, type != .choice || !values.isEmpty {
        problems.add(
          "wrong_default", at: given.value,
          "the default of \(shown(member.key)) is \(type.refusal(given.value))",
          expected: type.expectation(values),
          fix: type.mended(given.value, values: values))
      }
      if isRequired == true {
        problems.add(
          "required_with_default", at: given.keyNode,
          "\(shown(member.key)) is required and has a default, which could never be used",
          fix:
            "remove \"required\", so that \(given.value.sourceText) is used where no value is given; or remove the default, so that a value has to be given"
        )
      }
    } else if isRequired == false {
      problems.add(
        "missing_key", at: member.keyNode,
        "\(shown(member.key)) is not required but has no default", fix: "add a \"default\"")
    }
    let minimum = bound("min", node, type)
    let maximum = bound("max", node, type)
    let description = node.member("description")?.value
    if let description, description.string == nil {
      problems.add(
        "wrong_type", at: description, "\"description\" is \(description.kindText)",
        expected: "a string")
    }
    return ParamDeclaration(
      name: member.key, type: type, values: values, defaultValue: defaultValue,
      defaultNode: node.member("default")?.value ?? member.keyNode, minimum: minimum,
      maximum: maximum, description: description?.string ?? "", node: node, nameNode: member.keyNode
    )
  }

  private mutating func bound(
    _ key: String, _ node: SpecNode, _ type: ParamType
  ) -> ParamValue? {
    guard let member = node.member(key) else { return nil }
    guard type.hasOrder else {
      problems.add(
        "wrong_type", at: member.keyNode,
        "a parameter of type \(type.rawValue) has no \(quoted(key))",
        expected: "\(quoted(key)) only beside the types int, number, date and duration",
        fix: type == .string
          ? "remove it, or give the parameter one of these types" : "remove it")
      return nil
    }
    if let value = type.value(member.value, values: []) { return value }
    problems.add(
      "wrong_type", at: member.value, "\(quoted(key)) is no \(type.rawValue)",
      expected: type.expectation([]), fix: type.mended(member.value, values: []))
    return nil
  }

  private static func guess(_ node: SpecNode) -> ParamType {
    switch node.kind {
    case .int: .int
    case .number: .number
    case .bool: .bool
    case .string(let text):
      ParamType(rawValue: text) ?? (SpecDate(text: text) != nil ? .date : .string)
    default: .string
    }
  }
}

extension ParamType {
  /// What a message says of a default that is no value of this type.
  fileprivate func refusal(_ node: SpecNode) -> String {
    if self == .choice { return "none of its values" }
    let reason = self == .date ? node.string.flatMap { dateFault($0) }?.reason : nil
    return "no \(rawValue)" + (reason.map { ": " + $0 } ?? "")
  }

  /// A default that would be right, from one of the wrong JSON type.
  fileprivate func mended(_ node: SpecNode, values: [String]) -> String? {
    switch (self, node.kind) {
    case (.int, .string(let text)), (.number, .string(let text)), (.bool, .string(let text)):
      value(text, values: values)?.text
    case (.date, .string(let text)): dateFix(text).map { quoted($0) }
    case (.duration, .string(let text)): durationFix(text).map { quoted($0) }
    case (.choice, .string(let text)): nearest(to: text, among: values).map { quoted($0) }
    case (.string, .int), (.string, .number), (.string, .bool), (.path, .int), (.choice, .int):
      quoted(node.sourceText)
    default: nil
    }
  }
}

private func isParamName(_ name: String) -> Bool {
  guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
  return name.utf8.count <= 64 && name.utf8.allSatisfy { isNameByte($0) }
}
