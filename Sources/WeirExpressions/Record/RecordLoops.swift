/// The macros over lists and maps.
extension RecordEvaluator {
  func run(_ loop: Tree.Loop, _ index: Tree.Index) throws(Failed) -> Value {
    let range = try value(loop.range)
    let count: Int
    switch range {
    case .list(let elements): count = elements.count
    case .map(let map): count = map.count
    case .null: throw fail(.leftNull, index)
    default: throw fail(.wrongType, index)
    }
    switch loop.kind {
    case .all: return .bool(try all(loop, range, count, decides: false, index))
    case .exists: return .bool(try all(loop, range, count, decides: true, index))
    case .existsOne:
      var found = 0
      for at in 0..<count {
        try enter(loop, range, at, index)
        if try holds(loop) { found += 1 }
      }
      return .bool(found == 1)
    case .list: return try list(loop, range, count, index)
    case .map, .entries: return try map(loop, range, count, index)
    }
  }

  /// Gives the variables their values for one element.
  private func enter(
    _ loop: Tree.Loop, _ range: Value, _ at: Int, _ index: Tree.Index
  ) throws(Failed) {
    try spend(1, index)
    switch range {
    case .list(let elements):
      if let second = loop.second {
        set(loop.first, .int(Int64(at)))
        set(second, elements[at])
      } else {
        set(loop.first, elements[at])
      }
    case .map(let map):
      set(loop.first, map.entries[at].key)
      if let second = loop.second { set(second, map.entries[at].value) }
    default: break
    }
  }

  private func holds(_ loop: Tree.Loop) throws(Failed) -> Bool {
    guard let condition = loop.condition else { return true }
    return try truth(condition)
  }

  /// `exists` (true decides) and `all` (false decides): an element that fails counts only where no
  /// other decides.
  private func all(
    _ loop: Tree.Loop, _ range: Value, _ count: Int, decides: Bool, _ index: Tree.Index
  ) throws(Failed) -> Bool {
    var failure: Failed?
    for at in 0..<count {
      try enter(loop, range, at, index)
      do throws(Failed) {
        if try holds(loop) == decides { return decides }
      } catch {
        if error.number & 63 == FailureKind.budget.rawValue { throw error }
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
    return !decides
  }

  private func list(
    _ loop: Tree.Loop, _ range: Value, _ count: Int, _ index: Tree.Index
  ) throws(Failed) -> Value {
    var made: [Value] = []
    for at in 0..<count {
      try enter(loop, range, at, index)
      guard try holds(loop) else { continue }
      if let result = loop.result {
        made.append(try value(result))
      } else if case .list(let elements) = range {
        made.append(elements[at])
      } else if case .map(let map) = range {
        made.append(map.entries[at].key)
      }
    }
    return .list(made)
  }

  private func map(
    _ loop: Tree.Loop, _ range: Value, _ count: Int, _ index: Tree.Index
  ) throws(Failed) -> Value {
    var made = MapValue()
    for at in 0..<count {
      try enter(loop, range, at, index)
      guard try holds(loop), let result = loop.result else { continue }
      let value = try value(result)
      if loop.kind == .entries {
        guard case .map(let entries) = value else { throw fail(.wrongType, index) }
        for entry in entries.entries { try insert(entry.key, entry.value, into: &made, index) }
      } else if case .map(let map) = range {
        try insert(map.entries[at].key, value, into: &made, index)
      } else {
        try insert(.int(Int64(at)), value, into: &made, index)
      }
    }
    return .map(made)
  }
}
