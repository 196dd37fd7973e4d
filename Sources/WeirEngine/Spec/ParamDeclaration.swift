import WeirData

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
    case .choice: oneOf(values.map { quoted($0) }, limit: 40)
    }
  }

  /// Whether `min` and `max` can bound it.
  var hasOrder: Bool {
    switch self {
    case .int, .number, .date, .duration: true
    case .string, .bool, .path, .choice: false
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

extension ParamDeclaration {
  var expectation: String {
    let base = type.expectation(values)
    switch (minimum, maximum) {
    case (let low?, let high?): return "\(base), from \(low.text) to \(high.text)"
    case (let low?, nil): return "\(base), at least \(low.text)"
    case (nil, let high?): return "\(base), at most \(high.text)"
    case (nil, nil): return base
    }
  }

  /// The bound that a value does not keep.
  func brokenBound(_ value: ParamValue, today: CivilDate) -> ParamValue? {
    guard let place = value.place(today) else { return nil }
    if let minimum, let bound = minimum.place(today), place < bound { return minimum }
    if let maximum, let bound = maximum.place(today), place > bound { return maximum }
    return nil
  }
}

extension ParamValue {
  /// Where it stands among others of its type; `nil` where only the data tell.
  func place(_ today: CivilDate) -> Double? {
    switch self {
    case .int(let value): return Double(value)
    case .number(let value): return value
    case .duration(let value): return Double(value.seconds)
    case .date(let value):
      guard case .day(let day) = value.resolved(today: today) else { return nil }
      return Double(day.daysSinceEpoch)
    case .string, .bool, .path: return nil
    }
  }
}

/// One entry of `params`.
public struct ParamDeclaration: Sendable {
  public let name: String
  public let type: ParamType
  /// The words of an `enum`.
  public let values: [String]
  /// As it was written: a date may still be one of ``SpecDate/today(plus:)``.
  public let defaultValue: ParamValue?
  /// The place of the default, else of the declaration.
  let defaultNode: SpecNode
  /// Bounds of ints, numbers, dates and durations, both of them allowed values.
  public let minimum: ParamValue?
  public let maximum: ParamValue?
  /// Empty where there is none.
  public let description: String
  public let node: SpecNode
  /// The name, to point at.
  public let nameNode: SpecNode
}
