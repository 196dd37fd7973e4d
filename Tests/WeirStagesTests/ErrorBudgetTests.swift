import Testing
import WeirData
import WeirEngine
import WeirTesting

@Suite struct `An error budget` {
  private static let fields = #"{"id": "string", "market": "string?", "n": "int?"}"#

  /// `{"id":"3","market":"DE","n":3}`
  private static func record(_ id: Int, _ market: String = "DE", n: String? = nil) -> String {
    #"{"id":"\#(id)","market":"\#(market)","n":\#(n ?? "\(id)")}"#
  }

  /// A pipeline whose filter refuses records without `n`.
  private static func spec(_ budget: String, stage: String = "") -> String {
    let more = budget.isEmpty ? "" : #" "error_budget": \#(budget),"#
    let own = stage.isEmpty ? "" : #", "error_budget": \#(stage)"#
    return pipeline(
      fields: fields,
      transforms: #""f": { "type": "filter", "inputs": ["s"], "where": "n >= 0"\#(own) }"#,
      sinks: jsonlSink("out", "f"), more: #" "ledger_by": ["market", "id"],\#(more)"#)
  }

  private func excess(_ outcome: PipelineOutcome) throws -> BudgetExcess {
    try #require(outcome.overBudget?.excesses.first, "\(String(describing: outcome.error))")
  }

  // MARK: Limits

  @Test func `withholds the outputs past its count, and leaves those of the last run`() async throws
  {
    try await withTemporaryFolder { folder in
      var runner = PipelineRunner(Self.spec(#"{"count": 1}"#), files: [])
      try folder.write(
        SampleShard.text([Self.record(1), Self.record(2), "x"]), at: "data/a.jsonl")
      let first = try await runner.run(in: folder)
      #expect(first.error == nil && first.quarantine.count == 1)
      try folder.write(
        SampleShard.text([Self.record(3), Self.record(4, n: "null"), "x"]), at: "data/b.jsonl")
      runner.workers = 1
      let second = try await runner.run(in: folder)
      #expect(second.code == "over_budget")
      #expect(second.outputs == first.outputs && !first.outputs.isEmpty)
      let over = try #require(second.overBudget)
      #expect(over.excesses.count == 1)
      let excess = over.excesses[0]
      #expect(excess.stage == nil && excess.refused == 3 && excess.records == 6)
      #expect(excess.codes.map(\.code) == ["invalid_json", "expression_error"])
      #expect(excess.sample?.shard == "a.jsonl" && excess.sample?.line == 3)
      #expect(second.quarantine.count == 3)
      #expect(over.ledger.imbalances() == [])
      #expect(
        over.message.contains("3 of 6 records (50 %) were refused, the error budget allows 1"))
    }
  }

  @Test func `is kept where exactly as many are refused as it allows`() async throws {
    let records = (0..<71).map { Self.record($0) } + Array(repeating: "x", count: 29)
    for (budget, isOver) in [
      (#"{"rate": 0.29}"#, false), (#"{"rate": 0.2899}"#, true), (#"{"count": 29}"#, false),
      (#"{"count": 28}"#, true), (#"{"rate": 0.29, "count": 28}"#, true), (#"{"rate": 1}"#, false),
      (#"{"rate": 0.1, "min_records": 101}"#, false), (#"{"rate": 0.1, "min_records": 100}"#, true),
    ] {
      let outcome = try await run(Self.spec(budget), [("a.jsonl", records)])
      #expect((outcome.overBudget != nil) == isOver, "\(budget)")
      #expect(outcome.outputs.isEmpty == isOver, "\(budget)")
    }
  }

  @Test func `of zero is over with the first refusal, and kept by a clean run`() async throws {
    for budget in [#"{"rate": 0}"#, #"{"count": 0}"#] {
      let good = [Self.record(1)]
      #expect(try await run(Self.spec(budget), [("a.jsonl", good)]).error == nil)
      #expect(try await run(Self.spec(budget), [("a.jsonl", good + ["x"])]).code == "over_budget")
      #expect(try await run(Self.spec(budget), [("a.jsonl", [])]).error == nil)
    }
  }

  @Test func `that only warns publishes the outputs, and the result says so`() async throws {
    let outcome = try await run(
      Self.spec(#"{"rate": 0.1, "on_exceeded": "warn"}"#),
      [("a.jsonl", [Self.record(1), Self.record(2, n: "null")])])
    let result = try #require(outcome.result)
    #expect(result.overBudget.count == 1 && result.overBudget[0].refused == 1)
    #expect(try outcome.records("out.jsonl").count == 1)
    #expect(result.overBudget[0].json["on_exceeded"] == "warn")
  }

  // MARK: Groups

  @Test func `by a field is held against each value by itself`() async throws {
    let records =
      (0..<95).map { Self.record($0) } + (0..<3).map { Self.record($0, "FR") }
      + [Self.record(9, "FR", n: "null"), Self.record(9, "FR", n: "null")]
    let spec = Self.spec(#"[{"rate": 0.02}, {"rate": 0.1, "by": "market", "min_records": 5}]"#)
    let outcome = try await run(spec, [("a.jsonl", records)])
    let over = try #require(outcome.overBudget)
    #expect(over.excesses.count == 1)
    let excess = try excess(outcome)
    #expect(excess.group.map(\.name) == ["market"] && excess.group[0].value == "FR")
    #expect(excess.refused == 2 && excess.records == 5)
    #expect(excess.text.contains("2 of 5 records of market FR (40 %)"))
    #expect(
      try await run(
        spec.replacing("\"min_records\": 5", "\"min_records\": 6"),
        [("a.jsonl", records)]
      ).error == nil)
  }

  @Test func `by a field says nothing of lines that have no value in it`() async throws {
    let records = [Self.record(1), "x", "y"]
    let byMarket = try await run(
      Self.spec(#"{"rate": 0.1, "count": 0, "by": ["market"]}"#), [("a.jsonl", records)])
    #expect(byMarket.error == nil)
  }

  @Test func `by shard names the shard`() async throws {
    let outcome = try await run(
      Self.spec(#"{"count": 1, "by": "shard"}"#),
      [
        ("a.jsonl", [Self.record(1), "x"]), ("b.jsonl", ["x", Self.record(1)]),
        ("c.jsonl", ["x", "y", Self.record(1)]),
      ])
    let excess = try excess(outcome)
    #expect(excess.group.map(\.name) == ["shard"] && excess.group[0].value == "c.jsonl")
    #expect(excess.refused == 2 && excess.records == 3)
    #expect(excess.sample?.shard == "c.jsonl" && excess.sample?.line == 1)
  }

  @Test(arguments: [1, 64, 256 * 1024])
  func `of a stage is of what came to that stage`(batchBytes: Int) async throws {
    let spec = pipeline(
      fields: Self.fields,
      transforms: #"""
        "de": { "type": "filter", "inputs": ["s"], "where": "market == 'DE' || market == 'FR'" },
        "f": { "type": "filter", "inputs": ["de"], "where": "n >= 0",
               "error_budget": [{"rate": 0.25, "by": ["market"]}, {"rate": 0.5}] }
        """#, sinks: jsonlSink("out", "f"), more: #" "ledger_by": ["market"],"#)
    let records =
      (0..<20).map { Self.record($0, "XX") } + (0..<6).map { Self.record($0, "DE") }
      + [Self.record(1, "DE", n: "null"), Self.record(2, "DE", n: "null")]
      + [Self.record(3, "FR", n: "null"), Self.record(4, "FR")]
    let outcome = try await run(spec, [("a.jsonl", records)], batchBytes: batchBytes)
    let over = try #require(outcome.overBudget)
    // DE is exactly at a quarter.
    #expect(over.excesses.map(\.refused) == [1] && over.excesses.map(\.records) == [2])
    #expect(over.excesses[0].stage == "f" && over.excesses[0].group[0].value == "FR")
    #expect(over.excesses[0].text.contains("by `f`"))
  }

  // MARK: Branches

  @Test func `of the run counts a line that another branch delivers as delivered`() async throws {
    let records = [Self.record(1), Self.record(2, n: "null"), Self.record(3, n: "null")]
    func spec(_ run: String, _ stage: String) -> String {
      pipeline(
        fields: Self.fields,
        transforms:
          #""f": { "type": "filter", "inputs": ["s"], "where": "n >= 0", "error_budget": \#(stage) }"#,
        sinks: [jsonlSink("all", "s"), jsonlSink("out", "f")].joined(separator: ","),
        more: #" "error_budget": \#(run),"#)
    }
    let kept = try await run(spec(#"{"count": 0}"#, #"{"count": 2}"#), [("a.jsonl", records)])
    #expect(kept.error == nil && kept.result?.ledger.records.quarantined == 0)
    let over = try await run(spec(#"{"count": 0}"#, #"{"count": 1}"#), [("a.jsonl", records)])
    #expect(try excess(over).stage == "f")
  }

  // MARK: Stopping early

  private static let deep = pipeline(
    fields: fields,
    transforms: #"""
      "u": { "type": "dedupe", "inputs": ["s"], "key": ["id"], "error_budget": {"rate": 0.5} },
      "f": { "type": "filter", "inputs": ["u"], "where": "n >= 0", "error_budget": BUDGET },
      "v": { "type": "dedupe", "inputs": ["f"], "key": ["n"] }
      """#, sinks: jsonlSink("out", "v"), more: #" "ledger_by": ["market"],"#)

  @Test func `stops a run behind the pass in which it is certain to be over`() async throws {
    let records = (0..<10).map { Self.record($0, n: $0 < 4 ? "null" : nil) } + [Self.record(9)]
    let outcome = try await run(
      Self.deep.replacing("BUDGET", #"{"rate": 0.3}"#), [("a.jsonl", records)])
    let over = try #require(outcome.overBudget)
    #expect(!over.isComplete && over.shardsLeft == 0)
    #expect(over.excesses.map(\.refused) == [4] && over.excesses.map(\.records) == [10])
    #expect(over.ledger.imbalances() == [])
    let counts = over.ledger.records
    #expect(counts.read == 11 && counts.quarantined == 4 && counts.deduplicated == 1)
    #expect(counts.unfinished == 6)
    let atLimit = try await run(
      Self.deep.replacing("BUDGET", #"{"rate": 0.4}"#), [("a.jsonl", records)])
    #expect(atLimit.error == nil && atLimit.result?.ledger.records.unfinished == 0)
  }

  @Test func `ends a run with the same words and records whatever the workers`() async throws {
    var random = SeededRandom(seed: 7)
    for round in 0..<12 {
      let shards = (0..<12).map { shard in
        (
          path: "data/\(100 + shard).jsonl",
          records: (0..<Int.random(in: 0...60, using: &random)).map { line -> String in
            switch Int.random(in: 0..<12, using: &random) {
            case 0: return "not json"
            case 1: return Self.record(line, "FR", n: "null")
            case 2...6: return Self.record(line, "FR")
            default: return Self.record(line, "DE")
            }
          }
        )
      }
      let budget = [
        #"{"count": \#(Int.random(in: 0...60, using: &random))}"#,
        #"{"rate": 0.\#(Int.random(in: 1...30, using: &random))}"#,
        #"{"count": \#(Int.random(in: 0...30, using: &random)), "by": "market"}"#,
        #"{"count": \#(Int.random(in: 0...12, using: &random)), "rate": 0.5, "by": "shard"}"#,
      ].randomElement(using: &random)!
      for spec in [Self.spec(budget), Self.spec("", stage: budget)] {
        var seen: (everything: [String: [UInt8]], message: String?)?
        for (workers, batchBytes, wide) in [
          (1, 1 << 18, 1 << 20), (2, 200, 1), (5, 4_096, 1 << 20),
        ] {
          var runner = PipelineRunner(spec, shards: shards)
          runner.workers = workers
          runner.batchBytes = batchBytes
          runner.wideShardBytes = wide
          let outcome = try await runner.run()
          #expect(outcome.error == nil || outcome.overBudget != nil, "\(outcome.error!)")
          let now = (outcome.everything, outcome.overBudget?.message)
          if let seen {
            #expect(seen.everything == now.0, "round \(round), \(budget), \(workers) workers")
            #expect(seen.message == now.1, "round \(round), \(budget), \(workers) workers")
          }
          seen = now
          if let over = outcome.overBudget { #expect(over.ledger.imbalances() == []) }
          try check(outcome, budget, shards.map(\.records), isOfRun: spec == Self.spec(budget))
        }
      }
    }
  }

  /// The same from the lines themselves.
  private func check(
    _ outcome: PipelineOutcome, _ budget: String, _ shards: [[String]], isOfRun: Bool
  ) throws {
    let json = try #require(JSONValue(parsing: budget))
    func isBad(_ line: String) -> Bool {
      isOfRun ? line == "not json" || line.contains("null") : line.contains("null")
    }
    let lines = shards.enumerated().flatMap { shard, lines in lines.map { (shard, $0) } }
      .filter { isOfRun || $0.1 != "not json" }
    var groups: [String: (bad: Int, all: Int)] = [:]
    for (shard, line) in lines {
      var group = ""
      if json["by"] == "shard" { group = "\(shard)" }
      if json["by"] == "market" {
        if line == "not json" { continue }
        group = line.contains("FR") ? "FR" : "DE"
      }
      groups[group, default: (0, 0)].all += 1
      if isBad(line) { groups[group]!.bad += 1 }
    }
    var rate = 2.0
    if case .number(let value) = json["rate"] { rate = value }
    let isOver = groups.values.contains { counts in
      counts.bad > json["count"]?.integer ?? .max
        || Double(counts.bad) / Double(counts.all) > rate
    }
    #expect(isOver == (outcome.overBudget != nil), "\(budget)")
  }

  @Test func `reads no more shards once its count is over`() async throws {
    let shards = (0..<40).map { ("\(100 + $0).jsonl", ["x", Self.record(1)]) }
    let outcome = try await run(Self.spec(#"{"count": 2}"#), shards, workers: 1)
    let over = try #require(outcome.overBudget)
    #expect(over.shardsLeft == 37 && over.ledger.shards.count == 3)
    #expect(outcome.quarantine.count == 3)
    #expect(over.ledger.records.unfinished == 0 && over.ledger.records.written == 3)
  }

  @Test func `does not stop a run early that it only warns about`() async throws {
    let shards = (0..<5).map { ("\($0).jsonl", ["x", Self.record(1)]) }
    let outcome = try await run(
      Self.spec(#"{"count": 0, "on_exceeded": "warn"}"#), shards, workers: 1)
    #expect(outcome.result?.overBudget.first?.refused == 5)
    #expect(try outcome.records("out.jsonl").count == 5)
  }

  @Test func `is over in the same way where the tasks are known from before`() async throws {
    let budget = #"[{"count": 2, "by": "market"}, {"rate": 0.05, "by": ["market", "id"]}]"#
    let stage = #"{"rate": 0.1, "by": "market"}"#
    try await withTemporaryFolder { folder in
      for shard in 0..<3 {
        let lines = (0..<20).map {
          Self.record($0, $0 % 2 == 0 ? "DE" : "FR", n: $0 % 7 == shard ? "null" : nil)
        }
        try folder.write(SampleShard.text(lines + ["x"]), at: "data/\(shard).jsonl")
      }
      var seen: PipelineOutcome?
      for _ in 0..<2 {
        let outcome = try await PipelineRunner(Self.spec(budget, stage: stage), files: [])
          .run(in: folder)
        let over = try #require(outcome.overBudget)
        #expect(over.ledger.imbalances() == [])
        if let seen {
          #expect(seen.everything == outcome.everything)
          #expect(seen.overBudget?.excesses.map(\.text) == over.excesses.map(\.text))
        }
        seen = outcome
      }
      let raised = try await PipelineRunner(
        Self.spec(#"{"rate": 1}"#, stage: #"{"rate": 1, "by": "market"}"#), files: []
      ).run(in: folder)
      let result = try #require(raised.result)
      #expect(result.tasks.contains { $0.isReused })
    }
  }

  // MARK: Specs

  @Test(arguments: [
    (#"{}"#, "", "empty_budget"), (#"[]"#, "", "empty_budget"),
    (#"{"rate": 1.5}"#, "", "out_of_range"), (#"{"count": -1}"#, "", "out_of_range"),
    (#"{"rate": 0.1, "by": "queue"}"#, "", "unknown_by"),
    (#"{"rate": 0.1, "by": []}"#, "", "empty_by"),
    (#"{"rate": 0.1, "by": ["shard", "market"]}"#, "", "bad_by"),
    (#"{"rate": 0.1, "by": ["market", "market"]}"#, "", "duplicate_entry"),
    (#"{"count": 1, "min_records": 3}"#, "", "unused_option"),
    (#"{"rates": 0.1}"#, "", "unknown_key"),
    (#"{"rate": 0.1, "on_exceeded": "abort"}"#, "", "unknown_choice"),
    ("", #"{"count": 1, "by": "nothing"}"#, "unknown_by"),
    ("", "0.01", "wrong_type"),
  ])
  func `that cannot be meant is a problem of the spec`(
    run budget: String, stage: String, code: String
  ) async throws {
    let outcome = try await run(Self.spec(budget, stage: stage), [("a.jsonl", [])])
    #expect(outcome.problems.sorted.map(\.code).contains(code), "\(outcome.problems.text)")
    #expect(outcome.problems.sorted.allSatisfy { $0.text.contains("pipeline.json:") })
  }

  @Test func `takes its limits from parameters, which makes them used`() async throws {
    let spec = Self.spec(#"{"count": "${param.most}"}"#)
      .replacing(#""name": "test","#, #""name": "test", "params": {"most": {"type": "int"}},"#)
    for (most, code) in [("1", "over_budget"), ("2", nil)] {
      var runner = PipelineRunner(spec, shards: [("data/a.jsonl", ["x", "y"])])
      runner.params = [("most", most)]
      let outcome = try await runner.run()
      #expect(outcome.code == code, "\(outcome.problems.text)")
    }
  }

  @Test func `is part of the plan, so that another one asks again`() async throws {
    let records = [("a.jsonl", [Self.record(1)])]
    let specs = [
      Self.spec(""), Self.spec(#"{"rate": 0.1}"#), Self.spec(#"{"rate": 0.2}"#),
      Self.spec(#"{"rate": 0.2, "on_exceeded": "warn"}"#),
      Self.spec(#"{"rate": 0.2, "by": "shard"}"#), Self.spec("", stage: #"{"rate": 0.2}"#),
    ]
    var keys: [String] = []
    for spec in specs { keys.append(try #require(try await run(spec, records).result).runKey) }
    #expect(Set(keys).count == keys.count)
  }
}

extension String {
  fileprivate func replacing(_ text: String, _ other: String) -> String {
    split(separator: text, omittingEmptySubsequences: false).joined(separator: other)
  }
}
