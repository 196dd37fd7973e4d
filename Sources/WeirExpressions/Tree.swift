import WeirData

/// A checked expression: every name is found, every part has a type, constant parts are values.
///
/// Nodes lie in one array, each after its operands.
final class Tree: @unchecked Sendable {  // written only while the checker fills it
  typealias Index = Int

  struct Element: Sendable {
    var value: Index
    var isOptional: Bool
  }
  struct Entry: Sendable {
    var key: Index
    var value: Index
    var isOptional: Bool
  }

  /// A macro over a list or a map. The variables are in the slots `first` and `second`.
  struct Loop: Sendable {
    enum Kind: Sendable { case all, exists, existsOne, list, map, entries }
    var kind: Kind
    var range: Index
    var first: Int
    /// Two variables: index and element of a list, key and value of a map.
    var second: Int?
    /// What must hold; of `list`, `map` and `entries` where it is given.
    var condition: Index?
    /// What becomes of an element, of `list`, `map` and `entries`; else the element itself.
    var result: Index?
  }

  enum Kind: Sendable {
    case constant(Value)
    /// It always fails, with this number.
    case failure(UInt32)
    /// A field of the record: an index into ``fields``.
    case field(Int)
    /// A variable of a macro.
    case variable(Int)
    /// `has(field)`: present and not null.
    case isPresent(Index)
    case select(Index, [UInt8], isOptional: Bool)
    /// `has(e.f)` inside a value.
    case hasKey(Index, [UInt8])
    case index(Index, Index, isOptional: Bool)
    case list([Element])
    case map([Entry])
    case not(Index)
    case negate(Index)
    case all([Index])
    case any([Index])
    case binary(Syntax.Binary, Index, Index)
    case conditional(Index, Index, Index)
    case call(Function, [Index])
    case loop(Loop)
    /// `cel.bind`: the variable in a slot, for the second part.
    case bind(slot: Int, Index, Index)
    /// `optMap` and `optFlatMap`: the variable is what the optional holds.
    case withValue(slot: Int, Index, Index, isFlat: Bool)
    /// `a.or(b)`, and `a.orValue(b)`.
    case orElse(Index, Index, isValue: Bool)
  }

  struct Node: Sendable {
    var kind: Kind
    var type: ValueType
    var span: SourceSpan
    /// As it was written, also where the node became a constant.
    var operands: [Index]
    /// Whether it depends on a field.
    var usesFields: Bool
    /// One bit a slot: the variables that it depends on and does not bring itself.
    var variables: UInt64
    /// Whether columns compute it: its operators are those of cells.
    var isFlat = false

    /// Whether its value is always the same.
    var isClosed: Bool { !usesFields && variables == 0 }
  }

  let source: Syntax
  /// The fields that are named, each once.
  private(set) var fields: [ExpressionScope.Field] = []
  private(set) var nodes: [Node] = []
  var root: Index = 0
  /// Constant patterns and zones, by the node of the call.
  var patterns: [Index: Pattern] = [:]
  var zones: [Index: Zone] = [:]
  /// No two variables that can be seen at once share a slot.
  static let slots = 64

  init(source: Syntax) { self.source = source }

  subscript(_ index: Index) -> Node { nodes[index] }

  func append(_ kind: Kind, _ type: ValueType, _ span: SourceSpan) -> Index {
    var node = Node(
      kind: kind, type: type, span: span, operands: kind.operands, usesFields: false, variables: 0)
    for operand in node.operands {
      node.usesFields = node.usesFields || nodes[operand].usesFields
      node.variables |= nodes[operand].variables
    }
    switch kind {
    case .field: node.usesFields = true
    case .variable(let slot): node.variables = 1 << UInt64(slot)
    case .bind(let slot, let value, let body), .withValue(let slot, let value, let body, _):
      node.variables = nodes[value].variables | nodes[body].variables & ~(1 << UInt64(slot))
    case .loop(let loop):
      var own: UInt64 = 1 << UInt64(loop.first)
      if let second = loop.second { own |= 1 << UInt64(second) }
      node.variables = nodes[loop.range].variables
      for part in [loop.condition, loop.result].compactMap({ $0 }) {
        node.variables |= nodes[part].variables & ~own
      }
    default: break
    }
    nodes.append(node)
    settle(nodes.count - 1)
    return nodes.count - 1
  }

  func field(_ field: ExpressionScope.Field) -> Int {
    if let known = fields.firstIndex(where: { $0.column == field.column }) { return known }
    fields.append(field)
    return fields.count - 1
  }

  func become(_ index: Index, _ kind: Kind) {
    nodes[index].kind = kind
    switch kind {
    case .constant, .failure:
      nodes[index].usesFields = false
      nodes[index].variables = 0
    default: break
    }
    settle(index)
  }

  /// Says again whether columns compute a node, after something about it changed.
  func settle(_ index: Index) { nodes[index].isFlat = isFlat(index) }

  func constant(_ index: Index) -> Value? {
    guard case .constant(let value) = nodes[index].kind else { return nil }
    return value
  }
}

extension Tree.Kind {
  var operands: [Tree.Index] {
    switch self {
    case .constant, .failure, .field, .variable: []
    case .isPresent(let a), .select(let a, _, _), .hasKey(let a, _), .not(let a), .negate(let a):
      [a]
    case .index(let a, let b, _), .binary(_, let a, let b), .bind(_, let a, let b),
      .withValue(_, let a, let b, _), .orElse(let a, let b, _):
      [a, b]
    case .list(let elements): elements.map(\.value)
    case .map(let entries): entries.flatMap { [$0.key, $0.value] }
    case .all(let operands), .any(let operands), .call(_, let operands): operands
    case .conditional(let a, let b, let c): [a, b, c]
    case .loop(let loop): [loop.range] + [loop.condition, loop.result].compactMap { $0 }
    }
  }
}
