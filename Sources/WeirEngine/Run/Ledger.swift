import WeirData

/// Where the records of one stage went.
public struct StageCounts: Sendable, Equatable {
  public var `in` = 0
  public var out = 0
  public var filtered = 0
  public var deduplicated = 0
  public var quarantined = 0
  /// Taken for good: aggregated by a reduce, written by a sink.
  public var taken = 0
  /// Still held back when the run stopped before its end: 0 in a run that came to its end.
  public var unfinished = 0

  public init() {}

  public static func += (a: inout StageCounts, b: StageCounts) {
    a.in += b.in
    a.out += b.out
    a.filtered += b.filtered
    a.deduplicated += b.deduplicated
    a.quarantined += b.quarantined
    a.taken += b.taken
    a.unfinished += b.unfinished
  }

  public var isBalanced: Bool {
    `in` == out + filtered + deduplicated + quarantined + taken + unfinished
  }
}

/// Where every line of the input went: each counts once.
public struct RecordCounts: Sendable, Equatable {
  public var read = 0
  public var written = 0
  public var filtered = 0
  public var deduplicated = 0
  public var quarantined = 0
  /// Read, and not yet accounted for when the run stopped before its end: 0 in a run that came to its
  /// end.
  public var unfinished = 0
  /// Lines of white space: no records, counted apart.
  public var blank = 0

  public init() {}

  public static func += (a: inout RecordCounts, b: RecordCounts) {
    a.read += b.read
    a.written += b.written
    a.filtered += b.filtered
    a.deduplicated += b.deduplicated
    a.quarantined += b.quarantined
    a.unfinished += b.unfinished
    a.blank += b.blank
  }

  public var isBalanced: Bool {
    read == written + filtered + deduplicated + quarantined + unfinished
  }

  public var json: JSONValue {
    var members = [
      JSONMember("read", .int(read)), JSONMember("written", .int(written)),
      JSONMember("filtered", .int(filtered)), JSONMember("deduplicated", .int(deduplicated)),
      JSONMember("quarantined", .int(quarantined)),
    ]
    if unfinished > 0 { members.append(JSONMember("unfinished", .int(unfinished))) }
    return .object(members)
  }
}

/// The account of a run: by stage, by edge, by shard and by the fields that the spec names.
public struct Ledger: Sendable {
  public struct Stage: Sendable {
    public var name: String
    public var type: String
    public var kind: StageKind
    public var counts: StageCounts
    /// False for a sink of rows or findings: what it writes was derived, and is counted apart.
    public var takesRecords: Bool
    /// The outputs by which records leave, where there are several, with how many.
    public var ports: [(name: String, records: Int)] = []
    /// The rules that it holds records against.
    public var checks: [Check] = []
  }
  /// How many of the records that came to a stage do not meet one of its rules.
  public struct Check: Sendable {
    public var name: String
    public var level: String
    public var failed: Int
    /// The first of them.
    public var first: (source: String, shard: String, line: Int)?
  }
  public struct Edge: Sendable {
    public var from: String
    /// The output of `from`, where it has several; else empty.
    public var port = ""
    public var to: String
    public var records: Int

    var fromText: String { port.utf8.isEmpty ? from : "\(from).\(port)" }
  }
  public struct ShardEntry: Sendable {
    public var source: String
    public var shard: String
    public var contentHash: String
    public var bytes: Int
    public var records: RecordCounts

    var json: JSONValue {
      [
        "source": .text(source), "shard": .text(shard), "bytes": .int(bytes),
        "content": .text(contentHash), "records": records.json, "blank": .int(records.blank),
      ]
    }
  }
  public struct Group: Sendable {
    /// One value for each `ledger_by` field; `nil` where the record has none.
    public var values: [String?]
    public var records: RecordCounts
  }

  public var records = RecordCounts()
  /// All stages of the plan, in its order.
  public var stages: [Stage] = []
  /// Those that records flow through.
  public var recordStages: [Stage] { stages.filter(\.takesRecords) }
  public var edges: [Edge] = []
  public var shards: [ShardEntry] = []
  /// Those that are in no other number of the ledger.
  public var shardsSetAside: [ShardFault] = []
  public var groupFields: [String] = []
  public var groups: [Group] = []

  public init() {}

  /// Those of the run that made the outputs in place, where this one had nothing to do.
  var checksBefore: [(stage: Stage, check: Check)] = []

  /// All rules that records were held against, in the order of the stages.
  public var checks: [(stage: Stage, check: Check)] {
    checksBefore + stages.flatMap { stage in stage.checks.map { (stage, $0) } }
  }

  /// What does not add up, in words; empty where all does.
  public func imbalances() -> [String] {
    var found: [String] = []
    if !records.isBalanced {
      found.append(
        "the run read \(records.read) records, but \(records.written) written + \(records.filtered) filtered + \(records.deduplicated) deduplicated + \(records.quarantined) quarantined are \(records.written + records.filtered + records.deduplicated + records.quarantined)"
      )
    }
    for stage in stages where !stage.counts.isBalanced {
      let c = stage.counts
      found.append(
        "`\(stage.name)` took in \(c.in) records, but \(c.out) out + \(c.filtered) filtered + \(c.deduplicated) deduplicated + \(c.quarantined) quarantined + \(c.taken) taken are \(c.out + c.filtered + c.deduplicated + c.quarantined + c.taken)"
      )
    }
    for edge in edges {
      guard let producer = stages.first(where: { $0.name == edge.from }) else { continue }
      let out = producer.ports.first { same($0.name, edge.port) }?.records ?? producer.counts.out
      if out != edge.records {
        found.append(
          "`\(edge.fromText)` gave out \(out) records, but `\(edge.to)` took in \(edge.records) from it"
        )
      }
    }
    for stage in stages where !stage.ports.isEmpty {
      let out = stage.ports.reduce(0) { $0 + $1.records }
      if out != stage.counts.out {
        found.append(
          "`\(stage.name)` gave out \(stage.counts.out) records, but \(out) by its outputs")
      }
    }
    for stage in stages where stage.takesRecords && stage.kind != .source {
      let brought = edges.reduce(0) { $1.to == stage.name ? $0 + $1.records : $0 }
      if brought != stage.counts.in {
        found.append(
          "`\(stage.name)` took in \(stage.counts.in) records, but its inputs brought \(brought)")
      }
    }
    var sum = RecordCounts()
    for shard in shards { sum += shard.records }
    if sum != records { found.append("the shards do not add up to the run") }
    return found + groupImbalances()
  }

