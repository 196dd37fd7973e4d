import Testing
import WeirData
import WeirEngine
import WeirStages
import WeirTesting

/// What previews and tests show is what a run does.
@Suite struct `A run in memory` {
  /// Rows behind two dedupes and no records: later passes go over kept columns.
  private static let rowsOnly = #"""
    { "name": "rows", "ledger_by": ["market"],
      "error_budget": { "rate": 0.9 },
      "sources": { "s": { "type": "jsonl", "paths": ["data/day=*/*"],
        "fields": { "id": "string", "market": "string", "rev": "int", "score": "int?", "day": "int" } } },
      "transforms": {
        "named": { "type": "derive", "inputs": ["s"], "fields": { "high": "score > 50" } },
        "unique": { "type": "dedupe", "inputs": ["named"], "key": ["id"], "order_by": ["rev"] },
        "bound": { "type": "derive", "inputs": ["unique"], "fields": { "share": "100 / score" } },
        "few": { "type": "dedupe", "inputs": ["bound"], "key": ["market", "score"], "keep": "first" },
        "counts": { "type": "aggregate", "inputs": ["few"], "by": ["market"],
          "metrics": { "n": { "count": true }, "high": { "count": "high" }, "mean": { "mean": "score" } } },
        "early": { "type": "aggregate", "inputs": ["s"], "by": ["day"], "metrics": { "n": { "count": true } } }
      },
      "sinks": {
        "csv": { "type": "csv", "inputs": ["counts"], "path": "counts.csv" },
        "days": { "type": "jsonl", "inputs": ["early"], "path": "days.jsonl.zst" },
        "gone": { "type": "csv", "inputs": ["unique.removed"], "path": "gone.csv" }
      } }
    """#

  private static let mapsOnly = #"""
    { "name": "maps",
      "sources": { "s": { "type": "jsonl", "paths": ["data/day=*/*"],
        "fields": { "id": "string", "market": "string", "rev": "int", "score": "int?" } } },
      "transforms": {
        "clean": { "type": "normalize", "inputs": ["s"],
          "fields": { "market": { "case": "lower", "replace": { "/": "_" } } } },
        "some": { "type": "filter", "inputs": ["clean"], "where": "rev < 4" } },
      "sinks": {
        "csv": { "type": "csv", "inputs": ["some"], "path": "{market}.csv.zst",
                 "columns": ["id", "market", "score"], "for": "excel" },
        "out": { "type": "jsonl", "inputs": ["some", "clean"], "path": "out.jsonl" } } }
    """#

  private static let specs = [Corpus.spec, rowsOnly, mapsOnly]

  @Test(arguments: 0..<3, [1, 2, 3])
  func `makes the files, the ledger and the quarantine of a run over the same bytes`(
    spec: Int, seed: Int
  ) async throws {
    let text = Self.specs[spec]
    let shards = try Corpus(seed: UInt64(seed), shardCount: 4, lines: 300).shards.map { shard in
      let path = shard.path.utf8.prefix { $0 != UInt8(ascii: ".") }
      return (String(decoding: path, as: UTF8.self) + ".jsonl", try decodedText(shard.bytes))
    }
    try await withTemporaryFolder { folder in
      for (path, bytes) in shards { try folder.write(bytes, at: path) }
      let run = try await PipelineRunner(text, files: []).run(in: folder)
      #expect(run.error == nil, "\(run.error.map { "\($0)" } ?? "")")
      let dry = try await dryRun(
        text, folder,
        shards.map { path, bytes in
          let name = String(decoding: path.utf8.dropFirst("data/".utf8.count), as: UTF8.self)
          let day = name.utf8.dropFirst("day=".utf8.count).prefix { $0 != UInt8(ascii: "/") }
          return DryShard(
            source: "s", name: name, text: bytes, pathValues: [Array(day)])
        })
      var files: [String: [UInt8]] = [:]
      for file in dry.files { files[file.path] = file.bytes }
      var outputs = run.outputs
      outputs["manifest.json"] = nil
      #expect(!outputs.isEmpty && !dry.quarantine.isEmpty)
      differences(outputs, files, "run and run in memory")
      #expect(dry.quarantine.flatMap { $0 + [0x0A] } == run.quarantineText)
      #expect(dry.ledger.json.text == JSONValue(parsing: run.ledgerText)?.text)
    }
  }

  @Test func `makes every file of every pipeline that a run makes of some of the samples`()
    async throws
  {
    for (name, params, data, pattern) in [
      ("nightly-trends", [], "decisions", "date=2026-09-2"),
      ("flights", [], "flights", "date=2013-0"),
      ("market-report", [("market", "DE")], "decisions", "date=2026-10-1"),
    ] as [(String, [(String, String)], String, String)] {
      let path = "\(repository)/pipelines/\(name).json"
      let text = String(decoding: try readFile(path), as: UTF8.self)
      try await withTemporaryFolder { folder in
        for (map, bytes) in try filesBelow("\(repository)/pipelines/maps") {
          try folder.write(bytes, at: "maps/\(map)")
        }
        var shards: [DryShard] = []
        for (file, bytes) in try filesBelow("\(repository)/data-samples/\(data)")
        where file.utf8.starts(with: pattern.utf8) {
          // A month of flights is more than is needed here.
          let some = try decodedText(bytes).split(separator: 0x0A).prefix(1_500)
            .flatMap { $0 + [0x0A] }
          let shard = String(decoding: file.utf8.dropLast(".zst".utf8.count), as: UTF8.self)
          try folder.write(some, at: "data/\(shard).zst")
          shards.append(DryShard(source: data, name: shard + ".zst", text: some, pathValues: []))
        }
        let date = shards.map { shard in
          shard.name.dropFirst("date=".utf8.count).prefix { $0 != UInt8(ascii: "/") }
        }
        for i in shards.indices { shards[i].pathValues = [Array(date[i])] }
        var runner = PipelineRunner(text, files: [])
        runner.params =
          params.map { (name: $0.0, value: $0.1) } + [(name: "data", value: folder.file("data"))]
        let run = try await runner.run(in: folder)
        #expect(run.error == nil, "\(run.error.map { "\($0)" } ?? "")")
        let dry = try await dryRun(text, folder, shards, runner.params)
        var files: [String: [UInt8]] = [:]
        for file in dry.files { files[file.path] = file.bytes }
        var outputs = run.outputs
        outputs["manifest.json"] = nil
        differences(outputs, files, name)
      }
    }
  }

  private func dryRun(
    _ text: String, _ folder: TemporaryFolder, _ shards: [DryShard],
    _ params: [(name: String, value: String)] = []
  ) async throws -> DryResult {
    var (spec, problems) = Spec.load(
      Array(text.utf8), file: folder.file("pipeline.json"), registry: .standard, given: params,
      currentDirectory: folder.path)
    let plan = spec.flatMap { Plan.make($0, problems: &problems) }
    spec = nil
    return try await #require(plan, "\(problems.text)").dryRun(shards)
  }
}

/// Names the files that are not the same.
func differences(_ a: [String: [UInt8]], _ b: [String: [UInt8]], _ how: String) {
  for path in Set(a.keys).union(b.keys).sorted() where a[path] != b[path] {
    Issue.record("\(path) differs: \(how)")
  }
}
