/// What a text may grow to before it is refused.
public struct SpecLimits: Sendable {
  public var bytes: Int
  public var depth: Int

  public init(bytes: Int = 1 << 20, depth: Int = 64) {
    self.bytes = bytes
    self.depth = depth
  }
}

/// Reads JSON (RFC 8259) into nodes that know their place; for specs and map files.
public enum SpecJSON {
  /// The value, or `nil` where the text could not be read to its end. A value can come with
  /// errors: mistakes whose meaning is plain are read as they were meant.
  public static func parse(
    _ source: SpecSource, limits: SpecLimits = SpecLimits(), problems: inout Problems
  ) -> SpecNode? {
    var parser = SpecParser(source, limits)
    let node = parser.parse()
    parser.scanner.reportComments()
    problems.add(contentsOf: parser.scanner.problems)
    return parser.scanner.stopped ? nil : node
  }
}
