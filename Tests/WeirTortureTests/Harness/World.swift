import Glibc
import WeirData
import WeirTesting

/// The inputs of a pipeline as nights go by: a shard comes each night, some come late, some are
/// replaced, some go, and one night the records have a field more and the spec reads it.
struct World {
  let folder: CaseFolder
  private var random = SeededRandom(seed: 60)
  /// Days whose shard is still to come, and in which night it will.
  private var late: [(day: Int, night: Int)] = []
  private var shards: [Int: String] = [:]
  private(set) var hasLanguage = false
  /// Whether the spec is another one than the night before.
  private(set) var isNewSchema = false
  /// What happened last, in words.
  private(set) var news: [String] = []

  init() throws {
    folder = try CaseFolder()
    try makeFolder(folder.path + "/data")
    try writeSpec()
  }

  /// One partition for each market; `*` is all of them.
  private func writeSpec() throws {
    let language = hasLanguage ? #", "lang": "string?""# : ""
    let by = hasLanguage ? #"["market", "lang"]"# : #"["market"]"#
    let spec = #"""
      { "name": "night",
        "partition": ["market"],
        "params": { "market": { "type": "string", "default": "*" } },
        "ledger_by": ["market"],
        "sources": { "s": { "type": "jsonl", "paths": ["data/day=*/*"],
          "fields": { "id": "string", "rev": "int", "market": "string", "score": "int",
                      "day": "int", "ts": "timestamp"\#(language) } } },
        "transforms": {
          "unique": { "type": "dedupe", "inputs": ["s"], "key": ["id"], "order_by": ["rev"] },
          "scoped": { "type": "filter", "inputs": ["unique"],
                      "where": "params.market == '*' || market == params.market" },
          "sums":   { "type": "aggregate", "inputs": ["scoped"], "by": \#(by),
                      "metrics": { "n": { "count": true }, "score": { "sum": "score" } } },
          "trends": { "type": "trend", "inputs": ["scoped"], "time": "ts", "by": ["market"],
                      "metrics": { "high": { "rate": "score >= 50" } } }
        },
        "sinks": {
          "records": { "type": "jsonl", "inputs": ["scoped"], "path": "day={day}/part.jsonl.zst" },
          "table":   { "type": "csv", "inputs": ["sums"], "path": "sums.csv" },
          "report":  { "type": "report", "inputs": ["trends"], "path": "report.html" }
        }
      }
      """#
    try writeFile(Array(spec.utf8), to: folder.path + "/p.json")
  }

  /// What comes in until the next run.
  mutating func pass(_ night: Int) throws {
    news = []
    isNewSchema = night == 8
    if night == 8 {
      hasLanguage = true
      try writeSpec()
      news.append("the records have a field more")
    }
    // The shard of the day, or not yet.
    if night % 6 == 4 {
      late.append((night, night + 1 + random.below(3)))
    } else {
      try put(night)
    }
    for (day, due) in late where due == night {
      try put(day)
      news.append("day \(day) came late")
    }
    late.removeAll { $0.night <= night }
    let days = shards.keys.sorted()
    if night % 7 == 3 {
      let day = random.pick(days)
      try put(day)
      news.append("day \(day) was replaced")
    }
    if night % 9 == 5, days.count > 3 {
      let day = random.pick(days)
      try remove(day)
      news.append("day \(day) is gone")
    }
  }

  private mutating func put(_ day: Int) throws {
    try remove(day)
    let text = SampleShard.text((0..<40).map { _ in line(day) })
    let ending = ["jsonl", "jsonl.zst", "jsonl.gz"][random.below(3)]
    let path = "data/day=\(day)/part.\(ending)"
    try makeFolder("\(folder.path)/data/day=\(day)")
    let bytes =
      switch ending {
      case "jsonl": text
      case "jsonl.gz": SampleShard.gzip(text)
      default: SampleShard.zstd(text, frames: 1 + random.below(3))
      }
    // As a careful writer does it: the shard is there as a whole or not at all.
    let hidden = folder.path + "/coming"
    try writeFile(bytes, to: hidden)
    guard rename(hidden, folder.path + "/" + path) == 0 else {
      throw FileFailure(path: path, code: errno)
    }
    shards[day] = path
  }

  private mutating func remove(_ day: Int) throws {
    guard let path = shards.removeValue(forKey: day) else { return }
    guard unlink(folder.path + "/" + path) == 0 else { throw FileFailure(path: path, code: errno) }
  }

  private mutating func line(_ day: Int) -> String {
    switch random.below(30) {
    case 0: return #"{"id":"cut"#
    case 1: return #"{"id":7}"#
    default:
      // Keys come again in shards of other days.
      let id = random.oneIn(4) ? random.below(80) : day * 1_000 + random.below(60)
      let language = hasLanguage ? #","lang":"\#(random.pick(["de", "fr", "ja"]))""# : ""
      let date = CivilDate(daysSinceEpoch: 20_700 + day)
      let text = [date.year, date.month, date.day].map { $0 < 10 ? "0\($0)" : "\($0)" }
        .joined(separator: "-")
      return
        #"{"id":"\#(id)","rev":\#(random.below(5)),"market":"\#(random.pick(["DE", "FR", "JP"]))","score":\#(random.below(100)),"ts":"\#(text)T0\#(random.below(10)):00:00Z"\#(language)}"#
    }
  }
}
