import Glibc
import WeirData
import WeirTesting

/// The folder of the repository.
let repository = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
  .joined(separator: "/")

/// The built `weir`; tests that need it say so where it is absent.
let weir = RunningBinary.weir ?? "weir"

/// A small corpus with everything that can go wrong in a line, and records that come again.
struct Corpus {
  var shards: [(path: String, bytes: [UInt8])] = []
  var lines = 0

  init(seed: UInt64, shardCount: Int = 5, lines perShard: Int = 400) {
    var random = SeededRandom(seed: seed)
    for shard in 0..<shardCount {
      var text: [UInt8] = []
      for _ in 0..<perShard {
        text += Corpus.line(&random) + [0x0A]
        lines += 1
      }
      let name = "data/day=\(shard)/part.jsonl"
      switch random.below(3) {
      case 0: shards.append((name, text))
      case 1: shards.append((name + ".gz", SampleShard.gzip(text, members: 1 + random.below(3))))
      default: shards.append((name + ".zst", SampleShard.zstd(text, frames: 1 + random.below(4))))
      }
    }
  }

  private static func line(_ random: inout SeededRandom) -> [UInt8] {
    switch random.below(60) {
    case 0: return Array(#"{"id":"cut"#.utf8)
    case 1: return Array("[1, 2]".utf8)
    case 2: return Array(#"{"id":""#.utf8) + [0xC0, 0x80] + Array(#""}"#.utf8)
    case 3: return Array(#"{"market":"DE","rev":1}"#.utf8)
    case 4: return []
    case 5: return Array(#"{"id":"x","market":7,"rev":1}"#.utf8)
    default:
      let market = random.pick(["DE", "FR", "é", "", "a/b"])
      let note = String(repeating: "n", count: random.below(random.oneIn(9) ? 2_000 : 60))
      return Array(
        #"{"id":"\#(random.below(700))","market":"\#(market)","rev":\#(random.below(5)),"score":\#(random.oneIn(6) ? "null" : "\(random.below(100))"),"note":"\#(note)"}"#
          .utf8)
    }
  }

  /// Source, filter, two dedupes, forks, joins and every kind of path.
  static let spec = #"""
    {
      "name": "corpus",
      "ledger_by": ["market"],
      "sources": {
        "s": { "type": "jsonl", "paths": ["data/day=*/*"],
          "fields": { "id": "string", "market": "string", "rev": "int", "score": "int?",
                      "day": "int" } }
      },
      "transforms": {
        "unique": { "type": "dedupe", "inputs": ["s"], "key": ["id"], "order_by": ["rev"] },
        "scored": { "type": "filter", "inputs": ["unique"], "where": "score >= 10" },
        "de": { "type": "filter", "inputs": ["s"], "where": "market == 'DE'" },
        "few": { "type": "dedupe", "inputs": ["scored", "de"], "key": ["market", "score"],
                  "keep": "first" }
      },
      "sinks": {
        "all": { "type": "jsonl", "inputs": ["unique"], "path": "all.jsonl.zst" },
        "by": { "type": "jsonl", "inputs": ["scored", "de"], "path": "m={market}/d{day}.jsonl" },
        "last": { "type": "jsonl", "inputs": ["few"], "path": "last.jsonl" },
        "gone": { "type": "jsonl", "inputs": ["unique.removed"], "path": "gone.jsonl.zst" }
      }
    }
    """#
}
