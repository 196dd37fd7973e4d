import WeirData

/// The checked values of one declaration (or of an object inside it), defaults filled in.
///
/// Getters such as `string("path")` are for options that the manual calls required or gives a
/// default; for optional ones write `options["path"]?.string`. Asking for a name that the manual
/// does not have, or for an optional one by a getter, is a mistake in the stage and traps on
/// every declaration, so that the stage's own example finds it.
public struct Options: Sendable {
  /// The object in the spec.
  public let node: SpecNode
  let specs: [OptionSpec]
  /// In the order of `specs`; `nil` where an optional one is absent.
  let values: [OptionValue?]
  /// The parameters of the run, for expressions.
  public let params: ResolvedParams

  /// The value of an option that may be absent.
  public subscript(name: String) -> OptionValue? { values[index(of: name)] }

  /// The value of an option that the manual calls required or gives a default.
  public func value(_ name: String) -> OptionValue {
    let index = index(of: name)
    if case .optional = specs[index].presence {
      preconditionFailure("option '\(name)' is optional: use options[\"\(name)\"]")
    }
    guard let value = values[index] else {
      preconditionFailure("option '\(name)' was not checked")
    }
    return value
  }

  /// Where a problem with this option belongs: its value, or the object that lacks it.
  public func node(_ name: String) -> SpecNode { self[name]?.node ?? node }

  public func string(_ name: String) -> String { value(name).string }
  public func bool(_ name: String) -> Bool { value(name).bool }
  public func int(_ name: String) -> Int { value(name).int }
  public func number(_ name: String) -> Double { value(name).number }
  public func duration(_ name: String) -> SpecDuration { value(name).duration }
  public func date(_ name: String) -> SpecDate { value(name).date }
  public func fieldPath(_ name: String) -> FieldPath { value(name).fieldPath }
  public func fieldType(_ name: String) -> FieldType { value(name).fieldType }
  public func list(_ name: String) -> [OptionValue] { value(name).list }
  public func map(_ name: String) -> [OptionEntry] { value(name).map }
  public func object(_ name: String) -> Options { value(name).object }

  private func index(of name: String) -> Int {
    guard let index = specs.firstIndex(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
      preconditionFailure("the manual has no option '\(name)'")
    }
    return index
  }
}

/// One entry of an object with free keys.
public struct OptionEntry: Sendable {
  public let key: String
  /// The key, to point at.
  public let keyNode: SpecNode
  public let value: OptionValue
}

/// A checked value with its place.
///
/// The getters trap where the manual declares another type; where it declares `anyOf`, look at
/// `content`.
public struct OptionValue: Sendable {
  public enum Content: Sendable {
    case bool(Bool)
    /// `int` and `size` (bytes).
    case int(Int)
    case number(Double)
    /// `string`, `expression`, paths, `choice` and `constant`.
    case string(String)
    case duration(SpecDuration)
    case date(SpecDate)
    case fieldPath(FieldPath)
    case fieldType(FieldType)
    case list([OptionValue])
    case map([OptionEntry])
    case object(Options)
  }

  public let content: Content
  /// The value in the spec; for a default, the object that lacks the option.
  public let node: SpecNode
  public let isDefault: Bool

  public var string: String {
    if case .string(let value) = content { value } else { wrong("a string") }
  }
  public var bool: Bool {
    if case .bool(let value) = content { value } else { wrong("a boolean") }
  }
  public var int: Int {
    if case .int(let value) = content { value } else { wrong("an integer") }
  }
  public var number: Double {
    if case .number(let value) = content { value } else { wrong("a number") }
  }
  public var duration: SpecDuration {
    if case .duration(let value) = content { value } else { wrong("a duration") }
  }
  public var date: SpecDate {
    if case .date(let value) = content { value } else { wrong("a date") }
  }
  public var fieldPath: FieldPath {
    if case .fieldPath(let value) = content { value } else { wrong("a field path") }
  }
  public var fieldType: FieldType {
    if case .fieldType(let value) = content { value } else { wrong("a field type") }
  }
  public var list: [OptionValue] {
    if case .list(let value) = content { value } else { wrong("a list") }
  }
  public var map: [OptionEntry] {
    if case .map(let value) = content { value } else { wrong("a map") }
  }
  public var object: Options {
    if case .object(let value) = content { value } else { wrong("an object") }
  }

  private func wrong(_ asked: String) -> Never {
    preconditionFailure("the manual does not declare \(asked) at \(node.pointer)")
  }
}
