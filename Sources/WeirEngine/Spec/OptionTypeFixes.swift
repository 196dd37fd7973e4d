import WeirData

extension OptionType {
  /// What to type instead, where the value tells.
  func fix(for node: SpecNode) -> String? {
    switch (self, node.kind) {
    case (.list(let element), _) where element.hasShape(of: node):
      return "[\(node.sourceText)]"
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
      return nearest(to: text, among: words).map { quoted($0) }
    case (.constant(let word), .string): return quoted(word)
    case (.fieldType, .string(let text)):
      let words = FieldType.Base.allCases.map(\.rawValue)
      let isOptional = text.utf8.last == UInt8(ascii: "?")
      let near = nearest(to: text, among: words).map { isOptional ? $0 + "?" : $0 }
      return (typeSynonym(text, words) ?? near).map { quoted($0) }
    case (.date, .string(let text)):
      return (dateFix(text) ?? nearest(to: text, among: ["latest", "today"])).map { quoted($0) }
    case (.duration, .string(let text)): return durationFix(text).map { quoted($0) }
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
      return objects.first { same($0.0, near ?? "") }?.1.sample
    default: return nil
    }
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

/// A path as Windows writes it, also where JSON made something else of its backslashes: `out\table.csv`.
func isForeignPath(_ path: String) -> Bool {
  path.utf8.contains { $0 < 0x20 || $0 == UInt8(ascii: "\\") }
}
