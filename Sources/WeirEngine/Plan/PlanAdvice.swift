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

  // MARK: Wiring in words

  /// Stages that read an output of `stage`.
  func readers(of stage: Int) -> [Int] {
    spec.stages.indices.filter { index in
      spec.stages[index].inputs.contains { $0.stage == stage }
    }
  }

  /// `` `a`, `b` and `c` ``; of many only the first.
  func named(_ stages: [Int]) -> String {
    let names = stages.map { "`\(spec.stages[$0].name)`" }
    if names.count > 5 {
      return names.prefix(4).joined(separator: ", ") + " and \(names.count - 4) more"
    }
    guard names.count > 1, let last = names.last else { return names.first ?? "" }
    return names.dropLast().joined(separator: ", ") + " and " + last
  }

  /// What a stage reads, as it is written there.
  func inputs(of stage: Int) -> String {
    spec.stages[stage].inputs.compactMap { $0.node.string }.map { "`\($0)`" }
      .joined(separator: " and ")
  }

  /// How to let a stage read another that stands behind it; `nil` where one of them puts out no records, or
  /// another output than the default one is read.
  func putBehind(_ stage: Int, _ other: Int) -> String? {
    let (before, after) = (readers(of: stage), readers(of: other))
    guard isPlain(stage), isPlain(other), !before.isEmpty, !after.isEmpty,
      !before.contains(where: after.contains)
    else {
      return nil
    }
    let (moved, new) = (spec.stages[stage].name, spec.stages[other].name)
    return
      "let \(named(before)) read \(inputs(of: stage)), `\(moved)` read `\(new)`, and \(named(after)) read `\(moved)`"
  }

  /// How to let a stage stand in front of another one whose records it gets now; `nil` as above, and where
  /// what stands between them may make something for it.
  func putInFront(_ stage: Int, of other: Int) -> String? {
    let after = readers(of: stage)
    guard isPlain(stage), isPlain(other), !after.isEmpty, spec.stages[other].inputs.count == 1
    else {
      return nil
    }
    var at = stage
    repeat {
      guard spec.stages[at].inputs.count == 1 else { return nil }
      at = spec.stages[at].inputs[0].stage
      guard at == other || (spec.stages[at].stage as? any MapStage)?.newFields.isEmpty == true
      else { return nil }
    } while at != other
    let (moved, behind) = (spec.stages[stage].name, spec.stages[other].name)
    return
      "let `\(moved)` read \(inputs(of: other)), `\(behind)` read `\(moved)`, and \(named(after)) read \(inputs(of: stage))"
  }

  /// Whether a stage puts out records, and nobody reads another output of it than the default one.
  private func isPlain(_ index: Int) -> Bool {
    [.map, .barrier].contains(spec.stages[index].kind)
      && readers(of: index).flatMap { spec.stages[$0].inputs }
        .allSatisfy { $0.stage != index || $0.port.utf8.isEmpty }
  }

  // MARK: Filters in front of a barrier

  /// - Parameters:
  ///   - filterIndex: the stage that drops records before `barrierIndex` compares them.
  ///   - fields: what it looks at.
  func warn(
    of filterIndex: Int, before barrierIndex: Int, _ fields: [String], _ problems: inout Problems
  ) {
    let (filter, barrier) = (spec.stages[filterIndex], spec.stages[barrierIndex])
    let named = fields.prefix(3).map { "`\($0)`" }
    let by = named.isEmpty ? "" : " by \(named.joined(separator: " and "))"
    let isNext =
      barrier.inputs.count == 1 && same(barrier.inputs[0].node.string ?? "", filter.name)
    let moved =
      isNext && readers(of: filterIndex) == [barrierIndex]
      ? putBehind(filterIndex, barrierIndex) : nil
    let order = moved ?? "put `\(filter.name)` behind `\(barrier.name)`"
    problems.add(
      "filter_before_dedupe", at: barrier.nameNode,
      "`\(filter.name)` filters records\(by) before `\(barrier.name)` compares them: a record can stay although a later revision of it was filtered out",
      fix: "\(order); or leave it, where no revision of a record changes "
        + (named.isEmpty ? "what is filtered by" : named.joined(separator: " and ")),
      severity: .warning)
  }
}
