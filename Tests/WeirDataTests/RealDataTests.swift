import Testing
import WeirData
import WeirTesting

@Suite(.enabled(if: SharedData.has("data/decisions"), "needs ../shared/data/decisions"))
struct `Real decisions` {
  /// Rows by ../shared/data/facts.
  @Test(arguments: [
    ("nycflights13", 336_776), ("bpi2012", 262_200), ("traffic_fines", 34_724),
    ("crehate", 42_546), ("armis", 2_829), ("barzan", 5_000), ("openai_moderation", 9_298),
  ])
  func `are all read, whatever the size of batch`(name: String, rows: Int) throws {
    let fields = planned([
      ("id", "any"), ("ts", "timestamp?"), ("label", "any?"), ("model_score", "number?"),
    ])
    for batchBytes in [4_096, 256 * 1024] {
      let path = try #require(SharedData.path("data/decisions/\(name).jsonl.zst"))
      var limits = ShardLimits()
      limits.batchBytes = batchBytes
      let file = try ShardFile(path: path)
      let scanner = RecordScanner(fields: fields)
      var decoder = ShardDecoder(path: path, limits: limits)
      var found = 0
      var refusals: [LineRefusal] = []
      var text = 0
      func take(_ block: consuming LineBlock) {
        #expect(block.byteOffset == text)
        text += block.bytes.count
        var batch = Batch(block, columnCount: fields.count)
        found += scanner.scan(&batch, refusals: &refusals).count
      }
      while let piece = try file.read(upTo: 1 << 18) { try decoder.consume(piece, emit: take) }
      try decoder.finish(emit: take)
      #expect(found == rows)
      #expect(refusals.isEmpty, "\(refusals.first?.message ?? "")")
      #expect(decoder.uncheckedFrames == 0)
    }
  }
}
