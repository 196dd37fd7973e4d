import WeirData

/// Makes a first test of a pipeline: some records of its input, with what becomes of them.
public struct TestMaker: Sendable {
  /// Lines of a source that are looked through for records worth a test.
  private static let linesMax = 50_000

  public struct Request: Sendable {
    /// Of each source, or of each value of `groupBy`.
    public var records = 5
    public var groupBy: FieldPath?
    /// Fields whose values are replaced before anything else is done with the records.
    public var redacted: [FieldPath] = []
    /// Of the test file, for the schema.
    public var schemaPath: String?

    public init() {}
  }

  /// The text of the file, and what a reader should know about it.
  public struct Made: Sendable {
    public var text: [UInt8]
    public var records: Int
    public var notes: [String]
  }

  let plan: Plan
  let request: Request
  let form: RecordForm

  public init(_ plan: Plan, _ request: Request, form: RecordForm) {
    self.plan = plan
    self.request = request
    self.form = form
  }

  private struct Line: Hashable {
    var source: String
    var shard: String
    var line: Int
  }

  public func make() async throws -> Made {
    var wanted: Set<Line> = []
    for index in plan.spec.stages.indices {
      switch plan.stage(index).kind {
      case .source: wanted.formUnion(try await sourceLines(index))
      case .map, .barrier: wanted.formUnion(try await tellingLines(index))
      case .reduce, .sink: continue
      }
    }
    var notes: [String] = []
    let texts = redact(try read(wanted), &notes)
    let shards = texts.map { source, shard, lines in
      DryShard(
        source: source, name: shard.nameText, text: lines.flatMap { $0 + [0x0A] },
        pathValues: shard.pathValues)
    }
    let actual = try TestActual(whole: try await plan.dryRun(shards))
    return Made(
      text: file(texts, actual), records: texts.reduce(0) { $0 + $1.lines.count }, notes: notes)
  }

  // MARK: Choosing

  private func sourceLines(_ index: Int) async throws -> Set<Line> {
    var preview = Preview.Request(StageReference(stage: index))
    preview.records = request.records
    preview.groupBy = request.groupBy
    preview.linesMax = TestMaker.linesMax
    let seen = try await plan.preview(preview, form: form)
    var codes: Set<[UInt8]> = []
    return Set(
      seen.records.filter { record in
        record.refusal.map { codes.insert(Array($0.code.utf8)).inserted } ?? true
      }.map { Line(source: $0.source, shard: $0.shard, line: $0.line) })
  }

  /// The first record of each sort of loss.
  private func tellingLines(_ index: Int) async throws -> Set<Line> {
    var preview = Preview.Request(StageReference(stage: index))
    preview.records = 20_000
    preview.linesMax = TestMaker.linesMax
    let seen = try await plan.preview(preview, form: form)
    var sorts: Set<[UInt8]> = []
    var lines: Set<Line> = []
    for refused in seen.refusedBefore
    where sorts.insert(Array("\(refused.stage) \(refused.code)".utf8)).inserted {
      lines.insert(Line(source: refused.source, shard: refused.shard, line: refused.line))
    }
    for record in seen.records {
      switch record.outcome {
      case .changed, .unchanged, .written: continue
      case .filtered, .refused, .deduplicated:
        let sort = record.outcome.rawValue + (record.refusal?.code ?? "")
        guard sorts.insert(Array(sort.utf8)).inserted else { continue }
        lines.insert(Line(source: record.source, shard: record.shard, line: record.line))
        if let winner = record.winner {
          lines.insert(Line(source: record.source, shard: winner.shard, line: winner.line))
        }
      }
    }
    return lines
  }

