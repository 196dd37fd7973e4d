import WeirData
import WeirTesting

/// A small nightly pipeline with what is hard about one: keys that come again in other shards and later
/// revisions, lines that cannot be used, two record sinks with partitions, a table and a report. What
/// must come of it is worked out here, by other means than Weir's.
struct Nightly: Sendable {
  struct Record: Sendable {
    var id: Int
    var revision: Int
    var market: String
    var score: Int
    var day: Int
    var text: String
  }
  enum Line: Sendable {
    case record(Record)
    case bad(String)
    case blank
  }
  struct Shard: Sendable {
    var path: String
    var lines: [Line]

    /// In one of the forms that Weir reads, by the ending of the path.
    var bytes: [UInt8] {
      let text = SampleShard.text(
        lines.map {
          switch $0 {
          case .record(let record): record.text
          case .bad(let text): text
          case .blank: "  "
          }
        })
      if path.hasSuffix(".zst") { return SampleShard.zstd(text, frames: 2) }
      if path.hasSuffix(".gz") { return SampleShard.gzip(text, members: 2) }
      return text
    }
  }
  var shards: [Shard]

  static let markets = ["DE", "FR", "JP", "a/b"]

  static let spec = #"""
    { "name": "night",
      "ledger_by": ["market"],
      "sources": {
        "s": { "type": "jsonl", "paths": ["data/day=*"],
          "fields": { "id": "string", "rev": "int", "market": "string", "score": "int",
                      "day": "int", "ts": "timestamp" } }
      },
      "transforms": {
        "unique": { "type": "dedupe", "inputs": ["s"], "key": ["id"], "order_by": ["rev"] },
        "scored": { "type": "filter", "inputs": ["unique"], "where": "score >= 10" },
        "abroad": { "type": "filter", "inputs": ["scored"], "where": "market != 'DE'" },
        "sums":   { "type": "aggregate", "inputs": ["scored"], "by": ["market"],
                    "metrics": { "n": { "count": true } } },
        "trends": { "type": "trend", "inputs": ["scored"], "time": "ts", "by": ["market"],
                    "metrics": { "high": { "rate": "score >= 50" } } }
      },
      "sinks": {
        "records": { "type": "jsonl", "inputs": ["scored"], "path": "market={market}/part.jsonl" },
        "days":    { "type": "jsonl", "inputs": ["abroad"], "path": "day={day}.jsonl.zst" },
        "gone":    { "type": "jsonl", "inputs": ["unique.removed"], "path": "gone.jsonl" },
        "table":   { "type": "csv", "inputs": ["sums"], "path": "sums.csv" },
        "report":  { "type": "report", "inputs": ["trends"], "path": "report.html" }
      }
    }
    """#

  /// - Parameters:
  ///   - days: a shard for each, by its number.
  ///   - records: of one shard, about.
  init(seed: UInt64, days: [Int], records: Int = 60) {
    shards = days.map { day in
      // Each day is drawn for itself: it is the same whatever days there are beside it.
      var random = SeededRandom(seed: seed &* 1_000 &+ UInt64(day))
      let ending = ["jsonl", "jsonl.zst", "jsonl.gz"][day % 3]
      let lines = (0..<records).map { _ in Nightly.line(day, &random) }
      return Shard(path: "data/day=\(day).\(ending)", lines: lines)
    }
  }

  static func line(_ day: Int, _ random: inout SeededRandom) -> Line {
    switch random.below(25) {
    case 0: return .bad(#"{"id":"cut"#)
    case 1: return .bad(random.oneIn(2) ? "[1]" : #"{"id":"x","rev":"one"}"#)
    case 2: return .blank
    default:
      let market = random.pick(Nightly.markets)
      let (id, revision, score) = (random.below(150), random.below(4), random.below(100))
      let hour = random.below(24)
      let time = "2026-11-\(day < 9 ? "0" : "")\(day + 1)T\(hour < 10 ? "0" : "")\(hour):00:00Z"
      let note = (0..<random.pick([0, 2, 12])).map { _ in String(random.next(), radix: 36) }
      let text =
        #"{"id":"\#(id)","rev":\#(revision),"market":"\#(market)","score":\#(score),"day":\#(day),"ts":"\#(time)","note":"\#(note.joined())"}"#
      return .record(
        Record(
          id: id, revision: revision, market: market, score: score, day: day, text: text))
    }
  }

  // MARK: What must come of it

  /// What a reader of the inputs who knows nothing of Weir works out.
  struct Truth: Equatable {
    var read = 0, written = 0, filtered = 0, deduplicated = 0, quarantined = 0, blank = 0
    /// Texts of the record sinks and of the table, decompressed.
    var files: [String: String] = [:]
  }

  var truth: Truth {
    var truth = Truth()
    var winners: [Int: (revision: Int, position: Int)] = [:]
    var position = 0
    let lines = shards.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
      .flatMap(\.lines)
    for line in lines {
      defer { position += 1 }
      guard case .record(let record) = line else { continue }
      if let best = winners[record.id], best.revision > record.revision { continue }
      winners[record.id] = (record.revision, position)
    }
    var counts: [String: Int] = [:]
    for (position, line) in lines.enumerated() {
      switch line {
      case .blank: truth.blank += 1
      case .bad:
        truth.read += 1
        truth.quarantined += 1
      case .record(let record):
        truth.read += 1
        if winners[record.id]!.position != position {
          truth.deduplicated += 1
        } else if record.score < 10 {
          truth.filtered += 1
        } else {
          truth.written += 1
          counts[record.market, default: 0] += 1
          let market = record.market.split(separator: "/").joined(separator: "%2F")
          truth.files["market=\(market)/part.jsonl", default: ""] += record.text + "\n"
          guard record.market != "DE" else { continue }
          truth.files["day=\(record.day).jsonl.zst", default: ""] += record.text + "\n"
        }
      }
    }
    let rows = counts.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    truth.files["sums.csv"] =
      (["market,n"] + rows.map { "\($0.key),\($0.value)" }).map { $0 + "\n" }.joined()
    return truth
  }

  /// Writes the spec and the shards.
  func write(in folder: String) throws {
    try writeFile(Array(Nightly.spec.utf8), to: folder + "/p.json")
    try makeFolder(folder + "/data")
    for shard in shards { try writeFile(shard.bytes, to: folder + "/" + shard.path) }
  }
}
