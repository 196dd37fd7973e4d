import WeirData

/// Reads more and more of the input until enough of it reaches a stage.
struct PreviewMaker {
  /// Lines read at first; four times as many each time that they are not enough.
  private static let linesAtFirst = 1_000

  let plan: Plan
  let request: Preview.Request
  let form: RecordForm

  private var target: Int { request.stage.stage }
  private var stage: CheckedStage { plan.stage(target) }
  private var wanted: Int { request.records ?? Preview.records(for: stage.kind, stage) }

  /// What one try came to.
  struct Try {
    var parts: [(sample: ShardSample, parts: [ShardSample.Part])]
    var result: DryResult
    var plan: Plan
    /// The stage in that plan.
    var target: Int
    /// `nil`: rows reach the stage, no records.
    var before: Capture?
    /// By output; of a map all, whichever is looked at.
    var after: [(port: String, capture: Capture)]
    /// Shards in the order of all input.
    var shards: [(source: String, shard: Shard, text: [UInt8])]
  }

  func make() async throws -> Preview {
    let lanes = plan.lanes.indices.filter { lane in
      plan.lanes[lane].stage == target || plan.leads(plan.lanes[lane].stage, to: target)
    }
    try checkGroupField()
    let samples = try lanes.map { try ShardSample(plan, lane: $0, by: request.groupBy) }
    var lines = min(request.linesMax, PreviewMaker.linesAtFirst)
    var groupsBefore: Int?
    while true {
      let parts = try samples.map { ($0, try $0.first(lines)) }
      let isComplete = zip(samples, parts).allSatisfy { sample, part in
        part.1.count + sample.setAside.count == sample.shards.count
          && part.1.allSatisfy(\.isWhole)
      }
      let found = try await run(parts)
      let groups = found.seen.groups.count
      if isComplete || lines >= request.linesMax || isEnough(found, groups, groupsBefore) {
        let cut = try await cutToSize(found)
        return PreviewReport(plan: plan, request: request, wanted: wanted, found: cut)
          .make(
            isComplete: isComplete && cut.lines == found.lines,
            isCutShort: !isComplete && !isEnough(found, groups, groupsBefore))
      }
      groupsBefore = groups
      lines = min(lines * 4, request.linesMax)
    }
  }

  private func checkGroupField() throws {
    guard let path = request.groupBy else { return }
    let scopes = plan.scopes(of: target)
    guard !scopes.contains(where: { $0.field(path) != nil }) else { return }
    guard !scopes.isEmpty else {
      throw StageReference.Mistake(
        message:
          "rows reach `\(stage.name)`, not records: there is nothing to show by \(path.text)",
        fix: "leave out --by, or preview a stage that records flow through")
    }
    let names = scopes.flatMap { $0.fields.map(\.path.text) }
    throw StageReference.Mistake(
      message: "no field `\(path.text)` reaches `\(stage.name)`",
      fix: nearest(to: path.text, among: names).map { "\($0)" }
        ?? "the fields are \(alternatives(names))")
  }

  private func isEnough(_ found: Try, _ groups: Int, _ before: Int?) -> Bool {
    if let port = wantedPort, request.groupBy == nil {
      let left = found.after.first { same($0.port, port) }
      return left.map { $0.capture.count >= wanted } ?? true
    }
    guard request.groupBy != nil else {
      return found.parts.allSatisfy { sample, _ in
        let shards = Set(
          found.shards.indices.filter { same(found.shards[$0].source, sample.source) })
        return found.seen.records.count { shards.contains($0.shard) } >= wanted
      } || (found.before == nil && found.rowsIn >= wanted)
    }
    // As many new values again would have shown themselves.
    return groups > 0 && groups == before && found.seen.groups.allSatisfy { $0.count >= wanted }
  }

  /// Where no barrier stands in front, the input up to the last record that is wanted and no line more.
  private func cutToSize(_ found: Try) async throws -> Try {
    guard request.groupBy == nil, wantedPort == nil,
      found.before != nil || stage.kind == .source, plan.depth(of: target) == 0
    else { return found }
    var ends: [Int: Int] = [:]
    var parts = found.parts
    var shard = 0
    for (i, part) in found.parts.enumerated() {
      let mine = shard..<(shard + part.parts.count)
      shard += part.parts.count
      let records = found.seen.records.filter { mine.contains($0.shard) }
      guard records.count >= wanted else { continue }
      let last = records[wanted - 1]
      parts[i].parts = part.parts.cut(toPart: last.shard - mine.lowerBound, line: last.line)
      ends[i] = last.line
    }
    return ends.isEmpty ? found : try await run(parts)
  }

  // MARK: One try

  /// The output of a map that is looked at alone.
  private var wantedPort: String? { stage.kind == .map ? request.stage.port : nil }