  private func read(
    _ wanted: Set<Line>
  ) throws -> [(source: String, shard: Shard, lines: [[UInt8]])] {
    var found: [(String, Shard, [[UInt8]])] = []
    for index in plan.lanes.indices {
      let name = plan.stage(plan.lanes[index].stage).name
      let mine = wanted.filter { same($0.source, name) }
      guard !mine.isEmpty else { continue }
      for part in try ShardSample(plan, lane: index, by: request.groupBy).first(TestMaker.linesMax)
      {
        let numbers = mine.filter { same($0.shard, part.shard.nameText) }.map(\.line).sorted()
        guard !numbers.isEmpty else { continue }
        let lines = part.text.split(separator: 0x0A, omittingEmptySubsequences: false)
        found.append(
          (name, part.shard, numbers.filter { $0 <= lines.count }.map { Array(lines[$0 - 1]) }))
      }
    }
    return found
  }

  // MARK: Redacting

  private func redact(
    _ texts: [(source: String, shard: Shard, lines: [[UInt8]])], _ notes: inout [String]
  ) -> [(source: String, shard: Shard, lines: [[UInt8]])] {
    guard !request.redacted.isEmpty else { return texts }
    var redaction = Redaction(request.redacted)
    let redacted = texts.map { ($0.source, $0.shard, $0.lines.compactMap { redaction.apply($0) }) }
      .filter { !$0.2.isEmpty }
    if redaction.leftOut > 0 {
      notes.append(
        "\(counted(redaction.leftOut, "line")) that cannot be redacted \(redaction.leftOut == 1 ? "was" : "were") left out: no JSON objects"
      )
    }
    for path in redaction.unseen {
      notes.append("no record has the field `\(path.text)`: nothing was redacted there")
    }
    return redacted
  }

  // MARK: The file

  private func file(
    _ texts: [(source: String, shard: Shard, lines: [[UInt8]])], _ actual: TestActual
  ) -> [UInt8] {
    let deep = TestRendering(indent: 12)
    var inputs: [[UInt8]] = []
    for source in plan.lanes.map({ plan.stage($0.stage).name }) {
      let mine = texts.filter { same($0.source, source) }
      guard !mine.isEmpty else { continue }
      let shards = mine.map { part -> [UInt8] in
        key(part.shard.nameText) + deep.list(part.lines.map(TestActual.line))
      }
      let inner = key("shards") + TestActual.block(shards, "{", "}", 10)
      inputs.append(key(source) + TestActual.block([inner], "{", "}", 8))
    }
    var members: [[UInt8]] = [
      key("name") + text("the first records, and the first of each kind that does not pass")
    ]
    let params = plan.spec.params.values.filter { value in
      plan.spec.params.given.contains { same($0, value.name) }
    }
    if !params.isEmpty {
      members.append(
        key("params")
          + TestRendering(indent: 0).inline(
            .object(params.map { JSONMember($0.name, .text($0.value.text)) })))
    }
    members.append(key("inputs") + TestActual.block(inputs, "{", "}", 6))
    members.append(key("expect") + actual.expectation(indent: 6, hasEnd: false))
    var top: [[UInt8]] = []
    if let schema = request.schemaPath { top.append(key("$schema") + text(schema)) }
    top.append(
      key("tests") + TestActual.block([TestActual.block(members, "{", "}", 4)], "[", "]", 2))
    return TestActual.block(top, "{", "}", 0) + [0x0A]
  }

  private func key(_ text: String) -> [UInt8] { self.text(text) + Array(": ".utf8) }

  private func text(_ text: String) -> [UInt8] {
    var out: [UInt8] = []
    appendJSONString(text, to: &out)
    return out
  }
}

extension StageReference {
  init(stage: Int) {
    self.stage = stage
    port = nil
  }
}

extension CheckedSpec {
  /// Where the spec says that the schema lies, with the last `/`; `nil` where it does not say so.
  public var schemaFolder: String? {
    var problems = Problems()
    guard
      let path = SpecJSON.parse(source, problems: &problems)?.member("$schema")?.value.string
    else { return nil }
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path.utf8.index(after: $0) }
    return String(path[..<(slash ?? path.startIndex)])
  }
}
