extension OptionType {
  /// What a message calls a value of this type: `a duration such as "6h"`.
  public var expectation: String {
    switch self {
    case .string: "a string"
    case .bool: "true or false"
    case .int(let range): "an integer" + OptionType.bounds(range, Int.min, Int.max) { String($0) }
    case .number(let range):
      "a number" + OptionType.bounds(range, -.infinity, .infinity) { canonicalNumber($0) }
    case .size: "a size such as \"256KiB\" or \"8MiB\", or a number of bytes"
    case .duration: "a duration such as \"15m\", \"6h\", \"1d\" or \"1w\""
    case .fieldPath: "a field such as \"market\" or \"model.score\""
    case .fieldType: "a type: string, int, number, bool, timestamp or any, with ? if it may be null"
    case .expression: "an expression such as \"decision == 'violation'\""
    case .pathGlob: "a path, where * stands for any part of a name"
    case .path: "a path"
    case .pathTemplate: "a path"
    case .date: "a date such as \"2026-10-04\", \"latest\", \"latest-7d\" or \"today-1d\""
    case .choice(let words):
      words.count == 1
        ? quoted(words[0]) : oneOf(words.map { quoted($0) }, limit: 40)
    case .list(let element): "a list, each entry \(element.expectation)"
    case .map(.fieldType):
      "an object with each field that the stages use and its type: string, int, number, bool, timestamp or any, with ? if it may be null"
    case .map(let value): "an object, each value \(value.expectation)"
    case .object(let options):
      "an object with " + options.map { quoted($0.name) }.joined(separator: ", ")
    case .anyOf(let types): OptionType.expectation(anyOf: types)
    case .constant(let word): quoted(word)
    }
  }

  private static func expectation(anyOf types: [OptionType]) -> String {
    let objects = types.compactMap { type -> String? in
      guard case .object(let specs) = type else { return nil }
      let names = specs.filter { if case .required = $0.presence { true } else { false } }
        .map { quoted($0.name) }
      guard names.count > 1, let first = names.first else { return names.first ?? "" }
      return "\(first) (with \(names.dropFirst().joined(separator: " and ")))"
    }
    if types.count == 2, case .list(let element) = types[1],
      same(element.expectation, types[0].expectation)
    {
      return "\(types[0].expectation); or a list of these"
    }
    guard types.count > 2, objects.count == types.count else {
      return types.map(\.expectation).joined(separator: "; or ")
    }
    return "an object with \(oneOf(objects, limit: 40))"
  }

  /// The short name of the options table: `list of duration`.
  public var name: String {
    switch self {
    case .string: "string"
    case .bool: "bool"
    case .int(let range):
      "int" + OptionType.bounds(range, Int.min, Int.max) { String($0) }
    case .number(let range):
      "number" + OptionType.bounds(range, -.infinity, .infinity) { canonicalNumber($0) }
    case .size: "size"
    case .duration: "duration"
    case .fieldPath: "field"
    case .fieldType: "field type"
    case .expression: "expression"
    case .pathGlob: "path with wildcards"
    case .path: "path"
    case .pathTemplate: "path template"
    case .date: "date"
    case .choice(let words): alternatives(words.map { quoted($0) }, limit: 40)
    case .list(let element): "list of \(element.name)"
    case .map(let value): "map to \(value.name)"
    case .object: "object"
    case .anyOf(let types): types.map(\.name).joined(separator: ", or ")
    case .constant(let word): quoted(word)
    }
  }

  private static func bounds<T: Comparable>(
    _ range: ClosedRange<T>, _ least: T, _ most: T, _ text: (T) -> String
  ) -> String {
    switch (range.lowerBound > least, range.upperBound < most) {
    case (true, true): " from \(text(range.lowerBound)) to \(text(range.upperBound))"
    case (true, false): " of at least \(text(range.lowerBound))"
    case (false, true): " of at most \(text(range.upperBound))"
    case (false, false): ""
    }
  }
}
