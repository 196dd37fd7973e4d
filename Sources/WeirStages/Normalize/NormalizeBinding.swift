import WeirData
import WeirEngine

extension NormalizeField {
  /// A map file may not be larger.
  static let mapBytesMax = 16 << 20

  /// Finds the field in the scope, reads its map, and defines the field anew.
  ///
  /// - Parameter before: the scope in front of the stage.
  func bind(
    _ before: Scope, into scope: inout Scope, _ context: BindContext, _ problems: inout Problems
  ) -> BoundNormalizeField? {
    guard let field = before.require(path, at: keyNode, &problems) else { return nil }
    let bound: BoundNormalizeField.Work
    let type: FieldType
    switch work {
    case .text(var steps, let map):
      guard allows(field.type, [.string, .any], &problems) else { return nil }
      var mapName: String?
      if let map {
        guard let table = readMap(map, steps, context, &problems) else { return nil }
        steps.map = table
        if case .string(let path) = map.content { mapName = path }
      }
      let canBeNull = steps.unmapped == .null && (map != nil || steps.values != nil)
      bound = .text(steps, mapName: mapName)
      type = FieldType(.string, nullable: field.type.isNullable || canBeNull)
    case .number(let asInt):
      guard allows(field.type, [.string, .int, .number, .any], &problems) else { return nil }
      if field.type.base == (asInt ? .int : .number) {
        problems.add(
          "nothing_to_do", at: options.node("number"),
          "`\(path.text)` is \(field.type.text) already", fix: "remove it from this stage")
        return nil
      }
      bound = .number(asInt: asInt, trims: trims)
      type = FieldType(asInt ? .int : .number, nullable: field.type.isNullable)
    case .timestamp(let forms):
      guard allows(field.type, [.string, .int, .number, .any], &problems) else { return nil }
      if forms.epoch == nil, field.type.base == .int || field.type.base == .number {
        problems.add(
          "wrong_field_type", at: options.node("timestamp"),
          "`\(path.text)` is \(field.type.text): none of these forms reads a number",
          expected: "one of epoch_s, epoch_ms, epoch_us")
        return nil
      }
      bound = .timestamp(forms, trims: trims)
      type = FieldType(.timestamp, nullable: field.type.isNullable)
    }
    return BoundNormalizeField(
      path: path, from: field.column, to: scope.define(path, type), work: bound)
  }

  private func allows(
    _ type: FieldType, _ bases: [FieldType.Base], _ problems: inout Problems
  ) -> Bool {
    if !bases.contains(type.base) {
      problems.add(
        "wrong_field_type", at: keyNode,
        "`\(path.text)` is \(type.text), which these steps do not take",
        expected: "a field of type \(bases.map(\.rawValue).joined(separator: ", "))",
        fix: "remove it from this stage")
      return false
    }
    if trims, type.base == .int || type.base == .number {
      problems.add(
        "wrong_field_type", at: options.node("trim"),
        "`\(path.text)` is \(type.text): there is nothing to trim", fix: "remove \"trim\"")
      return false
    }
    return true
  }

  // MARK: Maps

  /// The map of an option: a file, or an object in the spec.
  private func readMap(
    _ option: OptionValue, _ steps: TextSteps, _ context: BindContext, _ problems: inout Problems
  ) -> [[UInt8]: [UInt8]]? {
    let entries: [MapEntry]
    if case .string(let path) = option.content {
      guard let read = readFile(path, option.node, context, &problems) else { return nil }
      entries = read
    } else {
      entries = option.map.map {
        MapEntry(key: $0.key, keyNode: $0.keyNode, value: $0.value.string, node: $0.value.node)
      }
    }
    if entries.isEmpty {
      problems.add(
        "nothing_to_do", at: option.node, "the map of `\(path.text)` is empty",
        fix: "write for example {\"old\": \"new\"}, or remove \"map\"")
      return nil
    }
    var table: [[UInt8]: [UInt8]] = [:]
    for entry in entries {
      let key = Array(entry.key.utf8)
      let value = Array(entry.value.utf8)
      table[key] = value
      if let never = steps.reasonNever(key) {
        problems.add(
          "unreachable_key", at: entry.keyNode,
          "no value is ever \"\(entry.key)\": \(never.reason) before the map is asked",
          fix: NormalizeField.asItIs(never.becomes, among: entries.map(\.key)),
          severity: .warning)
      }
      if let values = steps.values, !values.contains(value) {
        problems.add(
          "map_outside_values", at: entry.node,
          "the map makes \"\(entry.value)\", which `values` does not allow",
          fix: "add it to \"values\", or change the map",
          related: [.init("`values` is here", at: options.node("values"))])
      }
    }
    return problems.hasErrors ? nil : table
  }

  private struct MapEntry {
    var key: String
    var keyNode: SpecNode
    var value: String
    var node: SpecNode
  }

  /// A JSON object of strings. Its problems are told at their place in the file.
  private func readFile(
    _ path: String, _ node: SpecNode, _ context: BindContext, _ problems: inout Problems
  ) -> [MapEntry]? {
    guard let bytes = context.readFile(path, at: node, &problems) else { return nil }
    var found = Problems()
    let source = SpecSource(name: context.resolve(path), bytes: bytes)
    let limits = SpecLimits(bytes: NormalizeField.mapBytesMax)
    let root = SpecJSON.parse(source, limits: limits, problems: &found)
    var entries: [MapEntry] = []
    if let root, root.object == nil {
      found.add(
        "wrong_type", at: root, "a map is an object, and this is \(root.kindText)",
        expected: #"{"value": "what it becomes", ...}"#,
        related: [.init("the map is named here", at: node)])
    }
    for member in root?.object ?? [] {
      guard let value = member.value.string else {
        found.add(
          "wrong_type", at: member.value,
          "\"\(member.key)\" becomes \(member.value.kindText), expected a string",
          fix: "put it in quotes")
        continue
      }
      entries.append(
        MapEntry(key: member.key, keyNode: member.keyNode, value: value, node: member.value))
    }
    problems.add(contentsOf: found)
    return found.hasErrors || root == nil ? nil : entries
  }
}
