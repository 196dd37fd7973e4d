import WeirData

/// Names: variables of macros, fields, parameters, types; and what is selected from values.
extension Checker {
  // MARK: - Parameters

  /// `x` of `params.x`.
  func parameterName(_ index: Syntax.Index) -> ([UInt8], SourceSpan)? {
    guard case .select(let inner, let name, isOptional: false) = syntax[index].kind,
      case .name(let root, _) = syntax[inner].kind, root.elementsEqual("params".utf8),
      variable(root) == nil
    else { return nil }
    return (name, syntax[index].span)
  }

  mutating func parameter(
    _ name: [UInt8], _ span: SourceSpan
  ) throws(ExpressionError) -> Tree.Index {
    let key = String(decoding: name, as: UTF8.self)
    guard let value = scope.params.first(where: { $0.key.utf8.elementsEqual(name) })?.value else {
      let names = scope.params.keys.map { Array($0.utf8) }.sorted {
        $0.lexicographicallyPrecedes($1)
      }
      let fix = Suggestions.fix(for: name, among: names, prefix: "params.")
      throw ExpressionError(
        .unknownParameter, "there is no parameter `\(key)`", at: span,
        fix: fix ?? (names.isEmpty ? "declare it under \"params\"" : nil))
    }
    let constant = Value(value)
    return try add(constant, ValueType(constant.staticType), span)
  }

  // MARK: - Names

  func variable(_ name: [UInt8]) -> Variable? { variables.last { $0.name == name } }

  /// A variable, a field, a type, or something selected from one of them or from any other value.
  mutating func named(_ index: Syntax.Index) throws(ExpressionError) -> Tree.Index {
    let span = syntax[index].span
    guard let names = names(index) else {
      guard case .select(let inner, let name, let isOptional) = syntax[index].kind else {
        throw ExpressionError(.syntax, "`\(text(index))` is not a field", at: span)
      }
      return try select(try value(inner), name, isOptional: isOptional, span)
    }
    let spans = spans(index)
    var node: Tree.Index
    var taken = 1
    if !isAbsolute(index), let variable = variable(names[0]) {
      node = try add(.variable(variable.slot), variable.type, spans[0])
    } else if let field = scope.longestField(names[...]) {
      taken = field.path.components.count
      let place = tree.field(field)
      node = try add(.field(place), ValueType(field.type), spans[taken - 1])
    } else if let type = Checker.typeName(names) {
      return try add(.type(type), ValueType(.type), span)
    } else {
      throw unknownField(names, span)
    }
    for at in taken..<names.count {
      node = try select(node, names[at], isOptional: false, spans[at])
    }
    return node
  }

  /// The names of `a.b.c`, outermost first; `nil` where something else than names is selected
  /// from.
  func names(_ index: Syntax.Index) -> [[UInt8]]? {
    var names: [[UInt8]] = []
    var at = index
    while true {
      switch syntax[at].kind {
      case .name(let name, _):
        names.append(name)
        return names.reversed()
      case .select(let inner, let name, isOptional: false):
        names.append(name)
        at = inner
      default: return nil
      }
    }
  }

  /// Of `a.b.c`, the places of `a`, `a.b` and `a.b.c`.
  private func spans(_ index: Syntax.Index) -> [SourceSpan] {
    var spans = [syntax[index].span]
    var at = index
    while case .select(let inner, _, _) = syntax[at].kind {
      spans.append(syntax[inner].span)
      at = inner
    }
    return spans.reversed()
  }

  private func isAbsolute(_ index: Syntax.Index) -> Bool {
    switch syntax[index].kind {
    case .name(_, let isAbsolute): isAbsolute
    case .select(let inner, _, _): isAbsolute(inner)
    default: false
    }
  }

  /// A type as a value: `int` in `type(x) == int`.
  private static func typeName(_ names: [[UInt8]]) -> TypeName? {
    let written = names.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
    return TypeName.allCases.first { $0.rawValue.utf8.elementsEqual(written.utf8) }
  }

  // MARK: - Inside values

  /// `a.b` and `a.?b`.
  mutating func select(
    _ target: Tree.Index, _ name: [UInt8], isOptional: Bool, _ span: SourceSpan
  ) throws(ExpressionError) -> Tree.Index {
    let result = try fieldType(of: target, span)
    return try add(
      .select(target, name, isOptional: isOptional), optional(result, isOptional), span)
  }

  private func fieldType(
    of target: Tree.Index, _ span: SourceSpan
  ) throws(ExpressionError) -> ValueType.Base {
    switch type(target).base {
    case .any, .open: return .any
    case .map(_, let value): return value
    case .optional(.any), .optional(.open): return .optional(.any)
    case .optional(.map(_, let value)): return .optional(value)
    default:
      throw ExpressionError(
        .type,
        "`\(syntax.text(self.span(target)))` is \(type(target).phrase) and has no fields",
        at: span)
    }
  }

  private func optional(_ base: ValueType.Base, _ isOptional: Bool) -> ValueType {
    guard isOptional else { return ValueType(base) }
    if case .optional = base { return ValueType(base) }
    return ValueType(.optional(base))
  }

  /// `a[b]` and `a[?b]`.
  mutating func index(
    _ target: Syntax.Index, _ key: Syntax.Index, isOptional: Bool, _ span: SourceSpan
  ) throws(ExpressionError) -> Tree.Index {
    let target = try value(target)
    let place = try value(key)
    let result = try elementType(of: type(target).base, target, place, text(key))
    return try add(
      .index(target, place, isOptional: isOptional), optional(result, isOptional), span)
  }

