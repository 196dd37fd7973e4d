import WeirData

/// What is said of a field that does not reach a stage.
extension PlanAdvice {
  /// Where another stage makes the field, says which one; where a stage above took it out, which.
  func pointToFields(_ problems: inout Problems) {
    problems.mend { problem in
      guard let field = problem.missingField else { return nil }
      let maker = spec.stages.firstIndex { stage in
        (stage.stage as? any MapStage)?.newFields.contains { same($0, field) } ?? false
      }
      if let maker { return pointTo(maker, of: field, for: problem) }
      return losses.first { same($0.field, field) && problem.stagesAbove.contains($0.stage) }
        .map { pointTo($0, for: problem) }
    }
  }

  /// The stage that a problem stands in.
  private func reader(_ problem: SpecProblem) -> Int? {
    spec.stages.firstIndex { stage in
      stage.node.source === problem.source && stage.node.range.contains(problem.range.lowerBound)
    }
  }

  // MARK: Made elsewhere

  private func pointTo(_ maker: Int, of field: String, for problem: SpecProblem) -> String {
    let name = spec.stages[maker].name
    guard let reader = reader(problem) else { return "`\(name)` makes it: read that stage" }
    let type = spec.stages[reader].type
    let isExpression = same(problem.code, "bad_expression")
    let inPlace =
      isExpression
      ? definition(of: field, in: maker).map { "write `\($0)` in the place of `\(field)`" } : nil
    if reader == maker {
      var entry = "what reads it"
      if case .key(_, let key) = problem.pointer { entry = quoted(key) }
      let next = readers(of: maker)
      let elsewhere =
        "move \(entry) to another \(type) that reads `\(name)`"
        + (next.isEmpty ? "" : ", and let \(named(next)) read that one")
      return "this stage makes `\(field)` itself, and only stages behind it have it: "
        + [inPlace, elsewhere].compactMap { $0 }.joined(separator: "; or ")
    }
    guard reads(maker, reader) else {
      return "`\(name)` makes it: write \(quoted(name)) under \"inputs\", or a stage that reads it"
    }
    // A stage whose own fields are needed above cannot go behind.
    let isFree = (spec.stages[reader].stage as? any MapStage)?.newFields.isEmpty ?? true
    // Behind a filter a barrier would not see all revisions.
    let order =
      spec.stages[reader].kind == .barrier
      ? putInFront(maker, of: reader) : isFree ? putBehind(reader, maker) : nil
    let out = entryOut(of: reader, problem, field)
    let ways = [
      inPlace, out, order.map { out == nil ? $0 : "to keep it here, \($0)" },
    ].compactMap { $0 }
    return "`\(name)` makes it, and comes after this stage: "
      + (ways.isEmpty
        ? "use it in a \(type) that reads `\(name)`" : ways.joined(separator: "; or "))
  }

  /// The expression of a field that a stage makes, as it can stand in another one.
  private func definition(of field: String, in maker: Int) -> String? {
    let options = type(of: spec.stages[maker].stage).manual.options
    guard case .map(.expression)? = options.first(where: { same($0.name, "fields") })?.type,
      let text = spec.stages[maker].node.member("fields")?.value.member(field)?.value.string,
      text.utf8.count <= 120,
      text.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
    else { return nil }
    return text.utf8.contains(0x20) ? "(\(text))" : text
  }

  /// To take a field out of a list that keeps others.
  private func entryOut(of stage: Int, _ problem: SpecProblem, _ field: String) -> String? {
    guard case .index(.key(_, let option), _) = problem.pointer,
      let list = spec.stages[stage].node.member(option)?.value.array, list.count > 1
    else { return nil }
    return "take `\(field)` out of \(quoted(option))"
  }

  /// Whether what leaves `producer` comes to `stage`.
  private func reads(_ stage: Int, _ producer: Int) -> Bool {
    var seen: Set<Int> = []
    var rest = [stage]
    while let at = rest.popLast() {
      for input in spec.stages[at].inputs where seen.insert(input.stage).inserted {
        if input.stage == producer { return true }
        rest.append(input.stage)
      }
    }
    return false
  }

  // MARK: Taken out above

  private func pointTo(_ loss: Loss, for problem: SpecProblem) -> String {
    let name = spec.stages[loss.stage].name
    if let newName = loss.newName {
      return same(problem.code, "bad_expression")
        ? "write `\(newName)`: `\(name)` gives `\(loss.field)` that name"
        : "write \(quoted(newName)): `\(name)` gives `\(loss.field)` that name"
    }
    let next = readers(of: loss.stage)
    guard let reader = reader(problem), next == [reader] else {
      return "`\(name)` takes it out: \(keep(loss)); or read a stage in front of `\(name)`"
    }
    guard let earlier = putBehind(loss.stage, reader) else {
      return "`\(name)` takes it out: \(keep(loss))"
    }
    return "`\(name)` takes it out: \(earlier); or, if the field is to stay, \(keep(loss))"
  }

  /// How a stage comes to keep a field that it takes out.
  private func keep(_ loss: Loss) -> String {
    let stage = spec.stages[loss.stage]
    guard let list = stage.node.member("fields")?.value.array else { return "keep it there" }
    let field = quoted(loss.field)
    guard list.contains(where: { same($0.string ?? "", loss.field) }) else {
      return "add \(field) to \"fields\" of `\(stage.name)`"
    }
    return list.count > 1
      ? "take \(field) out of \"fields\" of `\(stage.name)`"
      : "remove `\(stage.name)`, and let \(named(readers(of: loss.stage))) read \(inputs(of: loss.stage))"
  }
}