  /// - Throws: where it does not add up.
  func check() throws(RunError) {
    let imbalances = imbalances()
    guard imbalances.isEmpty else {
      throw RunError(
        code: "ledger_imbalance",
        message: "the ledger does not balance: " + imbalances.joined(separator: "; "),
        fix: "this is a fault of Weir, and the outputs were withheld: report it with the spec")
    }
  }

  private func groupImbalances() -> [String] {
    guard !groupFields.isEmpty else { return [] }
    var sum = RecordCounts()
    for group in groups { sum += group.records }
    // A blank line belongs to no group.
    sum.blank = records.blank
    return sum == records
      ? [] : ["the groups by \(groupFields.joined(separator: ", ")) do not add up to the run"]
  }

  /// As it stands in the file of the run.
  var fileText: [UInt8] {
    json(shards: []).indentedBytes(filling: "shards", with: shards.lazy.map(\.json)) + [0x0A]
  }

  public var json: JSONValue { json(shards: shards.map(\.json)) }

  private func json(shards: [JSONValue]) -> JSONValue {
    [
      "records": records.json,
      "blank": .int(records.blank),
      "stages": .array(
        recordStages.map { stage in
          let c = stage.counts
          var members: [JSONMember] = [
            JSONMember("stage", .text(stage.name)), JSONMember("type", .text(stage.type)),
            JSONMember("in", .int(c.in)), JSONMember("out", .int(c.out)),
            JSONMember("filtered", .int(c.filtered)),
            JSONMember("deduplicated", .int(c.deduplicated)),
            JSONMember("quarantined", .int(c.quarantined)),
          ]
          if stage.kind == .reduce { members.append(JSONMember("aggregated", .int(c.taken))) }
          if stage.kind == .sink { members.append(JSONMember("written", .int(c.taken))) }
          if c.unfinished > 0 { members.append(JSONMember("unfinished", .int(c.unfinished))) }
          if !stage.ports.isEmpty {
            members.append(
              JSONMember(
                "outputs", .object(stage.ports.map { JSONMember($0.name, .int($0.records)) })))
          }
          if !stage.checks.isEmpty {
            members.append(JSONMember("expectations", .array(stage.checks.map(\.json))))
          }
          members.append(JSONMember("balanced", .bool(c.isBalanced)))
          return .object(members)
        }),
      "edges": .array(
        edges.map {
          ["from": .text($0.fromText), "to": .text($0.to), "records": .int($0.records)]
        }),
      "by": .array(
        groups.map { group in
          .object(
            zip(groupFields, group.values).map {
              JSONMember($0, $1.map { .text($0) } ?? .null)
            } + [JSONMember("records", group.records.json)])
        }),
      "shards": .array(shards),
      "shards_set_aside": .array(shardsSetAside.map(\.json)),
    ]
  }
}

extension Ledger.Check {
  /// `first` only where a record failed.
  public var members: [JSONMember] {
    var members = [
      JSONMember("rule", .text(name)), JSONMember("level", .text(level)),
      JSONMember("failed", .int(failed)),
    ]
    if let first {
      members.append(
        JSONMember(
          "first",
          [
            "source": .text(first.source), "shard": .text(first.shard), "line": .int(first.line),
          ]))
    }
    return members
  }

  var json: JSONValue { .object(members) }
}

extension Ledger {
  /// For the result of a run: every rule with its stage, how many records were held against it, and the
  /// share of these that failed, 0 to 1; nothing where there is no rule.
  public var expectations: [JSONMember] {
    let values = expectationValues
    return values.isEmpty ? [] : [JSONMember("expectations", .array(values))]
  }

  var expectationValues: [JSONValue] {
    checks.map { stage, check in
      let checked = stage.counts.in
      return .object(
        [JSONMember("stage", .text(stage.name))] + check.members
          + [
            JSONMember("checked", .int(checked)),
            JSONMember(
              "rate", .number(checked > 0 ? Double(check.failed) / Double(checked) : 0)),
          ])
    }
  }

  /// One of ``expectations`` read back.
  static func check(reading value: JSONValue) -> (stage: Stage, check: Check)? {
    guard let name = value.text("stage"), let rule = value.text("rule"),
      let level = value.text("level"), let failed = value.int("failed"),
      let checked = value.int("checked")
    else { return nil }
    var stage = Stage(
      name: name, type: "", kind: .map, counts: StageCounts(), takesRecords: true)
    stage.counts.in = checked
    var check = Check(name: rule, level: level, failed: failed)
    if let first = value["first"], let source = first.text("source"),
      let shard = first.text("shard"), let line = first.int("line")
    {
      check.first = (source: source, shard: shard, line: line)
    }
    return (stage, check)
  }
}
