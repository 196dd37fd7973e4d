import WeirData

/// What is said of mistakes that only the whole of a plan explains.
struct PlanAdvice {
  /// A field that a stage takes out, or gives another name.
  struct Loss {
    var field: String
    var stage: Int
    var newName: String?
  }

  let spec: CheckedSpec
  private(set) var losses: [Loss] = []

  init(_ spec: CheckedSpec) { self.spec = spec }

  mutating func noteLosses(of stage: Int, _ before: Scope, _ behind: Scope) {
    for field in before.fields where behind.field(field.path) == nil {
      let renamed = behind.fields.first { $0.column == field.column }
      losses.append(
        Loss(field: field.path.text, stage: stage, newName: renamed?.path.text))
    }
  }

  // MARK: Fields that are not there

  /// Of a field that does not reach a stage, but that another stage makes, says which one; of one that a
  /// stage above it took out, which.
  func pointToFields(_ problems: inout Problems) {
    problems.mend { problem in
      guard let field = problem.missingField else { return nil }
      let maker = spec.stages.firstIndex { stage in
        (stage.stage as? any MapStage)?.newFields.contains { same($0, field) } ?? false
      }
      if let maker { return pointTo(maker, of: field, for: problem) }
      return losses.first { same($0.field, field) && problem.stagesAbove.contains($0.stage) }
        .map { loss in
          let name = spec.stages[loss.stage].name
          return loss.newName.map { "write \($0): `\(name)` gives it that name" }
            ?? "`\(name)` takes it out: keep it there, or read a stage in front of that one"
        }
    }
  }

  private func pointTo(_ maker: Int, of field: String, for problem: SpecProblem) -> String {
    let name = spec.stages[maker].name
    let reader = spec.stages.firstIndex { stage in
      stage.node.source === problem.source && stage.node.range.contains(problem.range.lowerBound)
    }
    guard let reader else { return "`\(name)` makes it: read that stage" }
    let type = spec.stages[reader].type
    if reader == maker {
      return
        "this stage makes `\(field)` itself, and only stages behind it have it: use it in another \(type) that reads `\(name)`"
    }
    guard reads(maker, reader) else {
      return "`\(name)` makes it: write \(quoted(name)) under \"inputs\", or a stage that reads it"
    }
    let isExpression = same(problem.code, "bad_expression")
    return "`\(name)` makes it, and stands behind this stage: "
      + (isExpression
        ? "put the expression into a \(type) that reads `\(name)`, or write here what `\(name)` makes `\(field)` of"
        : "use it in a \(type) that reads `\(name)`")
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

  // MARK: Filters in front of a barrier

  /// - Parameters:
  ///   - filter: the stage that drops records before `barrier` compares them.
  ///   - fields: what it looks at.
  func warn(of filter: Int, before barrier: Int, _ fields: [String], _ problems: inout Problems) {
    let (filter, barrier) = (spec.stages[filter], spec.stages[barrier])
    let named = fields.prefix(3).map { "`\($0)`" }
    let by = named.isEmpty ? "" : " by \(named.joined(separator: " and "))"
    let isNext =
      barrier.inputs.count == 1 && same(barrier.inputs[0].node.string ?? "", filter.name)
    let inputs = filter.inputs.compactMap { $0.node.string }.map { "`\($0)`" }
    let order =
      isNext
      ? "let `\(barrier.name)` read \(inputs.joined(separator: " and ")), `\(filter.name)` read `\(barrier.name)`, and what reads `\(barrier.name)` now read `\(filter.name)`"
      : "put `\(filter.name)` behind `\(barrier.name)`"
    problems.add(
      "filter_before_dedupe", at: barrier.nameNode,
      "`\(filter.name)` filters records\(by) before `\(barrier.name)` compares them: a record can stay although a later revision of it was filtered out",
      fix: "\(order); or leave it, where no revision of a record changes "
        + (named.isEmpty ? "what is filtered by" : named.joined(separator: " and ")),
      severity: .warning)
  }

  // MARK: Files

  /// Sinks whose files cannot stand beside each other, or beside the manifest.
  func checkPaths(_ problems: inout Problems) {
    let all = spec.stages.compactMap { ($0.stage as? any SinkStage)?.staticPath }
    var seen: [(path: String, name: String)] = []
    for stage in spec.stages {
      guard let path = (stage.stage as? any SinkStage)?.staticPath else { continue }
      let free = PlanAdvice.freePath(path, stage.name, all).map { quoted($0) }
      if OutputDirectory.isManifest(path) {
        problems.add(
          "sink_collision", at: stage.options.node("path"), "Weir writes \(path) itself",
          expected: "another path", fix: free)
      }
      if let other = seen.first(where: { PlanAdvice.collide($0.path, path) }) {
        problems.add(
          "sink_collision", at: stage.options.node("path"),
          same(other.path, path)
            ? "`\(other.name)` and `\(stage.name)` both write \(path)"
            : "`\(other.name)` writes \(other.path), and `\(stage.name)` \(path): one name would be a file and a folder",
          expected: "another path for one of them", fix: free)
      }
      seen.append((path, stage.name))
    }
  }

  /// Whether two files cannot stand beside each other: one path, or one is a folder of the other.
  private static func collide(_ a: String, _ b: String) -> Bool {
    let (a, b) = (Array(a.utf8), Array(b.utf8))
    return a == b || a.starts(with: b + [UInt8(ascii: "/")])
      || b.starts(with: a + [UInt8(ascii: "/")])
  }

  /// The path with the name of the stage, or a number, in the place of its own name.
  private static func freePath(_ path: String, _ stage: String, _ taken: [String]) -> String? {
    let file = lastComponent(of: path)
    let folder = String(decoding: path.utf8.dropLast(file.utf8.count), as: UTF8.self)
    let dot = file.utf8.firstIndex(of: UInt8(ascii: ".")) ?? file.utf8.endIndex
    let (stem, end) = (String(file[..<dot]), String(file[dot...]))
    return ["\(folder)\(stage)\(end)", "\(folder)\(stem)-2\(end)", "\(folder)\(stage)-2\(end)"]
      .first { candidate in
        !OutputDirectory.isManifest(candidate) && !taken.contains { collide($0, candidate) }
      }
  }
}
