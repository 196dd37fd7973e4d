import Testing
import WeirData
import WeirEngine
import WeirTesting

@testable import WeirStages

/// A pipeline with every stage that shapes, routes, joins, draws and checks records.
@Suite struct `Stages that shape and route together` {
  private static let fields = """
    {"id": "string", "n": "int?", "market": "string?", "who": "string?", "note": "any?", "user.name": "string?"}
    """
  private static let transforms = #"""
    "hidden": {"type": "redact", "inputs": ["s"], "fields": {"who": {"hash": {"salt": "words", "length": 8}}, "note": "drop"}},
    "named": {"type": "rename", "inputs": ["hidden"], "fields": {"market": "country", "user.name": "user.nick"}},
    "checked": {"type": "expect", "inputs": ["named"], "rules": {
      "small": {"that": "n < 40"}, "placed": {"that": "country != 'XX'", "level": "fail"}}},
    "routed": {"type": "split", "inputs": ["checked"], "outputs": {"high": "n != null && n > 25", "low": "n != null && n < 10"}},
    "few": {"type": "sample", "inputs": ["routed.high"], "key": ["id"], "rate": 0.5, "by": ["country"], "rates": {"DE": 0.9}},
    "drawn": {"type": "sample", "inputs": ["routed.low"], "key": ["id"], "count": 7, "by": ["country"]},
    "bare": {"type": "drop", "inputs": ["drawn"], "fields": ["user.nick"]},
    "all": {"type": "union", "inputs": ["few", "bare", "routed.rest"], "missing": "null", "tag": "way"},
    "one": {"type": "dedupe", "inputs": ["all"], "key": ["id"]},
    "narrow": {"type": "select", "inputs": ["one"], "fields": ["way", "id", "n", "user.nick", "who"]},
    "sums": {"type": "aggregate", "inputs": ["one"], "by": ["way", "country"], "metrics": {"count": {"count": true}}}
    """#
  private static let spec = pipeline(
    fields: fields, transforms: transforms,
    sinks: jsonlSink("out", "narrow") + ", " + jsonlSink("low", "bare")
      + #", "t": {"type": "csv", "inputs": ["sums"], "path": "t.csv"}"#)

  private func shard(_ random: inout SeededRandom, _ count: Int) -> [String] {
    (0..<count).map { _ in
      if random.oneIn(40) { return #"{"id": 5}"# }
      var members = [#""id":"\#(random.below(2 * count))""#]
      if !random.oneIn(8) { members.append(#""n": \#(random.below(50))"#) }
      if !random.oneIn(8) {
        members.append(#""market":"\#(random.pick(["DE", "FR", "US", "XX"]))""#)
      }
      if !random.oneIn(3) { members.append(#""who":"m\#(random.below(9))""#) }
      if random.oneIn(2) { members.append(#""note":{"x":[1]}"#) }
      if random.oneIn(2) { members.append(#""user":{"name":"Ada", "age":3}"#) }
      members.shuffle(using: &random)
      return "{" + members.joined(separator: ", ") + "}"
    }
  }

  /// What the ledger of a run promises, added up by hand.
  private func check(_ ledger: Ledger, lines: Int) throws {
    #expect(ledger.imbalances() == [])
    let r = ledger.records
    #expect(r.read == lines)
    #expect(r.written + r.filtered + r.deduplicated + r.quarantined == lines)
    for stage in ledger.stages {
      #expect(stage.counts.isBalanced, "\(stage.name)")
      if !stage.ports.isEmpty {
        #expect(stage.ports.reduce(0) { $0 + $1.records } == stage.counts.out)
      }
      for check in stage.checks { #expect(check.failed <= stage.counts.in) }
    }
    let routed = try #require(ledger.stages.first { $0.name == "routed" })
    for port in routed.ports {
      #expect(
        ledger.edges.first { $0.from == "routed" && $0.port == port.name }?.records == port.records)
    }
    let failed = try #require(ledger.checks.first { $0.check.name == "placed" }).check.failed
    #expect(ledger.stages.first { $0.name == "checked" }?.counts.quarantined == failed)
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func `the ledger balances, and any workers and batches make the same bytes`(seed: UInt64)
    async throws
  {
    var random = SeededRandom(seed: seed)
    let shards = (0..<3).map { (path: "\($0).jsonl", records: shard(&random, 200)) }
    var first: [String: [UInt8]]?
    for (workers, bytes) in [(1, 1 << 20), (2, 300), (3, 2_000)] {
      let made = try await run(Self.spec, shards, workers: workers, batchBytes: bytes)
      #expect(made.error == nil && made.code == nil, "\(made.problems.text) \(made.error as Any)")
      try check(try #require(made.result).ledger, lines: 600)
      if let first { #expect(made.everything == first) } else { first = made.everything }
    }
    // In parts of shards, and with hardly any memory: what is kept lies on the disk.
    var runner = PipelineRunner(
      Self.spec, shards: shards.map { ("data/" + $0.path, $0.records) })
    runner.workers = 3
    runner.batchBytes = 400
    runner.wideShardBytes = 1
    runner.memory = MemoryShares(workers: 3, kept: 2_000, deciding: 20_000)
    #expect(try await runner.run().everything == first)
  }

  @Test func `a second night over kept tasks makes what a first one would`() async throws {
    var random = SeededRandom(seed: 77)
    let shards = (0..<4).map { _ in shard(&random, 150) }
    try await withTemporaryFolder { folder in
      for i in 0..<3 { try folder.write(SampleShard.text(shards[i]), at: "data/\(i).jsonl") }
      var runner = PipelineRunner(Self.spec, files: [])
      let first = try await runner.run(in: folder)
      #expect(first.error == nil && first.code == nil, "\(first.problems.text)")
      runner.isForced = true
      let again = try await runner.run(in: folder)
      #expect(again.result?.tasks.allSatisfy(\.isReused) == true)
      #expect(again.ledgerText == first.ledgerText && again.quarantineText == first.quarantineText)
      runner.isForced = false
      try folder.write(SampleShard.text(shards[3]), at: "data/3.jsonl")
      let second = try await runner.run(in: folder)
      let result = try #require(second.result)
      #expect(result.tasks.contains { $0.isReused } && result.tasks.contains { !$0.isReused })
      try check(result.ledger, lines: 600)
      let fresh = try await run(
        Self.spec, shards.enumerated().map { ("\($0.offset).jsonl", $0.element) })
      #expect(second.ledgerText == fresh.ledgerText)
      #expect(second.quarantineText == fresh.quarantineText)
      for path in ["out.jsonl", "low.jsonl", "t.csv"] {
        #expect(second.outputs[path] == fresh.outputs[path], "\(path)")
        #expect(fresh.outputs[path] != nil)
      }
    }
  }

  @Test func `what is shown of it names outputs and draws`() async throws {
    var random = SeededRandom(seed: 5)
    try await withTemporaryFolder { folder in
      try folder.write(SampleShard.text(shard(&random, 100)), at: "data/a.jsonl")
      let path = try folder.write(Self.spec, at: "p.json")
      var (spec, problems) = Spec.load(
        Array(Self.spec.utf8), file: path, registry: .standard, given: [],
        currentDirectory: folder.path)
      let plan = try #require(spec.flatMap { Plan.make($0, problems: &problems) })
      spec = nil
      let steps = await plan.explain().passes.flatMap { $0.readings.flatMap(\.steps) }
      let ports = ["few": "high", "drawn": "low", "all": "rest"]
      for (stage, port) in ports {
        #expect(steps.contains { $0.stage == stage && $0.port == port })
      }
      let draw = try #require(steps.first { $0.stage == "drawn" }?.barrier?.draw)
      #expect(draw.count == 7 && draw.fields == ["id"])
      let form = RecordForm(.standard, type: "jsonl")
      for name in plan.spec.stages.map(\.name) {
        let request = Preview.Request(try StageReference(name, in: plan.spec))
        let preview = try await plan.preview(request, form: form)
        #expect(preview.reached > 0 || preview.kind == .source || preview.kind == .sink, "\(name)")
        if name == "routed" {
          #expect(Set(preview.records.compactMap(\.way)).isSubset(of: ["high", "low", "rest"]))
          #expect(preview.records.contains { $0.way == "rest" })
        }
        if name == "drawn" {
          #expect(preview.records.allSatisfy { [.filtered, .unchanged].contains($0.outcome) })
          #expect(preview.records.count { $0.outcome == .filtered } == preview.counts.filtered)
        }
      }
    }
  }
}