  private func elementType(
    of base: ValueType.Base, _ target: Tree.Index, _ place: Tree.Index, _ key: String
  ) throws(ExpressionError) -> ValueType.Base {
    switch base {
    case .any, .open: return .any
    case .list(let element):
      guard type(place).isAny || type(place).base == .int else {
        throw ExpressionError(
          .type, "a list has ints as indexes, and `\(key)` is \(type(place).phrase)",
          at: span(place))
      }
      return element == .open ? .any : element
    case .map(let wanted, let value):
      guard wanted.isComparable(to: type(place).base) else {
        throw ExpressionError(
          .type,
          "the keys of `\(syntax.text(span(target)))` are \(wanted.plural), and `\(key)` is "
            + "\(type(place).phrase)", at: span(place))
      }
      return value == .open ? .any : value
    case .optional(let inner):
      return .optional(try elementType(of: inner, target, place, key))
    default:
      throw ExpressionError(
        .type,
        "`[...]` needs a list or a map, and `\(syntax.text(span(target)))` is "
          + "\(type(target).phrase)", at: span(target),
        fix: base == .string ? "write .charAt(...) for a character of a text" : nil)
    }
  }

  /// `has(field)`: present and not null. CEL wants a selection there; a record's own fields are
  /// selections of Weir's. `has(e.f)` of a map: whether the key is there.
  mutating func has(_ call: Call) throws(ExpressionError) -> Tree.Index {
    let argument = try single(call)
    switch syntax[argument].kind {
    case .name, .select: break
    default:
      throw ExpressionError(
        .type, "`has` takes a field, and `\(text(argument))` is none", at: syntax[argument].span,
        fix: hasFix(argument))
    }
    if parameterName(argument) != nil {
      throw ExpressionError(
        .type, "`has` takes a field; parameters are always there", at: syntax[argument].span)
    }
    if let names = names(argument), isAbsolute(argument) || variable(names[0]) == nil,
      let field = scope.longestField(names[...]), field.path.components.count == names.count
    {
      return try add(.isPresent(try named(argument)), ValueType(.bool), call.span)
    }
    guard case .select(let inner, let name, let isOptional) = syntax[argument].kind else {
      // A name that is no field; a variable is no selection.
      if case .name(let name, _) = syntax[argument].kind, variable(name) == nil {
        throw unknownField([name], syntax[argument].span)
      }
      throw ExpressionError(
        .type, "`has` takes a field, and `\(text(argument))` is a variable",
        at: syntax[argument].span)
    }
    let target: Tree.Index
    if let names = names(argument), isAbsolute(argument) || variable(names[0]) == nil,
      scope.longestField(names[...]) == nil
    {
      throw unknownField(names, syntax[argument].span)
    } else {
      target = try value(inner)
    }
    _ = try fieldType(of: target, syntax[argument].span)
    if isOptional {
      throw ExpressionError(
        .type, "`has` and `.?` ask the same", at: syntax[argument].span,
        fix: "write has(e.f), or e.?f.hasValue()")
    }
    return try add(.hasKey(target, name), ValueType(.bool), call.span)
  }

  // MARK: - Lists and maps

  mutating func list(
    _ elements: [Syntax.Element], _ span: SourceSpan
  ) throws(ExpressionError) -> Tree.Index {
    var made: [Tree.Element] = []
    var types: [ValueType.Base] = []
    for element in elements {
      let value = try value(element.value)
      types.append(try element.isOptional ? inside(value) : type(value).base)
      made.append(Tree.Element(value: value, isOptional: element.isOptional))
    }
    return try add(.list(made), ValueType(.list(.element(of: types))), span)
  }

  mutating func map(
    _ entries: [Syntax.Entry], _ span: SourceSpan
  ) throws(ExpressionError) -> Tree.Index {
    var made: [Tree.Entry] = []
    var keys: [ValueType.Base] = []
    var values: [ValueType.Base] = []
    for entry in entries {
      let key = try value(entry.key)
      switch type(key).base {
      case .any, .open, .bool, .int, .uint, .string: break
      default:
        throw ExpressionError(
          .type,
          "the key `\(text(entry.key))` is \(type(key).phrase): keys are strings, ints, uints "
            + "and bools", at: self.span(key))
      }
      let value = try value(entry.value)
      keys.append(type(key).base)
      values.append(try entry.isOptional ? inside(value) : type(value).base)
      made.append(Tree.Entry(key: key, value: value, isOptional: entry.isOptional))
    }
    return try add(
      .map(made), ValueType(.map(.element(of: keys), .element(of: values))), span)
  }

  /// What an optional holds.
  func inside(_ node: Tree.Index) throws(ExpressionError) -> ValueType.Base {
    switch type(node).base {
    case .optional(let inner): return inner
    case .any, .open: return .any
    default:
      throw ExpressionError(
        .type, "`?` needs an optional, and `\(syntax.text(span(node)))` is \(type(node).phrase)",
        at: span(node), fix: "write it without `?`")
    }
  }
}

extension Value {
  init(_ constant: ConstantValue) {
    switch constant {
    case .null: self = .null
    case .bool(let value): self = .bool(value)
    case .int(let value): self = .int(value)
    case .number(let value): self = .number(value)
    case .string(let bytes): self = .string(bytes)
    case .timestamp(let microseconds): self = .timestamp(Instant(microseconds: microseconds))
    case .list(let elements): self = .list(elements.map(Value.init))
    }
  }
}
