import WeirData

extension OptionType {
  /// What to type instead, where the value tells.
  func fix(for node: SpecNode) -> String? {
    switch (self, node.kind) {
    case (.list(.fieldPath), .string(let text)) where text.utf8.contains(UInt8(ascii: ",")):
      let names = text.utf8.split(separator: UInt8(ascii: ",")).map { part in
        quoted(String(decoding: Array(part.drop { $0 == 0x20 }), as: UTF8.self))
      }
      return "[\(names.joined(separator: ", "))]"
    case (.list(.choice(let words)), .string(let text)):
      let meant =
        words.first { same($0, text) } ?? nearest(to: text, among: words)
        ?? Synonyms.choice(
          String(decoding: text.utf8.filter { $0 != UInt8(ascii: "/") }, as: UTF8.self),
          among: words)
      return meant.map { "[\(quoted($0))]" }
    case (.list(let element), _) where element.hasShape(of: node):
      return "[\(node.sourceText)]"
    case (.map(let element), .array(let items)): return OptionType.members(items, element)
    case (_, .array(let items)) where items.count == 1 && hasShape(of: items[0]):
      return items[0].sourceText
    case (.bool, .string(let text)):
      return same(text, "true") || same(text, "false") ? text : nil
    case (.int, .string(let text)): return Int64(text).map { String($0) }
    case (.int, .number(let value)):
      return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : nil
    case (.number(let range), .string(let text)):
      return Double(text).flatMap { $0.isFinite ? canonicalNumber($0) : nil }
        ?? shareFix(text, range)
    case (.number(let range), .int(let value)): return shareFix(String(value), range)
    case (.int(let range), .int(let value)):
      // Numbers that were meant to be large are no mistake of typing.
      return String(min(max(Int(value), range.lowerBound), range.upperBound))
    case (.choice(let words), .string(let text)):
      return (nearest(to: text, among: words) ?? Synonyms.choice(text, among: words))
        .map { quoted($0) }
    case (.duration, .int(let count)):
      return SpecDuration(text: "\(count)d") == nil ? nil : quoted("\(count)d")
    case (.expression, .bool), (.expression, .int), (.expression, .number):
      return quoted(node.sourceText)
    case (.fieldType, .object):
      guard let type = node.member("type")?.value else { return nil }
      return type.string.flatMap { FieldType(text: $0) == nil ? nil : quoted($0) }
        ?? OptionType.fieldType.fix(for: type)
    case (.object(let specs), .int), (.object(let specs), .number):
      // A number where an object is meant that has it.
      guard let first = specs.first, case .number = first.type, first.type.hasShape(of: node) else {
        return nil
      }
      return "{ \(quoted(first.name)): \(node.sourceText) }"
    case (.anyOf(let types), .int), (.anyOf(let types), .number):
      return types.lazy.compactMap { $0.fix(for: node) }.first
    case (.constant(let word), .string): return quoted(word)
    case (.fieldType, .string(let text)):
      let words = FieldType.Base.allCases.map(\.rawValue)
      let isOptional = text.utf8.last == UInt8(ascii: "?")
      let near = nearest(to: text, among: words).map { isOptional ? $0 + "?" : $0 }
      return (typeSynonym(text, words) ?? near).map { quoted($0) }
    case (.date, .string(let text)):
      return (dateFix(text) ?? nearest(to: text, among: ["latest", "today"])).map { quoted($0) }
    case (.duration, .string(let text)):
      return durationFix(text).map { quoted($0) }
        ?? (isOfMonths(text) ? "count it in days or weeks, such as \"1w\"" : nil)
    case (.size, .string(let text)): return sizeFix(text).map { quoted($0) }
    case (.fieldPath, .string(let text)):
      return text.utf8.isEmpty ? nil : quoted(FieldPath(components: [Array(text.utf8)]).text)
    case (.string, .int), (.string, .number), (.choice, .int), (.string, .bool):
      return quoted(node.sourceText)
    case (.path, .string(let text)), (.pathGlob, .string(let text)),
      (.pathTemplate, .string(let text)):
      guard isForeignPath(text) else { return nil }
      let written = node.sourceText.utf8.dropFirst().dropLast()
      let steps = written.split(separator: UInt8(ascii: "\\"))
      return quoted(
        String(decoding: Array(steps.joined(separator: [UInt8(ascii: "/")])), as: UTF8.self))
    case (_, .null): return "remove it, or give it a value"
    case (.expression, .array(let items)):
      // Conditions that are all to hold.
      let conditions = items.compactMap(\.string)
      guard conditions.count == items.count, conditions.count > 1 else { return nil }
      return quoted(
        conditions.map { $0.utf8.contains(UInt8(ascii: "|")) ? "(\($0))" : $0 }
          .joined(separator: " && "))
    case (.anyOf(let types), .array):
      return types.lazy.compactMap { $0.fix(for: node) }.first
    case (.anyOf(let types), .string(let text)):
      // "count" where {"count": true} is meant.
      let objects = types.compactMap { type -> (String, OptionType)? in
        guard case .object(let specs) = type, let first = specs.first else { return nil }
        return (first.name, type)
      }
      let near = nearest(to: text, among: objects.map(\.0))
      if let near { return objects.first { same($0.0, near) }?.1.sample }
      // "x > 1" where {"rate": "x > 1"} is meant.
      guard text.utf8.contains(where: { Array("=<>!&|(".utf8).contains($0) }) else { return nil }
      return objects.lazy.compactMap { object -> String? in
        guard case .object(let specs) = object.1, case .expression? = specs.first?.type,
          specs.dropFirst().allSatisfy({ if case .required = $0.presence { false } else { true } })
        else { return nil }
        return "{ \(quoted(object.0)): \(node.sourceText) }"
      }.first
    default: return nil
    }
  }

