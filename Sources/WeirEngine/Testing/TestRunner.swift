import WeirData

/// What came of the input of a test.
struct TestActual: Sendable {
  /// At the end of the test, as lines.
  var records: [[UInt8]]?
  var rows: [JSONValue]?
  var findings: [JSONValue]?
  /// By path.
  var files: [(path: String, lines: [[UInt8]])] = []
  var ledger: Ledger
  /// Stages of the pipeline, without what the test has put to it.
  var stages: [Ledger.Stage]
  var quarantine: [JSONValue] = []
  var overBudget: [BudgetExcess] = []

  /// Refused records by code, in the order of their first.
  var codeCounts: [(code: String, count: Int)] {
    var counts: [(code: String, count: Int)] = []
    for entry in quarantine {
      guard let code = entry.text("code") else { continue }
      if let i = counts.firstIndex(where: { same($0.code, code) }) {
        counts[i].count += 1
      } else {
        counts.append((code, 1))
      }
    }
    return counts
  }
}

/// What came of a test.
public struct TestOutcome: Sendable {
  public let test: TestCase
  /// What differs, in words; empty: it passes.
  public var failures: [String] = []
  /// Why it could not be run.
  public var error: String?
  /// What is wrong with the test, with its place.
  public var problems = Problems()
  var edits: [TestEdit] = []
  public var seconds = 0.0

  public var passes: Bool { failures.isEmpty && error == nil && !problems.hasErrors }
  /// Whether what is expected can be written anew.
  public var canUpdate: Bool { error == nil && !problems.hasErrors }
}

/// Runs tests, each through the part of the real plan that it names.
public struct TestRunner: Sendable {
  /// Plans the spec with the parameters of a test.
  public typealias Load = @Sendable (_ params: [(name: String, value: String)]) -> (Plan?, Problems)

  let file: TestFile
  let form: RecordForm
  let load: Load

  public init(_ file: TestFile, form: RecordForm, load: @escaping Load) {
    self.file = file
    self.form = form
    self.load = load
  }

  public func run(_ test: TestCase) async -> TestOutcome {
    let started = ContinuousClock().now
    var outcome = TestOutcome(test: test)
    do {
      if let actual = try await actual(test, &outcome.problems) {
        if test.expect.isEmpty {
          outcome.failures = ["nothing is expected yet: `weir test --update` fills it in"]
          outcome.edits = [TestEdit(range: test.expect.node.range, text: actual.expectation(test))]
        } else {
          var comparison = TestComparison(test.expect)
          comparison.compare(actual)
          outcome.failures = comparison.failures
          outcome.edits = comparison.edits
        }
      }
    } catch {
      let error = RunError(error)
      outcome.error = "\(error.message)\n  try: \(error.fix)"
    }
    outcome.seconds = (ContinuousClock().now - started).seconds
    return outcome
  }

  /// - Returns: `nil` where something is wrong with the test or the spec.
  func actual(_ test: TestCase, _ problems: inout Problems) async throws -> TestActual? {
    let (plan, found) = load(test.params.map { (name: $0.name, value: $0.text) })
    guard let plan else {
      // What a parameter of the test did wrong stands in the test.
      let errors = found.sorted.filter { $0.severity == .error }
      for problem in errors.prefix(20) {
        let name = test.paramNodes.first { entry in
          same(problem.file, "--param")
            && problem.source.bytes.starts(with: Array("\(entry.name)=".utf8))
        }
        if let name {
          problems.add(
            problem.code, at: name.node, problem.message, expected: problem.expected,
            fix: problem.fix)
        } else {
          problems.add(problem)
        }
      }
      return nil
    }
    let start = reference(test.start, plan, &problems)
    let end = reference(test.end, plan, &problems)
    checkInputs(test, plan, start?.stage, &problems)
    checkExpectation(test, plan, end, &problems)
    guard !problems.hasErrors else { return nil }
    if start == nil, end == nil {
      let result = try await plan.dryRun(try shards(test, plan))
      return try TestActual(whole: result)
    }
    return try await part(test, plan, start, end, &problems)
  }

