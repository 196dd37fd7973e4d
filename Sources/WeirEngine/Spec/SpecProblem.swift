import WeirData

/// One thing that is wrong with a spec, and what to do about it.
public struct SpecProblem: Sendable {
  public enum Severity: String, Sendable { case error, warning }

  /// Another place that belongs to the problem, as the first of two equal keys.
  public struct Related: Sendable {
    public var message: String
    public var source: SpecSource
    /// A byte of `source`.
    public var offset: Int
    /// It is a step of the way by which a fragment was included.
    let isInclude: Bool

    public init(_ message: String, source: SpecSource, offset: Int) {
      self.init(message, source: source, offset: offset, isInclude: false)
    }

    init(_ message: String, source: SpecSource, offset: Int, isInclude: Bool) {
      self.message = message
      self.isInclude = isInclude
      self.source = source
      self.offset = offset
    }

    public init(_ message: String, at node: SpecNode) {
      self.init(message, source: node.source, offset: node.range.lowerBound)
    }

    public var file: String { source.name }
    /// From 1.
    public var line: Int { source.place(of: offset).line }
    /// From 1, in Unicode scalars.
    public var column: Int { source.place(of: offset).column }
  }

  /// Stable, `snake_case`; scripts may depend on it.
  public var code: String
  public var severity: Severity
  public var source: SpecSource
  /// Bytes of `source`.
  public var range: Range<Int>
  /// Of the value.
  public var pointer: SpecPointer
  public var message: String
  /// What would have been right.
  public var expected: String?
  /// What to type, without the words "try".
  public var fix: String?
  public var related: [Related]
  /// Nothing is wrong with the spec itself: something could not be read now and may be later.
  public var isTransient = false

  /// The field that no stage provides, if that is what is wrong.
  var missingField: String?
  /// The stages that records came through to the one that looks for the field, by their place in the
  /// checked spec.
  var stagesAbove: [Int] = []

  /// The type of the stage that a key without a value stands in.
  var stageType: String?

  /// Its message says which letter only looks like another.
  var isLookalikeNamed = false

  /// A letter in the marked name that only looks like the right one, where the name is not known.
  var lookalike: Lookalike? {
    guard code.utf8.starts(with: "unknown_".utf8), range.count <= 200,
      range.upperBound <= source.bytes.count
    else { return nil }
    let text = String(decoding: source.bytes[range], as: UTF8.self)
    return Lookalike.replaced(in: text) == nil ? nil : Lookalike(in: text)
  }

  public var file: String { source.name }
  /// From 1.
  public var line: Int { source.place(of: range.lowerBound).line }
  /// From 1, in Unicode scalars.
  public var column: Int { source.place(of: range.lowerBound).column }
}
