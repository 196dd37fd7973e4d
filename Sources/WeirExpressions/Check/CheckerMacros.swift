import WeirData

/// Macros: calls whose arguments are computed once for each element.
extension Checker {
  static let macros = [
    "all", "exists", "exists_one", "existsOne", "map", "filter", "transformList", "transformMap",
    "transformMapEntry", "bind", "optMap", "optFlatMap",
  ]

  /// `nil` where the call is no macro.
  mutating func macro(_ call: Call) throws(ExpressionError) -> Tree.Index? {
    guard let target = call.target else { return nil }
    let count = call.arguments.count
    switch (call.name, count) {
    case ("all", 2): return try loop(.all, target, call, variables: 1, hasResult: false)
    case ("all", 3): return try loop(.all, target, call, variables: 2, hasResult: false)
    case ("exists", 2): return try loop(.exists, target, call, variables: 1, hasResult: false)
    case ("exists", 3): return try loop(.exists, target, call, variables: 2, hasResult: false)
    case ("exists_one", 2), ("existsOne", 2):
      return try loop(.existsOne, target, call, variables: 1, hasResult: false)
    case ("exists_one", 3), ("existsOne", 3):
      return try loop(.existsOne, target, call, variables: 2, hasResult: false)
    case ("filter", 2): return try loop(.list, target, call, variables: 1, hasResult: false)
    case ("map", 2), ("map", 3):
      return try loop(.list, target, call, variables: 1, hasResult: true)
    case ("transformList", 3), ("transformList", 4):
      return try loop(.list, target, call, variables: 2, hasResult: true)
    case ("transformMap", 3), ("transformMap", 4):
      return try loop(.map, target, call, variables: 2, hasResult: true)
    case ("transformMapEntry", 3), ("transformMapEntry", 4):
      return try loop(.entries, target, call, variables: 2, hasResult: true)
    case ("bind", 3):
      guard case .name(let name, _) = syntax[target].kind, name.elementsEqual("cel".utf8) else {
        return nil
      }
      return try bind(call)
    case ("optMap", 2): return try withValue(target, call, isFlat: false)
    case ("optFlatMap", 2): return try withValue(target, call, isFlat: true)
    case ("all", _), ("exists", _), ("exists_one", _), ("existsOne", _):
      throw self.count(call, "a variable and a condition, or two variables and a condition")
    case ("filter", _): throw self.count(call, "a variable and a condition")
    case ("map", _): throw self.count(call, "a variable, a condition if wanted, and a value")
    case ("transformList", _), ("transformMap", _), ("transformMapEntry", _):
      throw self.count(call, "two variables, a condition if wanted, and a value")
    case ("optMap", _), ("optFlatMap", _): throw self.count(call, "a variable and a value")
    default: return nil
    }
  }

  // MARK: - Variables

  private func variableName(_ index: Syntax.Index) throws(ExpressionError) -> [UInt8] {
    guard case .name(let name, isAbsolute: false) = syntax[index].kind else {
      throw ExpressionError(
        .syntax, "`\(text(index))` is not the name of a variable", at: syntax[index].span,
        fix: "write a plain name: list.exists(x, x > 1)")
    }
    return name
  }

  /// A slot that no variable in sight has.
  private mutating func enter(
    _ index: Syntax.Index, _ type: ValueType
  ) throws(ExpressionError) -> Int {
    let slot = variables.count
    guard slot < Tree.slots else {
      throw ExpressionError(
        .limit, "more than \(Tree.slots) variables are in use at once", at: syntax[index].span,
        fix: "split it over several stages")
    }
    variables.append(Variable(name: try variableName(index), slot: slot, type: type))
    return slot
  }

  // MARK: - Loops