  private func reference(
    _ node: SpecNode?, _ plan: Plan, _ problems: inout Problems
  ) -> StageReference? {
    guard let node, let text = node.string else { return nil }
    do throws(StageReference.Mistake) {
      return try StageReference(text, in: plan.spec)
    } catch {
      problems.add("unknown_stage", at: node, error.message, fix: error.fix)
      return nil
    }
  }

  private func checkInputs(
    _ test: TestCase, _ plan: Plan, _ start: Int?, _ problems: inout Problems
  ) {
    let allowed: [String]
    if let start, plan.stage(start).kind != .source {
      allowed = [plan.stage(start).name]
      if !plan.stage(start).inputs.contains(where: { $0.carries == .records }) {
        problems.add(
          "no_records", at: test.start ?? test.node,
          "rows reach `\(plan.stage(start).name)`: a test begins where records flow",
          fix: "begin at a source or a transform")
      }
    } else {
      allowed = plan.spec.stages.filter { $0.kind == .source }.map(\.name)
    }
    for input in test.inputs where !allowed.contains(where: { same($0, input.name) }) {
      problems.add(
        "unknown_input", at: input.nameNode,
        "no input of this test is called \(shown(input.name))",
        expected: alternatives(allowed),
        fix: (nearest(to: input.name, among: allowed) ?? allowed.first).map { quoted($0) })
    }
  }

  private func checkExpectation(
    _ test: TestCase, _ plan: Plan, _ end: StageReference?, _ problems: inout Problems
  ) {
    func refuse(_ key: String, _ why: String, _ fix: String) {
      guard let node = test.expect.member(key) else { return }
      problems.add(
        "wrong_expectation", at: node, "there are no \(key) to look at: \(why)", fix: fix)
    }
    let carries: Set<EdgeKind>
    if let end, plan.stage(end.stage).kind != .sink {
      let ports = plan.stage(end.stage).stage.outputs.filter { port in
        end.port.map { same($0, port.name) } ?? port.name.utf8.isEmpty
      }
      carries = Set((ports.isEmpty ? plan.stage(end.stage).stage.outputs : ports).map(\.carries))
      refuse(
        "files", "the test ends at `\(plan.stage(end.stage).name)`",
        "end it at a sink, or leave \"end\" out")
    } else {
      carries = []
    }
    let what = end == nil ? "the test has no \"end\"" : "`\(plan.stage(end!.stage).name)` has none"
    for (kind, key) in [(EdgeKind.records, "records"), (.rows, "rows"), (.findings, "findings")]
    where !carries.contains(kind) {
      refuse(
        key, what,
        end == nil
          ? "name the stage that they leave: \"end\": \"...\""
          : carries.first.map { "expect \"\($0.rawValue)\"" } ?? "expect \"files\"")
    }
  }

  // MARK: Input

  /// What a test is given, as shards of the sources.
  private func shards(_ test: TestCase, _ plan: Plan, as name: String? = nil) throws -> [DryShard] {
    var shards: [DryShard] = []
    for input in test.inputs {
      let source = plan.lanes.first { same(plan.stage($0.stage).name, name ?? input.name) }?.source
      let fields = source?.scope.fields.filter { $0.isOfPath } ?? []
      for shard in input.shards {
        shards.append(
          DryShard(
            source: name ?? input.name, name: shard.name, text: try text(shard.content),
            pathValues: fields.map { pathValue($0.path, shard.name) }))
      }
    }
    return shards
  }

