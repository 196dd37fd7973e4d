/// The value of a parameter for one run.
public enum ParamValue: Sendable {
  /// `string` and `enum`.
  case string(String)
  case int(Int)
  case number(Double)
  case bool(Bool)
  case date(SpecDate)
  case duration(SpecDuration)
  /// Absolute if it came from the command line, relative to the spec's file if from the spec.
  case path(String)

  /// The text that stands for it in strings, names of partitions and hashes.
  public var text: String {
    switch self {
    case .string(let value), .path(let value): value
    case .int(let value): String(value)
    case .number(let value): canonicalNumber(value)
    case .bool(let value): value ? "true" : "false"
    case .date(let value): value.description
    case .duration(let value): value.description
    }
  }
}

/// The declared parameters with their values, in the order of the spec.
public struct ResolvedParams: Sendable {
  public let values: [(name: String, value: ParamValue)]
  /// The names of those whose value a later run of the same spec would not have by itself: given by the
  /// command line or a file, or counted from the day of the run.
  public let given: [String]
  private let places: [[UInt8]: Int]

  /// Of several values with one name the first counts.
  public init(_ values: [(name: String, value: ParamValue)] = [], given: [String] = []) {
    self.values = values
    self.given = given
    places = Dictionary(
      values.enumerated().map { (Array($0.element.name.utf8), $0.offset) },
      uniquingKeysWith: { first, _ in first })
  }

  public subscript(name: String) -> ParamValue? {
    places[Array(name.utf8)].map { values[$0].value }
  }
}

/// The shortest text that reads back as the same double; whole numbers without a fraction.
public func canonicalNumber(_ value: Double) -> String {
  if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
  return "\(value)"
}
