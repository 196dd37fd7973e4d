/// An expression as it was written: the full grammar of CEL, nothing checked yet.
///
/// Nodes lie in one array and name each other by index, a node always after its children, so that
/// no depth of nesting can overflow a stack when a tree is freed.
struct Syntax: Sendable {
  typealias Index = Int

  enum Literal: Sendable, Equatable {
    case null
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    case double(Double)
    case string([UInt8])
    case bytes([UInt8])
  }

  enum Binary: String, Sendable, CaseIterable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case isIn = "in"
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case remainder = "%"
  }

  struct Element: Sendable {
    var value: Index
    /// `?x`
    var isOptional: Bool
  }
  struct Entry: Sendable {
    var key: Index
    var value: Index
    var isOptional: Bool
  }
  struct FieldEntry: Sendable {
    var name: [UInt8]
    var value: Index
    var isOptional: Bool
  }

  enum Kind: Sendable {
    case literal(Literal)
    /// `isAbsolute`: written with a dot in front.
    case name([UInt8], isAbsolute: Bool)
    /// `a.b`, or `a.?b`
    case select(Index, [UInt8], isOptional: Bool)
    /// `f(x)` or `target.f(x)`; macros are calls here.
    case call(target: Index?, name: [UInt8], nameSpan: SourceSpan, arguments: [Index])
    /// `a[b]`, or `a[?b]`
    case index(Index, Index, isOptional: Bool)
    case list([Element])
    case map([Entry])
    case message(name: String, [FieldEntry])
    case not(Index)
    case negate(Index)
    /// `a && b && c`: two operands or more.
    case all([Index])
    /// `a || b || c`
    case any([Index])
    case binary(Binary, Index, Index, operatorSpan: SourceSpan)
    case conditional(Index, Index, Index)
  }

  struct Node: Sendable {
    var kind: Kind
    var span: SourceSpan
    /// 1 for a leaf.
    var depth: Int
  }

  let source: [UInt8]
  private(set) var nodes: [Node] = []
  var root: Index = 0

  init(source: [UInt8]) { self.source = source }

  subscript(_ index: Index) -> Node { nodes[index] }

  mutating func add(
    _ kind: Kind, _ span: SourceSpan, over children: [Index] = []
  ) throws(ExpressionError) -> Index {
    var depth = 0
    for child in children { depth = max(depth, nodes[child].depth) }
    guard depth < ExpressionLimits.nesting else { throw Syntax.tooDeep(at: span) }
    guard nodes.count < ExpressionLimits.nodes else {
      throw ExpressionError(
        .limit, "the expression has more than \(ExpressionLimits.nodes) parts", at: span,
        fix: "split it over several stages")
    }
    nodes.append(Node(kind: kind, span: span, depth: depth + 1))
    return nodes.count - 1
  }

  /// Counts the parentheses around a node as part of it.
  mutating func widen(_ index: Index, to span: SourceSpan) { nodes[index].span = span }

  static func tooDeep(at span: SourceSpan) -> ExpressionError {
    ExpressionError(
      .limit, "the expression is nested more than \(ExpressionLimits.nesting) deep", at: span,
      fix: "split it over several stages")
  }

  /// The source text of a node, cut where it is long, for messages.
  func text(_ span: SourceSpan) -> String {
    let longest = 60
    if span.length <= longest {
      return String(decoding: source[span.start..<span.end], as: UTF8.self)
    }
    var end = span.start + longest
    while end > span.start, source[end] & 0xC0 == 0x80 { end -= 1 }
    return String(decoding: source[span.start..<end], as: UTF8.self) + "..."
  }
}