  /// The value of a `key=value` directory.
  private func pathValue(_ path: FieldPath, _ name: String) -> [UInt8]? {
    for part in name.utf8.split(separator: UInt8(ascii: "/")) {
      let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1)
      if pair.count == 2, pair[0].elementsEqual(path.components[0]) { return Array(pair[1]) }
    }
    return nil
  }

  private func text(_ content: TestInput.Content) throws -> [UInt8] {
    switch content {
    case .lines(let lines): return lines.flatMap { $0 + [0x0A] }
    case .file(let node):
      let path = joinPath(directory(of: file.source.name), node.string ?? "")
      let bytes = try readWholeFile(path, limit: 256 << 20)
      let packed = DryFile(sink: "", path: path, bytes: bytes, rows: 0)
      return try packed.lines().flatMap { $0 + [0x0A] }
    }
  }

  // MARK: A part of the plan

  private func part(
    _ test: TestCase, _ plan: Plan, _ start: StageReference?, _ end: StageReference?,
    _ problems: inout Problems
  ) async throws -> TestActual? {
    let first = start.flatMap { plan.stage($0.stage).kind == .source ? nil : $0.stage }
    let ends =
      end.map { [$0.stage] }
      ?? plan.spec.stages.indices.filter {
        plan.stage($0).kind == .sink && (first == nil || plan.leads(first!, to: $0))
      }
    let place = Capture.Place()
    var slice: SpecSlice
    if let first {
      guard let scope = plan.scopes(of: first).first,
        let between = SpecSlice(
          plan.spec, from: first, through: ends, source: form.source(scope.fields))
      else {
        problems.add(
          "no_way", at: test.end ?? test.node,
          "no way leads from `\(plan.stage(first).name)` to the end of the test",
          fix: "end at a stage behind it")
        return nil
      }
      slice = between
    } else {
      slice = SpecSlice(plan.spec, through: ends[0])
    }
    var capture: Capture?
    let (sink, options) = form.sink()
    if let end {
      let stage = plan.stage(end.stage)
      let ports = stage.stage.outputs.filter { port in
        port.carries == .records && (end.port.map { same($0, port.name) } ?? true)
      }
      if !ports.isEmpty {
        let mine = Capture(place)
        slice.add(
          CaptureStage(sink, mine), named: "end of test", options: options,
          inputs: ports.map { (end.stage, $0.name, .records) })
        capture = mine
      }
      for port in stage.stage.outputs where stage.kind == .barrier && port.carries == .rows {
        slice.add(
          CaptureStage(sink, Capture(place)), named: "rows of test", options: options,
          inputs: [(end.stage, port.name, .rows)])
      }
    }
    var found = Problems()
    guard let sliced = slice.plan(&found) else {
      for problem in found.sorted { problems.add(problem) }
      return nil
    }
    let name = first == nil ? nil : sliced.spec.stages[0].name
    let input = try shards(test, sliced, as: name)
      .filter { shard in sliced.lanes.contains { same(sliced.stage($0.stage).name, shard.source) } }
    let result = try await DryRun(plan: sliced, shards: input, place: place).run()
    var actual = try TestActual(whole: result)
    actual.stages.removeAll { same($0.name, "end of test") || same($0.name, name ?? "") }
    actual.records = capture?.records.map(\.text)
    if let end, let at = slice.places[end.stage], let made = result.made[at] {
      // The rows of a barrier are looked at where they are named.
      let isReduce = plan.stage(end.stage).kind == .reduce
      let only = isReduce && made.count == 1 ? made.first?.value : nil
      switch end.port.map({ made[$0] }) ?? made[""] ?? only {
      case .rows(let table): actual.rows = table.objects
      case .findings(let set): actual.findings = set.findings
      case nil: break
      }
    }
    return actual
  }
}

extension TestActual {
  init(whole result: DryResult) throws {
    ledger = result.ledger
    stages = result.ledger.recordStages
    overBudget = result.overBudget
    for line in result.quarantine { quarantine.append(try JSONValue(reading: line)) }
    for file in result.files { files.append((file.path, try file.lines())) }
  }
}
