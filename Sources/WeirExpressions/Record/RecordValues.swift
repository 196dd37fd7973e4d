/// Operators on whole values: selecting, building, comparing.
extension RecordEvaluator {
  // MARK: - Selecting

  /// `target.key` and `target[key]`, of optionals too: what is looked for in an empty one is not there.
  func select(
    _ target: Value, _ key: Value, isOptional: Bool, _ index: Tree.Index
  ) throws(Failed) -> Value {
    if case .optional(let held) = target {
      guard let held else { return .optional(nil) }
      return .optional(try element(of: held, key, index))
    }
    let found = try element(of: target, key, index)
    if isOptional { return .optional(found) }
    guard let found else {
      if case .list = target { throw fail(.noSuchIndex, index) }
      throw fail(.noSuchKey, index)
    }
    return found
  }

  /// `nil` where there is no such element; a failure where there never can be.
  private func element(
    of target: Value, _ key: Value, _ index: Tree.Index
  ) throws(Failed) -> Value? {
    switch target {
    case .map(let map):
      switch MapKey.sought(key) {
      case .key(let key): return map[key]
      case .nothing: return nil
      case .never: throw fail(.notAKey, index)
      }
    case .list(let elements):
      let place: Int64
      switch key {
      case .int(let v): place = v
      case .uint(let v) where v <= UInt64(Int64.max): place = Int64(v)
      case .uint: return nil
      case .number(let v):
        guard let whole = Int64(exactly: v) else { throw fail(.noSuchIndex, index) }
        place = whole
      default: throw fail(.wrongType, index)
      }
      return place >= 0 && place < Int64(elements.count) ? elements[Int(place)] : nil
    case .null: throw fail(.leftNull, index)
    default: throw fail(.wrongType, index)
    }
  }

  func hasKey(_ target: Value, _ name: [UInt8], _ index: Tree.Index) throws(Failed) -> Bool {
    switch target {
    case .map(let map): return map[.string(name)] != nil
    case .optional(let held):
      guard let held else { return false }
      return try hasKey(held, name, index)
    case .null: throw fail(.leftNull, index)
    default: throw fail(.wrongType, index)
    }
  }

  // MARK: - Building

  func list(_ elements: [Tree.Element], _ index: Tree.Index) throws(Failed) -> Value {
    var values: [Value] = []
    values.reserveCapacity(elements.count)
    for element in elements {
      let value = try value(element.value)
      guard element.isOptional else {
        values.append(value)
        continue
      }
      guard case .optional(let held) = value else { throw fail(.wrongType, index) }
      if let held { values.append(held) }
    }
    return .list(values)
  }

  func map(_ entries: [Tree.Entry], _ index: Tree.Index) throws(Failed) -> Value {
    var map = MapValue()
    for entry in entries {
      let key = try value(entry.key)
      var value = try value(entry.value)
      if entry.isOptional {
        guard case .optional(let held) = value else { throw fail(.wrongType, index) }
        guard let held else { continue }
        value = held
      }
      try insert(key, value, into: &map, index)
    }
    return .map(map)
  }

  func insert(
    _ key: Value, _ value: Value, into map: inout MapValue, _ index: Tree.Index
  ) throws(Failed) {
    guard let place = MapKey(key) else { throw fail(.notAKey, index) }
    guard map.insert(place, written: key, value) else { throw fail(.repeatedKey, index) }
  }

  // MARK: - Binary operators

  func binary(
    _ operation: Syntax.Binary, _ a: Value, _ b: Value, _ index: Tree.Index
  ) throws(Failed) -> Value {
    switch operation {
    case .equal: return .bool(try equal(a, b, index))
    case .notEqual: return .bool(!(try equal(a, b, index)))
    case .isIn: return .bool(try isIn(a, b, index))
    case .less, .lessOrEqual, .greater, .greaterOrEqual:
      return try computed(index, [a, b]) { () throws(FailureKind) in
        .bool(try ValueOrder.holds(operation, a, b))
      }
    case .add, .subtract, .multiply, .divide, .remainder:
      try spendOnAdding(a, b, index)
      return try computed(index, [a, b]) { () throws(FailureKind) in
        try ValueArithmetic.apply(operation, a, b)
      }
    }
  }

  private func spendOnAdding(_ a: Value, _ b: Value, _ index: Tree.Index) throws(Failed) {
    switch (a, b) {
    case (.string(let x), .string(let y)), (.bytes(let x), .bytes(let y)):
      try spend((x.count + y.count) / 64, index)
    case (.list(let x), .list(let y)): try spend(x.count + y.count, index)
    default: break
    }
  }

  /// `==`. Values of unlike types are unequal; numbers compare by value whatever their type.
  func equal(_ a: Value, _ b: Value, _ index: Tree.Index) throws(Failed) -> Bool {
    switch (a, b) {
    case (.string(let x), .string(let y)), (.bytes(let x), .bytes(let y)):
      if x.count >= 64, x.count == y.count { try spend(x.count / 64, index) }
      return x == y
    case (.list(let x), .list(let y)):
      guard x.count == y.count else { return false }
      for (p, q) in zip(x, y) {
        try spend(1, index)
        if !(try equal(p, q, index)) { return false }
      }
      return true
    case (.map(let x), .map(let y)):
      guard x.count == y.count else { return false }
      for entry in x.entries {
        try spend(1, index)
        guard let key = MapKey(entry.key), let other = y[key],
          try equal(entry.value, other, index)
        else { return false }
      }
      return true
    case (.optional(let x), .optional(let y)):
      guard let x, let y else { return x == nil && y == nil }
      return try equal(x, y, index)
    default: return ValueOrder.sameScalar(a, b)
    }
  }

  private func isIn(_ a: Value, _ b: Value, _ index: Tree.Index) throws(Failed) -> Bool {
    switch b {
    case .list(let elements):
      for element in elements {
        try spend(1, index)
        if try equal(a, element, index) { return true }
      }
      return false
    case .map(let map):
      switch MapKey.sought(a) {
      case .key(let key): return map[key] != nil
      case .nothing: return false
      case .never: throw fail(.notAKey, index)
      }
    case .null: throw fail(.rightNull, index)
    default: throw fail(.wrongType, index)
    }
  }
}

extension MapKey {
  /// What a value looks for in a map.
  enum Sought {
    case key(MapKey)
    /// A double that is not whole: no map has it.
    case nothing
    /// A value of its type never is a key.
    case never
  }

  static func sought(_ value: Value) -> Sought {
    guard case .number(let number) = value else {
      return MapKey(value).map { .key($0) } ?? .never
    }
    if let whole = Int64(exactly: number) { return .key(.int(whole)) }
    if let whole = UInt64(exactly: number) { return .key(.big(whole)) }
    return .nothing
  }
}
