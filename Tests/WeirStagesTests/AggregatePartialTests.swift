import Testing
import WeirData
import WeirStatistics
import WeirTesting

@testable import WeirEngine
@testable import WeirStages

private let fields = """
  {"market": "string?", "level": "int", "ts": "timestamp", "decision": "string",
   "handle_ms": "int?", "moderator": "string?"}
  """

private struct Event {
  var market: String?
  var level: Int
  var hour: Int
  var isViolation: Bool
  var handleMs: Int?
  var moderator: Int?

  init(_ random: inout SeededRandom) {
    market = random.oneIn(7) ? nil : random.pick(["DE", "FR", "", "long name, with more", "é"])
    level = random.below(3) - 1
    hour = random.below(24 * 20)
    isViolation = random.oneIn(3)
    handleMs = random.oneIn(4) ? nil : random.below(100_000) - 500
    moderator = random.oneIn(5) ? nil : random.below(900)
  }

  var line: String {
    let time = Timestamp(microseconds: (20_000 * 24 + Int64(hour)) * 3_600_000_000 + 1_234)
    return JSONValue.object([
      JSONMember("market", market.map { .text($0) } ?? .null), JSONMember("level", .int(level)),
      JSONMember("ts", .text(time.rfc3339)),
      JSONMember("decision", .text(isViolation ? "violation" : "allow")),
      JSONMember("handle_ms", handleMs.map { .int($0) } ?? .null),
      JSONMember("moderator", moderator.map { .text("m\($0)") } ?? .null),
    ]).text
  }

  var day: String { CivilDate(daysSinceEpoch: 20_000 + hour / 24).iso }
}

private func planned() throws -> PlannedPipeline {
  var problems = Problems()
  let planned = PlannedPipeline(
    fields: fields,
    transform: """
      {"type": "aggregate", "inputs": ["in"], "by": ["market", "level"], "time": "ts",
       "bucket": "1d",
       "metrics": {"n": {"count": true}, "k": {"count": "decision == 'violation'"},
                   "rate": {"rate": "decision == 'violation'"}, "sum": {"sum": "handle_ms"},
                   "mean": {"mean": "handle_ms"}, "min": {"min": "handle_ms"},
                   "max": {"max": "moderator"}, "p95": {"quantile": 0.95, "of": "handle_ms"},
                   "median": {"quantile": 0.5, "of": "handle_ms"},
                   "moderators": {"distinct": "moderator"}}}
      """, &problems)
  return try #require(planned, "\(problems.sorted.map(\.text))")
}