  /// A list as an object: its entries, or the names that they have, become keys.
  private static func members(_ items: [SpecNode], _ element: OptionType) -> String? {
    guard !items.isEmpty, items.count <= 8 else { return nil }
    var members: [String] = []
    for item in items {
      if let name = item.string {
        members.append("\(quoted(name)): \(element.sample)")
      } else if let object = item.object, let name = item.member("name")?.value.string {
        let rest = object.filter { !same($0.key, "name") }
          .map { "\(quoted($0.key)): \($0.value.sourceText)" }
        members.append("\(quoted(name)): { \(rest.joined(separator: ", ")) }")
      } else {
        return nil
      }
    }
    return "{ \(members.joined(separator: ", ")) }"
  }

  /// Stands in a sample where the name of a field goes.
  static let fieldPlaceholder = "FIELD"

  /// JSON of a value of the right type.
  var sample: String {
    switch self {
    case .string: "\"text\""
    case .bool: "true"
    case .int(let range): String(min(max(1, range.lowerBound), range.upperBound))
    case .number(let range): canonicalNumber(min(max(0.5, range.lowerBound), range.upperBound))
    case .size: "\"8MiB\""
    case .duration: "\"1d\""
    case .fieldPath: quoted(OptionType.fieldPlaceholder)
    case .fieldType: "\"string\""
    case .expression: "\"FIELD == 'VALUE'\""
    case .pathGlob: "\"data/*.jsonl.zst\""
    case .path: "\"file\""
    case .pathTemplate: "\"part.jsonl.zst\""
    case .date: "\"latest\""
    case .choice(let words): quoted(words.first ?? "")
    case .list(let element): "[\(element.sample)]"
    case .map(.fieldType): "{\(quoted(OptionType.fieldPlaceholder)): \"string\"}"
    case .map(let value): "{\"NAME\": \(value.sample)}"
    case .object(let specs): objectSample(specs)
    case .anyOf(let types): types.first?.sample ?? "null"
    case .constant(let word): quoted(word)
    }
  }

  private func objectSample(_ specs: [OptionSpec]) -> String {
    var members: [String] = []
    for spec in specs {
      if case .required = spec.presence {
        members.append("\(quoted(spec.name)): \(spec.type.sample)")
      }
    }
    return "{\(members.joined(separator: ", "))}"
  }
}

/// An address, or a path from the home folder, which only a shell knows.
func isElsewhere(_ path: String) -> Bool {
  hasScheme(path) || same(path, "~") || path.utf8.starts(with: "~/".utf8)
}

/// A path as Windows writes it, also where JSON made something else of its backslashes: `out\table.csv`.
func isForeignPath(_ path: String) -> Bool {
  path.utf8.contains { $0 < 0x20 || $0 == UInt8(ascii: "\\") }
}
