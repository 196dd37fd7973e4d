/// Why an expression was refused before any record was read.
public struct ExpressionError: Error, Sendable, Hashable {
  /// What sort of mistake it is; the raw values are stable and may be shown.
  public enum Code: String, Sendable, CaseIterable {
    /// The text does not follow CEL's grammar.
    case syntax = "expression_syntax"
    /// Longer, deeper or with more parts than Weir takes.
    case limit = "expression_limit"
    /// CEL has it, this version of Weir does not.
    case unavailable = "not_implemented"
    /// A name that is not a declared field.
    case unknownField = "unknown_field"
    /// A `params.` name that is not a declared parameter.
    case unknownParameter = "unknown_parameter"
    /// A function that CEL does not have.
    case unknownFunction = "unknown_function"
    /// An operator or function that is not defined for the types it is given.
    case type = "expression_type"
    /// Its value does not depend on any record, and is an error.
    case alwaysFails = "expression_always_fails"
    /// It was computed for one record, and has no value there.
    case failed = "expression_error"
  }
  public var code: Code
  /// One sentence without a full stop.
  public var message: String
  /// 1-based, in UTF-8 bytes of the expression's source; one past the end where something is
  /// missing there.
  public var column: Int
  /// In bytes of the source; 0 where something is missing.
  public var length: Int
  /// What to write instead, where that can be said.
  public var fix: String?
  /// A name of which a known one is near; then the fix is that.
  public var isMisspelling = false

  public init(
    _ code: Code, _ message: String, column: Int, length: Int, fix: String? = nil
  ) {
    self.code = code
    self.message = message
    self.column = column
    self.length = length
    self.fix = fix
  }

  init(_ code: Code, _ message: String, at span: SourceSpan, fix: String? = nil) {
    self.init(code, message, column: span.start + 1, length: span.length, fix: fix)
  }
}

extension ExpressionError: CustomStringConvertible {
  public var description: String {
    "column \(column): \(message)" + (fix.map { "; try: \($0)" } ?? "")
  }
}

/// A run of bytes of the source.
struct SourceSpan: Sendable, Hashable {
  /// 0-based.
  var start: Int
  var end: Int

  var length: Int { end - start }

  func joined(_ other: SourceSpan) -> SourceSpan {
    SourceSpan(start: min(start, other.start), end: max(end, other.end))
  }
}

/// What an expression may cost. Far above what people write, far below what hurts.
enum ExpressionLimits {
  /// Bytes of source.
  static let sourceBytes = 8 * 1024
  /// Parentheses, operands and calls inside each other.
  static let nesting = 128
  /// Nodes of the syntax tree.
  static let nodes = 10_000
  /// Bytes of a string that an expression makes.
  static let stringBytes = 16 * 1024 * 1024
  /// What one record may cost, and all constant parts together: one for every part that is computed
  /// and every element that is gone over, and one for every 64 bytes of text.
  static let steps = 1_000_000
  /// Levels of a JSON value that an expression looks into.
  static let jsonDepth = 128
  /// Bytes of a regular expression.
  static let patternBytes = 4 * 1024
  /// Bytes that a regular expression may take, compiled and while it runs.
  static let patternMemory: Int64 = 2 << 20
  /// Constant regular expressions in one expression.
  static let patterns = 50
}