/// The same by a dictionary, one group at a time.
private func naive(_ events: [Event]) -> [[JSONValue]] {
  var groups: [[String]: [Event]] = [:]
  for event in events {
    let market = event.market.map { "1" + $0 } ?? "0"
    groups[[market, String(event.level + 5), event.day], default: []].append(event)
  }
  let keys = groups.keys.sorted { a, b in
    for (x, y) in zip(a, b) where !x.utf8.elementsEqual(y.utf8) {
      return x.utf8.lexicographicallyPrecedes(y.utf8)
    }
    return false
  }
  return keys.map { key in
    let events = groups[key]!
    let k = events.count { $0.isViolation }
    let times = events.compactMap(\.handleMs)
    let moderators = events.compactMap { $0.moderator.map { "m\($0)" } }
    var sketch = DDSketch()
    for time in times { sketch.add(Double(time)) }
    var distinct = HyperLogLog()
    for moderator in Set(moderators) {
      let bytes = Array(moderator.utf8)
      var encoded: [UInt8] = []
      bytes.withUnsafeBufferPointer { appendKey(.string($0), to: &encoded) }
      distinct.add(hash: encoded.withUnsafeBufferPointer { xxh3($0) })
    }
    let sum = times.reduce(0, +)
    let last = moderators.max { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    return [
      events[0].market.map { .text($0) } ?? .null, .int(events[0].level), .text(key[2]),
      .int(events.count), .int(k), .number(Double(k) / Double(events.count)),
      times.isEmpty ? .null : .int(sum),
      times.isEmpty ? .null : .number(Double(sum) / Double(times.count)),
      times.min().map { .int($0) } ?? .null, last.map { .text($0) } ?? .null,
      sketch.quantile(0.95).map { .number($0) } ?? .null,
      sketch.quantile(0.5).map { .number($0) } ?? .null,
      .int(Int(distinct.estimate.rounded())),
    ]
  }
}

@Suite struct AggregatePartialTests {
  @Test(arguments: 0..<6)
  func `any split into shards and batches makes the rows of a plain dictionary`(
    _ seed: UInt64
  ) throws {
    var random = SeededRandom(seed: seed)
    let events = (0..<(400 + random.below(800))).map { _ in Event(&random) }
    let lines = events.map(\.line)
    let planned = try planned()
    let expected = naive(events)
    for shards in [1, 2, 5, 17] {
      var cuts = (1..<shards).map { _ in random.below(lines.count + 1) } + [0, lines.count]
      cuts.sort()
      let parts = zip(cuts, cuts.dropFirst()).map { Array(lines[$0..<$1]) }
      let table = try planned.rows(parts, batchBytes: random.pick([1, 500, 4_000, 1 << 20]))
      #expect(Array(table.rows) == expected)
    }
  }

  @Test func `a partial does not depend on batches and survives a merge`() throws {
    var random = SeededRandom(seed: 99)
    let lines = (0..<700).map { _ in Event(&random).line }
    let planned = try planned()
    let bytes = try planned.partial(lines).bytes
    for batchBytes in [1, 300, 5_000] {
      #expect(try planned.partial(lines, batchBytes: batchBytes).bytes == bytes)
    }
    let merger = try #require(planned.makeMerger() as? AggregateMerger)
    try merger.merge(bytes)
    #expect(merger.encode() == bytes)
    #expect(merger.recordCount == 700)
    let empty = try planned.partial([]).bytes
    try merger.merge(empty)
    #expect(merger.encode() == bytes)
  }

  @Test(arguments: CodedColumns.Mode.allCases)
  func `a partial that is used again is like a new one`(_ mode: CodedColumns.Mode) throws {
    var random = SeededRandom(seed: 7)
    let planned = try planned()
    let used = planned.reduce.makePartial()
    var reset = 0
    for count in [300, 1, 0, 40, 300, 20] {
      let lines = (0..<count).map { _ in Event(&random).line }
      // Other codes each time, as kept columns have them.
      let coder = CodedColumns(mode)
      var refusals: [Refusal] = []
      try planned.read(lines, batchBytes: 4_000) { batch, selection in
        coder.encode(batch, columns: 0..<batch.columnCount)
        used.add(batch, selection, &refusals)
      }
      #expect(try used.encode() == planned.partial(lines).bytes)
      reset += used.reset() ? 1 : 0
    }
    #expect(reset == 6)
  }

  @Test(arguments: CodedColumns.Mode.allCases, ["1h", "1d", "1w"])
  func `codes of strings change no byte and no refusal`(
    _ mode: CodedColumns.Mode, _ bucket: String
  ) throws {
    for by in [
      #"["market"]"#, #"["market", "decision"]"#, #"["market", "decision", "level"]"#, "[]",
      #"["market", "decision", "moderator", "a", "b"]"#,
    ] {
      var problems = Problems()
      let planned = try #require(
        PlannedPipeline(
          fields: """
            {"market": "string?", "level": "int", "ts": "timestamp?", "decision": "string",
             "handle_ms": "int?", "moderator": "string?", "a": "string?", "b": "string?"}
            """,
          transform: """
            {"type": "aggregate", "inputs": ["in"], "by": \(by), "time": "ts", "bucket": "\(bucket)",
             "metrics": {"n": {"count": true}, "k": {"count": "decision == 'violation'"},
                         "x": {"sum": "decision == 'allow' ? handle_ms : 1000 / (handle_ms - 7)"},
                         "f": {"mean": "market == 'FR' ? 0.5 : 2.0"},
                         "low": {"min": "moderator"}, "high": {"max": "market"},
                         "least": {"min": "handle_ms"}, "most": {"max": "ts"},
                         "d": {"distinct": "moderator"}, "p": {"quantile": 0.9, "of": "handle_ms"}}}
            """, &problems), "\(problems.sorted.map(\.text))")
      var random = SeededRandom(seed: 12)
      let lines = (0..<900).map { i in
        Event(&random).line.replacing("\"ts\"", with: i % 40 == 0 ? "\"no_ts\"" : "\"ts\"")
      }
      let plain = try planned.partial(lines)
      for batchBytes in [1, 3_000, 1 << 20] {
        let coded = try planned.partial(lines, batchBytes: batchBytes, coder: CodedColumns(mode))
        #expect(coded.bytes == plain.bytes)
        #expect(coded.refusals.map(\.line) == plain.refusals.map(\.line))
        #expect(coded.refusals.map(\.message) == plain.refusals.map(\.message))
      }
      #expect(Set(plain.refusals.map(\.code)) == ["missing_time", "expression_error"])
    }
  }

  @Test func `merging sketches and ints in any order gives the same state`() throws {
    var random = SeededRandom(seed: 5)
    let planned = try planned()
    let partials = try (0..<6).map { _ in
      try planned.partial((0..<120).map { _ in Event(&random).line }).bytes
    }
    func merged(_ partials: [[UInt8]]) throws -> [UInt8] {
      let merger = try #require(planned.makeMerger() as? AggregateMerger)
      for partial in partials { try merger.merge(partial) }
      return merger.encode()
    }
    let all = try merged(partials)
    #expect(try merged(partials.reversed()) == all)
    let halves = try [merged(Array(partials[..<2])), merged(Array(partials[2...]))]
    #expect(try merged(halves) == all)
  }

  @Test func `damage is an error, with and without a right checksum`() throws {
    var random = SeededRandom(seed: 31)
    let planned = try planned()
    let bytes = try planned.partial((0..<60).map { _ in Event(&random).line }).bytes
    func code(_ bytes: [UInt8]) -> String? {
      do {
        try planned.makeMerger().merge(bytes)
        return nil
      } catch { return (error as? RunError)?.code ?? "other" }
    }
    func signed(_ content: some Sequence<UInt8>) -> [UInt8] {
      let content = Array(content)
      var out = ByteWriter()
      out.integer(content.withUnsafeBufferPointer { xxh3($0) })
      return content + out.bytes
    }
    for length in 0..<bytes.count { #expect(code(Array(bytes[..<length])) == "damaged_partial") }
    let content = bytes.dropLast(8)
    for length in 0..<content.count {
      #expect(code(signed(content.prefix(length))) != nil)
    }
    for _ in 0..<20_000 {
      var damaged = Array(content)
      for _ in 0...random.below(3) {
        damaged[random.below(damaged.count)] = random.pick([0, 1, 0x7F, 0x80, 0xFF, 0x40])
      }
      if damaged == Array(content) { continue }
      #expect(code(damaged + bytes.suffix(8)) == "damaged_partial")
      // With a right checksum it may be a partial of other records; it must not trap.
      let merger = planned.makeMerger()
      do {
        try merger.merge(signed(damaged))
        try merger.merge(signed(damaged))
        _ = try merger.finish()
      } catch { #expect(error is RunError) }
    }
  }

  @Test func `another layout is refused`() throws {
    var problems = Problems()
    let other = try #require(
      PlannedPipeline(
        fields: #"{"market": "int"}"#,
        transform: """
          {"type": "aggregate", "inputs": ["in"], "by": ["market"], "metrics": {"n": {"count": true}}}
          """, &problems))
    let bytes = try other.partial([#"{"market":1}"#]).bytes
    let merger = try planned().makeMerger()
    let error = #expect(throws: RunError.self) { try merger.merge(bytes) }
    #expect(error?.code == "mixed_types")
  }
}