  /// Outputs in front of the stage by which records leave for stages that are not shown: these take them
  /// in a run, and they are not filtered.
  private func portsElsewhere(_ slice: SpecSlice) -> [(stage: Int, port: String)] {
    func readers(of index: Int, _ port: String) -> [Int] {
      plan.spec.stages.indices.filter { reader in
        plan.stage(reader).inputs.contains { $0.stage == index && same($0.port, port) }
      }
    }
    return slice.places.keys.sorted().filter { $0 != target }.flatMap { index in
      plan.stage(index).stage.outputs.filter { port in
        guard plan.stage(index).kind == .map, !port.name.utf8.isEmpty else { return false }
        let readers = readers(of: index, port.name)
        return !readers.isEmpty && readers.allSatisfy { slice.places[$0] == nil }
      }.map { (index, $0.name) }
    }
  }

  private func run(_ parts: [(ShardSample, [ShardSample.Part])]) async throws -> Try {
    let place = Capture.Place()
    var slice = SpecSlice(plan.spec, through: target)
    let (sink, options) = form.sink()
    var before: Capture?
    let inputs = stage.inputs.filter { $0.carries == .records }
    // Of a barrier the one that stays can come long behind; of groups nobody knows which come out.
    // Of one output nobody knows which records leave by it.
    let limit = stage.kind == .barrier || wantedPort != nil ? Int.max : wanted
    if !inputs.isEmpty {
      let capture = Capture(place, limit: limit)
      let probe = stage.kind == .sink ? stage.stage as? any SinkStage : nil
      slice.add(
        CaptureStage(sink, capture, probe: probe, by: request.groupBy), named: "before",
        options: options, inputs: inputs.map { ($0.stage, $0.port, .records) })
      before = capture
    }
    var after: [(String, Capture)] = []
    let ports = stage.stage.outputs.filter { port in
      stage.kind == .map || request.stage.port.map { same($0, port.name) } ?? true
    }
    for port in ports where port.carries == .records {
      let isBounded = request.groupBy == nil || stage.kind == .source
      let capture = Capture(place, limit: isBounded ? limit : .max)
      let by = stage.kind == .source ? request.groupBy : nil
      slice.add(
        CaptureStage(sink, capture, by: by), named: "after \(port.name)", options: options,
        inputs: [(target, port.name, .records)])
      after.append((port.name, capture))
    }
    if stage.kind == .barrier {
      for port in stage.stage.outputs where port.carries == .rows {
        slice.add(
          CaptureStage(sink, Capture(place)), named: "removed", options: options,
          inputs: [(target, port.name, .rows)])
      }
    }
    for (index, port) in portsElsewhere(slice) {
      slice.add(
        CaptureStage(sink, Capture(place, limit: 0)),
        named: "elsewhere \(plan.stage(index).name).\(port)", options: options,
        inputs: [(index, port, .records)])
    }
    var problems = Problems()
    guard let sliced = slice.plan(&problems) else {
      throw RunError(
        code: "internal", message: "the way to `\(stage.name)` cannot be planned: \(problems.text)",
        fix: "this is a fault of Weir: report it with the spec")
    }
    var shards: [DryShard] = []
    for (sample, parts) in parts {
      for part in parts {
        shards.append(
          DryShard(
            source: sample.source, name: part.shard.nameText, text: part.text,
            pathValues: part.shard.pathValues))
      }
    }
    let result = try await DryRun(plan: sliced, shards: shards, place: place).run()
    return Try(
      parts: parts, result: result, plan: sliced, target: slice.places[target]!, before: before,
      after: after,
      shards: parts.flatMap { sample, parts in
        parts.map { (sample.source, $0.shard, $0.text) }
      })
  }
}

extension PreviewMaker.Try {
  /// What reaches the stage; of a source what leaves it.
  var seen: Capture { before ?? after.first?.capture ?? Capture(Capture.Place()) }
  var lines: Int { parts.reduce(0) { $0 + $1.parts.reduce(0) { $0 + $1.lines } } }
  /// Of a sink of rows: records that the stages in front took.
  var rowsIn: Int { result.ledger.stages.filter { $0.kind == .reduce }.map(\.counts.in).max() ?? 0 }
}

extension Plan {
  /// Whether records or rows of one stage come to another.
  func leads(_ from: Int, to target: Int) -> Bool {
    var reached: Set<Int> = [from]
    for index in spec.stages.indices
    where spec.stages[index].inputs.contains(where: { reached.contains($0.stage) }) {
      reached.insert(index)
    }
    return reached.contains(target)
  }

  /// What is known of the records in front of a stage, for each way to it; of a source behind it.
  func scopes(of stage: Int) -> [Scope] {
    lanes.flatMap { lane in
      (lane.stage == stage ? [lane.source.scope] : [])
        + lane.nodes.filter { $0.stage == stage }.map(\.scope)
    }
  }
}
