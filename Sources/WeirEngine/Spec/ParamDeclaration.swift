/// What a parameter may hold.
public enum ParamType: String, Sendable, CaseIterable {
  case string, int, number, bool, date, duration, path
  case choice = "enum"

  /// `a date such as "2026-10-04", or "latest"`.
  func expectation(_ values: [String]) -> String {
    switch self {
    case .string: "a string"
    case .int: "an integer"
    case .number: "a number"
    case .bool: "true or false"
    case .date: OptionType.date.expectation
    case .duration: OptionType.duration.expectation
    case .path: "a path"
    case .choice: "one of " + alternatives(values.map { quoted($0) }, limit: 40)
    }
  }

  /// Reads the text of a command line or of a string in the spec.
  func value(_ text: String, values: [String]) -> ParamValue? {
    switch self {
    case .string: return .string(text)
    case .path: return text.utf8.isEmpty || text.utf8.contains(0) ? nil : .path(text)
    case .int: return Int64(text).map { .int(Int($0)) }
    case .number: return numberValue(text)
    case .bool: return same(text, "true") ? .bool(true) : same(text, "false") ? .bool(false) : nil
    case .date: return SpecDate(text: text).map { .date($0) }
    case .duration: return SpecDuration(text: text).map { .duration($0) }
    case .choice: return values.contains { same($0, text) } ? .string(text) : nil
    }
  }

  private func numberValue(_ text: String) -> ParamValue? {
    let allowed = text.utf8.allSatisfy { isWordByte($0) && $0 | 0x20 != UInt8(ascii: "x") }
    guard allowed, let value = Double(text), value.isFinite else { return nil }
    return .number(value)
  }

  /// Reads a `default`, which has the JSON type that goes with the parameter's.
  func value(_ node: SpecNode, values: [String]) -> ParamValue? {
    switch (self, node.kind) {
    case (.int, .int(let value)): .int(Int(value))
    case (.number, .int(let value)): .number(Double(value))
    case (.number, .number(let value)): .number(value)
    case (.bool, .bool(let value)): .bool(value)
    case (.int, _), (.number, _), (.bool, _): nil
    case (_, .string(let text)): value(text, values: values)
    default: nil
    }
  }
}

/// One entry of `params`.
public struct ParamDeclaration: Sendable {
  public let name: String
  public let type: ParamType
  /// The words of an `enum`.
  public let values: [String]
  public let defaultValue: ParamValue?
  /// Empty where there is none.
  public let description: String
  public let node: SpecNode
  /// The name, to point at.
  public let nameNode: SpecNode
}
