import Testing
import WeirData
import WeirEngine
import WeirTesting

/// Invented decisions for the tests of `correlate` and `compare`: a shard a day from Monday 7 September
/// 2026.
enum RelationSamples {
  static let first = CivilDate(iso: "2026-09-07")!
  static let fields =
    #"{ "ts": "timestamp", "market": "string", "queue": "string", "vendor": "string?", "decision": "string" }"#

  static func date(_ day: Int) -> String {
    CivilDate(daysSinceEpoch: first.daysSinceEpoch + day).iso
  }

  /// How many records a market has on a day, and how likely each is a violation.
  struct Day {
    var count: Int
    /// In thousandths, by vendor.
    var rates: [(vendor: String, share: Int, rate: Int)]
  }

  /// - Parameter day: of a market; `nil` for none.
  static func shards(
    days: Int, markets: [String], seed: UInt64,
    _ day: (String, Int, inout SeededRandom) -> Day?
  ) -> [(path: String, records: [String])] {
    var random = SeededRandom(seed: seed)
    return (0..<days).map { t in
      var lines: [String] = []
      for market in markets {
        guard let one = day(market, t, &random) else { continue }
        for i in 0..<one.count {
          var at = random.below(1_000)
          let mine = one.rates.first { part in
            at -= part.share
            return at < 0
          }
          let part = mine ?? one.rates[0]
          let hour = i == 0 ? 23 : random.below(24)
          lines.append(
            #"{"ts":"\#(date(t))T\#(hour < 10 ? "0" : "")\#(hour):30:00Z","market":"\#(market)","queue":"hate","vendor":"\#(part.vendor)","decision":"\#(random.below(1_000) < part.rate ? "violation" : "approve")"}"#
          )
        }
      }
      let name = t < 10 ? "00\(t)" : t < 100 ? "0\(t)" : "\(t)"
      return ("data/\(name).jsonl", lines)
    }
  }

  /// A pipeline with one stage, its findings, tables and report.
  static func spec(_ stage: String, tables: [String]) -> String {
    let sinks = tables.map {
      #""\#($0)": { "type": "csv", "inputs": ["it.\#($0)"], "path": "\#($0).csv" }"#
    }
    return #"""
      { "name": "relations",
        "sources": { "in": { "type": "jsonl", "paths": ["data/*.jsonl"], "fields": \#(fields) } },
        "transforms": { "it": \#(stage) },
        "sinks": { "findings": { "type": "jsonl", "inputs": ["it"], "path": "findings.jsonl" },
          "report": { "type": "report", "inputs": ["it"], "path": "report.html" },
          \#(sinks.joined(separator: ", ")) } }
      """#
  }

  static func run(
    _ stage: String, tables: [String], _ shards: [(path: String, records: [String])],
    workers: Int = 2, memory: MemoryShares? = nil, batchBytes: Int = 256 * 1024
  ) async throws -> PipelineOutcome {
    var runner = PipelineRunner(spec(stage, tables: tables), shards: shards)
    runner.workers = workers
    runner.memory = memory
    runner.batchBytes = batchBytes
    return try await runner.run()
  }

  /// The bytes do not depend on workers, batches and memory, nor findings and tables on the order of
  /// the shards.
  static func expectSameBytes(
    _ stage: String, tables: [String], _ shards: [(path: String, records: [String])]
  ) async throws {
    let plain = try await run(stage, tables: tables, shards)
    for workers in [1, 3, 8] {
      let got = try await run(stage, tables: tables, shards, workers: workers, batchBytes: 900)
      #expect(got.everything == plain.everything, "\(workers) workers")
    }
    let scarce = try await run(
      stage, tables: tables, shards,
      memory: MemoryShares(workers: 2, kept: 2_000, deciding: 20_000))
    #expect(scarce.everything == plain.everything)
    // The same records, the days in another order of shards.
    let turned = shards.enumerated().map { i, shard in
      (path: "data/\(899 - i).jsonl", records: shard.records)
    }
    let other = try await run(stage, tables: tables, turned)
    for file in tables.map({ $0 + ".csv" }) {
      #expect(try other.text(file) == plain.text(file), "\(file)")
    }
    // Evidence names the shards, which are called otherwise now.
    func findings(_ outcome: PipelineOutcome) throws -> [String] {
      try outcome.lines("findings.jsonl").map { finding in
        guard case .object(let members) = finding else { return finding.text }
        return JSONValue.object(members.filter { $0.key != "evidence" }).text
      }
    }
    #expect(try findings(other) == findings(plain))
  }
}