  private mutating func loop(
    _ kind: Tree.Loop.Kind, _ target: Syntax.Index, _ call: Call, variables count: Int,
    hasResult: Bool
  ) throws(ExpressionError) -> Tree.Index {
    let range = try value(target)
    let types = try elementTypes(of: range, target, count, call)
    let arguments = call.arguments
    if count == 2, try variableName(arguments[0]) == variableName(arguments[1]) {
      throw ExpressionError(
        .syntax, "both variables are named `\(text(arguments[0]))`",
        at: syntax[arguments[1]].span, fix: "give one of them another name")
    }
    let depth = variables.count
    defer { variables.removeLast(variables.count - depth) }
    var loop = Tree.Loop(kind: kind, range: range, first: try enter(arguments[0], types[0]))
    if count == 2 { loop.second = try enter(arguments[1], types[1]) }
    let rest = arguments[count...]
    if !hasResult || rest.count == 2 {
      loop.condition = try truth(rest[count], of: call.name)
    }
    if hasResult { loop.result = try value(arguments[arguments.count - 1]) }
    return try add(.loop(loop), try type(of: loop, types, arguments), call.span)
  }

  /// The types of the variables.
  private func elementTypes(
    of range: Tree.Index, _ target: Syntax.Index, _ count: Int, _ call: Call
  ) throws(ExpressionError) -> [ValueType] {
    switch type(range).base {
    case .list(let element):
      let element = ValueType(element == .open ? .any : element)
      return count == 1 ? [element] : [ValueType(.int), element]
    case .map(let key, let value):
      return [ValueType(key == .open ? .any : key), ValueType(value == .open ? .any : value)]
    case .any, .open: return [ValueType(.any), ValueType(.any)]
    default:
      throw ExpressionError(
        .type,
        "`\(call.name)` needs a list or a map, and `\(text(target))` is \(type(range).phrase)",
        at: span(range))
    }
  }

  private func type(
    of loop: Tree.Loop, _ types: [ValueType], _ arguments: [Syntax.Index]
  ) throws(ExpressionError) -> ValueType {
    switch loop.kind {
    case .all, .exists, .existsOne: return ValueType(.bool)
    case .list:
      guard let result = loop.result else { return ValueType(.list(types[0].base)) }
      return ValueType(.list(type(result).base))
    case .map:
      let value = loop.result.map { type($0).base } ?? .any
      let key: ValueType.Base =
        if case .list = type(loop.range).base { .int } else { types[0].base }
      return ValueType(.map(key, value))
    case .entries:
      guard let result = loop.result else { return ValueType(.any) }
      switch type(result).base {
      case .map: return ValueType(type(result).base)
      case .any, .open: return ValueType(.any)
      default:
        let last = arguments[arguments.count - 1]
        throw ExpressionError(
          .type,
          "`transformMapEntry` needs a map, and `\(text(last))` is \(type(result).phrase)",
          at: span(result), fix: "write {key: value}")
      }
    }
  }

  // MARK: - Bindings

  private mutating func bind(_ call: Call) throws(ExpressionError) -> Tree.Index {
    let bound = try value(call.arguments[1])
    let depth = variables.count
    defer { variables.removeLast(variables.count - depth) }
    let slot = try enter(call.arguments[0], type(bound))
    let body = try value(call.arguments[2])
    return try add(.bind(slot: slot, bound, body), type(body), call.span)
  }

  private mutating func withValue(
    _ target: Syntax.Index, _ call: Call, isFlat: Bool
  ) throws(ExpressionError) -> Tree.Index {
    let held = try value(target)
    let inner: ValueType.Base
    switch type(held).base {
    case .optional(let base): inner = base == .open ? .any : base
    case .any, .open: inner = .any
    default:
      throw ExpressionError(
        .type, "`\(call.name)` needs an optional, and `\(text(target))` is \(type(held).phrase)",
        at: span(held), fix: "an optional is made with `.?` or `[?...]`")
    }
    let depth = variables.count
    defer { variables.removeLast(variables.count - depth) }
    let slot = try enter(call.arguments[0], ValueType(inner))
    let body = try value(call.arguments[1])
    let result = isFlat ? try inside(body) : type(body).base
    return try add(
      .withValue(slot: slot, held, body, isFlat: isFlat), ValueType(.optional(result)), call.span)
  }
}
