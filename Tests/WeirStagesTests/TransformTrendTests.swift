import Testing
import WeirData
import WeirStatistics
import WeirTesting

@testable import WeirEngine
@testable import WeirStages

@Suite struct TransformTrendTests {
  // MARK: What it finds

  @Test func `finds the planted shift and the planted dip and little else`() throws {
    let outcome = try TrendBench(TrendExample.spec).run(TrendExample.shards())
    let headlines = try outcome.detail.texts.map(\.headline)
    let found = outcome.findings.findings.map { finding in
      let series = finding["series"]!
      return [
        series["market"]!.plain, series["queue"]!.plain, series["metric"]!.plain,
        finding["type"]!.plain, finding["anchor"]!["date"]!.plain,
      ].joined(separator: " ")
    }
    #expect(
      found.contains { $0.hasPrefix("DE hate violation_rate shift 2026-10-1") }, "\(headlines)")
    #expect(found.contains("FR scam volume dip \(TrendExample.date(40))"), "\(headlines)")
    // Totals may speak of the same two changes; of the groups where nothing happened nothing is said,
    // but for what a false discovery rate of 5 % lets through.
    let others = found.filter { $0.hasPrefix("DE scam") || $0.hasPrefix("FR hate") }
    #expect(others.count <= 1, "\(others)")
    #expect(outcome.recordCount == TrendExample.shards().reduce(0) { $0 + $1.count })
    #expect(outcome.refused == [])
  }

  @Test func `writes a finding with everything that is known of it`() throws {
    let outcome = try TrendBench(TrendExample.spec).run(TrendExample.shards())
    guard let first = outcome.findings.findings.first, case .object(let members) = first else {
      Issue.record("no finding")
      return
    }
    #expect(
      members.map(\.key) == [
        "finding_id", "level", "type", "direction", "series", "anchor", "window", "baseline",
        "observed", "effect", "impact", "stats", "model", "data_quality", "explained_away",
        "earlier_changes", "explain",
        "incident",
        "related",
        "evidence", "rank", "text", "engine_version",
      ])
    #expect(first["finding_id"]!.plain.utf8.count == 12)
    #expect(first["rank"]!["position"] == .int(1))
    #expect(first["series"]!["zone"] == "UTC")
    #expect(first["series"]!["grain"] == "1d")
    let levels = outcome.findings.levels
    #expect(levels.map(\.level) == ["notice", "warning", "critical"])
    #expect(levels.reduce(0) { $0 + $1.count } == outcome.findings.findings.count)
  }

  @Test func `finds the blizzard of February 2013`() throws {
    let files = (1...12).map { month in
      Self.root
        + "/data-samples/flights/date=2013-\(month < 10 ? "0" : "")\(month)/part-00000.jsonl.zst"
    }
    let bench = try TrendBench(
      """
      { "type": "trend", "inputs": ["a"], "time": "ts", "by": ["market", "queue"],
        "metrics": { "cancelled": { "rate": "label == 'cancelled'" }, "flights": { "count": true } } }
      """,
      fields: ["ts": "timestamp", "market": "string", "queue": "string", "label": "string"])
    var refused: [String] = []
    let partials = try files.map { file in
      bench.partial(try unpacked(file), refused: &refused)
    }
    let outcome = try bench.finish(partials, refused: refused)
    #expect(refused == [])
    #expect(outcome.recordCount == 336_776)
    let detail = try outcome.detail
    let all = detail.report.findings.enumerated().filter { _, finding in
      let series = detail.report.series[finding.series]
      return series.key == [nil, nil] && series.metric == "cancelled"
    }
    let days = all.flatMap { _, finding in finding.window.map { detail.buckets[$0].iso } }
    #expect(days.contains("2013-02-08") && days.contains("2013-02-09"), "\(days)")
    // A blizzard of cancelled flights is the loudest thing about the rate of the whole year.
    let loudest = all.first.map { $0.1 }
    #expect(loudest?.window.contains { detail.buckets[$0].iso.hasPrefix("2013-02-0") } == true)
  }

  // MARK: What it counts

  @Test func `counts by group and day, and totals over each field`() throws {
    let outcome = try TrendBench(TrendExample.spec).run([
      [
        TrendExample.line(0, "01:00:00", market: "DE", queue: "a", decision: "violation"),
        TrendExample.line(0, "02:00:00", market: "DE", queue: "b", handle: 3_000, moderator: "m2"),
        TrendExample.line(0, "23:30:00", market: "FR", queue: "a", decision: "escalate"),
      ],
      [TrendExample.line(2, "23:59:59", market: "FR", queue: "b")],
    ])
    func values(_ key: [String], _ metric: String, _ column: String = "value") -> [String] {
      outcome.column(column, key, metric)
    }
    #expect(values(["DE", "a"], "volume") == ["1", "null", "0"])
    #expect(values(["DE", "a"], "volume", "state") == ["closed", "missing", "zero"])
    #expect(values(["*", "*"], "volume") == ["3", "null", "1"])
    #expect(values(["*", "*"], "volume", "bucket") == (0...2).map(TrendExample.date))
    #expect(values(["*", "a"], "violation_rate") == ["0.5", "null", "null"])
    #expect(values(["*", "a"], "violation_rate", "n") == ["2", "null", "0"])
    #expect(values(["DE", "*"], "handle_ms_mean") == ["2000", "null", "null"])
    #expect(values(["*", "*"], "escalated") == ["1", "null", "0"])
    #expect(values(["DE", "*"], "moderators").first?.hasPrefix("2.00") == true)
    #expect(Set(outcome.status.rows.map { $0[4].plain }) == ["insufficient_history"])
    #expect(outcome.status.rows.count == 9 * 6)
  }

  @Test func `leaves out totals that would repeat a group`() throws {
    let outcome = try TrendBench(TrendExample.spec).run([
      [
        TrendExample.line(0, "01:00:00", market: "DE", queue: "a"),
        TrendExample.line(0, "02:00:00", market: "DE", queue: "b"),
      ]
    ])
    let keys = outcome.status.rows.filter { $0[2] == "volume" }.map {
      $0[..<2].map(\.plain).joined(separator: " ")
    }
    #expect(keys == ["DE a", "DE b", "DE *"])
  }

  @Test func `null in a group is a value, a star is refused`() throws {
    let outcome = try TrendBench(TrendExample.spec).run([
      [
        #"{"ts":"2026-09-07T23:30:00Z","queue":"a","day":"d","decision":"x"}"#,
        #"{"ts":"2026-09-07T23:30:00Z","market":"*","queue":"a","day":"d","decision":"x"}"#,
        #"{"ts":"2026-09-07T23:30:00Z","market":"DE","queue":7,"day":"d","decision":"x"}"#,
      ]
    ])
    #expect(outcome.refused == ["reserved_value market"])
    #expect(outcome.recordCount == 2)
    #expect(outcome.column("n", ["null", "a"], "volume") == ["1"])
    #expect(outcome.column("n", ["DE", "7"], "volume") == ["1"])
  }

  @Test func `takes a record into all metrics or refuses it`() throws {
    let bench = try TrendBench(
      """
      { "type": "trend", "inputs": ["a"], "time": "ts", "by": ["queue"],
        "metrics": { "r": { "rate": "handle_ms > 5.0" }, "n": { "count": true },
                     "m": { "distinct": "moderator_id" } } }
      """)
    let good =
      #"{"ts":"2026-09-07T23:30:00Z","queue":"a","handle_ms":9,"moderator_id":1,"day":"d"}"#
    var refused: [String] = []
    let partial = bench.partial(
      [
        good,
        #"{"ts":null,"queue":"a","handle_ms":9,"day":"d"}"#,
        #"{"ts":"2026-09-07T23:30:00Z","queue":"a","day":"d"}"#,
        #"{"ts":"2026-09-07T23:30:00Z","queue":[1],"handle_ms":9,"day":"d"}"#,
        #"{"ts":"2026-09-07T23:30:00Z","queue":"*","handle_ms":9,"day":"d"}"#,
        #"{"ts":"2026-09-07T23:30:00Z","queue":"a","handle_ms":9,"moderator_id":{},"day":"d"}"#,
        good,
      ], refused: &refused)
    #expect(
      refused == [
        "missing_time ts", "expression_error -", "wrong_type queue", "reserved_value queue",
        "wrong_type moderator_id",
      ])
    let outcome = try bench.finish([partial])
    #expect(outcome.recordCount == 2)
    #expect(outcome.column("n", ["a"], "n") == ["2"])
    #expect(outcome.column("k", ["a"], "r") == ["2"])
  }

  // MARK: Time

  @Test func `does not believe a few records from the future or the past`() throws {
    var shards = TrendExample.shards(days: 20)
    shards[3].append(
      #"{"ts":"2038-01-19T03:14:07Z","market":"DE","queue":"hate","decision":"approve","day":"d"}"#)
    shards[4].append(
      #"{"ts":"1970-01-01T00:00:00Z","market":"DE","queue":"hate","decision":"approve","day":"d"}"#)
    let outcome = try TrendBench(TrendExample.spec).run(shards)
    let detail = try outcome.detail
    #expect(detail.future == 1)
    #expect(detail.early == 1)
    #expect(detail.buckets.count == 20)
    #expect(detail.buckets.last?.iso == TrendExample.date(19))
    #expect(outcome.recordCount == shards.reduce(0) { $0 + $1.count })
  }

  @Test func `the last day is open until its last hour`() throws {
    var shards = TrendExample.shards(days: 20)
    #expect(try TrendBench(TrendExample.spec).run(shards).detail.openBucket == nil)
    shards[19] = shards[19].filter { !$0.contains("T23:") }
    let outcome = try TrendBench(TrendExample.spec).run(shards)
    #expect(try outcome.detail.openBucket == 19)
    #expect(outcome.column("state", ["DE", "hate"], "volume").last == "open")
  }

  @Test func `through is the last day, with or without records`() throws {
    func run(_ day: String) throws -> TrendOutcome {
      let spec = TrendExample.spec.replacing("\"by\"", with: #""through": "\#(day)", "by""#)
      return try TrendBench(spec).run(TrendExample.shards(days: 20))
    }
    let early = try run(TrendExample.date(9))
    #expect(try early.detail.buckets.count == 10)
    #expect(
      try early.detail.future == TrendExample.shards(days: 20)[10...].reduce(0) { $0 + $1.count })
    #expect(early.column("state", ["DE", "hate"], "volume").last == "closed")
    let late = try run(TrendExample.date(21))
    #expect(try late.detail.gaps == [20...21])
    #expect(try late.detail.openBucket == nil)
    #expect(late.findings.findings.contains { $0["type"] == "data_missing" })
  }

  @Test func `weeks begin on Monday`() throws {
    let spec = TrendExample.spec.replacing("\"by\"", with: #""bucket": "1w", "by""#)
    let outcome = try TrendBench(spec).run(TrendExample.shards(days: 28))
    #expect(
      outcome.column("bucket", ["*", "*"], "volume")
        == ["2026-09-07", "2026-09-14", "2026-09-21", "2026-09-28"])
    #expect(try outcome.detail.bucketDays == 7)
    let clock = TrendClock(isWeekly: true)
    for day in [-800_000, -4, -3, -1, 0, 3, 4, 20_000] {
      let bucket = clock.bucket(of: Int64(day) * TrendClock.dayMicroseconds)
      #expect(clock.date(bucket).weekday == 0)
      #expect((0..<7).contains(day - clock.date(bucket).daysSinceEpoch))
    }
  }

  @Test func `nothing in, nothing out`() throws {
    let outcome = try TrendBench(TrendExample.spec).run([])
    #expect(outcome.findings.findings.isEmpty)
    #expect(outcome.series.rows.isEmpty && outcome.status.rows.isEmpty)
    #expect(outcome.recordCount == 0)
  }

  // MARK: State

  @Test func `the size of batches changes no byte`() throws {
    let bench = try TrendBench(TrendExample.spec)
    let text = Array(TrendExample.shards(days: 3).joined().map { $0 + "\n" }.joined().utf8)
    var refused: [String] = []
    let whole = bench.partial(text, refused: &refused)
    for rows in [1, 7, 64] {
      #expect(bench.partial(text, rows: rows, refused: &refused) == whole)
    }
  }

  @Test(arguments: CodedColumns.Mode.allCases, 0..<3 as Range<UInt64>)
  func `codes of strings change no byte and no refusal`(
    _ mode: CodedColumns.Mode, _ seed: UInt64
  ) throws {
    let bench = try TrendBench(
      """
      { "type": "trend", "inputs": ["a"], "time": "ts", "by": ["market", "queue"],
        "through": "2026-01-05", "bucket": "\(seed == 2 ? "1w" : "1d")",
        "metrics": { "k": { "rate": "decision == 'violation'" },
          "long": { "count": "handle_ms > 500.0" }, "n": { "count": true },
          "mean": { "mean": "handle_ms" }, "p95": { "quantile": 0.95, "of": "handle_ms" },
          "who": { "distinct": "moderator_id" } } }
      """)
    var random = SeededRandom(seed: seed)
    let lines = (0..<1_500).map { i in
      let time = random.oneIn(30) ? "null" : "\"2026-01-0\(1 + random.below(7))T10:00:00Z\""
      return """
        {"ts": \(time), "day": "", "market": \(random.pick(["\"DE\"", "\"FR\"", "null", "\"*\"", "\"\""])),
         "queue": \(random.pick(["\"a\"", "7", "null", "\"b\"", "true", i % 99 == 0 ? "{}" : "\"c\""])),
         "decision": \(random.pick(["\"violation\"", "\"allow\"", "null"])),
         "handle_ms": \(random.pick(["null", "1e3", "\(random.below(1_000))"])),
         "moderator_id": \(random.pick(["null", "\(i % 70)", "\"m\(i % 50)\"", i % 77 == 0 ? "[]" : "1"]))}
        """.filter { $0 != "\n" }
    }
    let text = Array(lines.map { $0 + "\n" }.joined().utf8)
    var (wanted, refused): ([String], [String]) = ([], [])
    let plain = bench.partial(text, refused: &wanted)
    for rows in [1, 50, 2_000] {
      refused = []
      let coder = CodedColumns(mode, seed: seed)
      #expect(bench.partial(text, rows: rows, coder: coder, refused: &refused) == plain)
      #expect(refused == wanted)
    }
    #expect(Set(wanted).count >= 4)
  }

  @Test func `a state that was read back is the same`() throws {
    let bench = try TrendBench(TrendExample.spec)
    var refused: [String] = []
    let partial = bench.partial(TrendExample.shards(days: 2).flatMap { $0 }, refused: &refused)
    var blocks = ByteReader(partial)
    let counts = blocks.block()
    let bytes = try #require(counts)
    let state = TrendState(bench.stage.rules.shape, bench.stage.rules.clock)
    try state.merge(encoded: bytes)
    #expect(state.encode() == bytes)
  }

  @Test func `damaged bytes are refused and never believed`() throws {
    let bench = try TrendBench(TrendExample.spec)
    var refused: [String] = []
    let partial = bench.partial(
      Array(TrendExample.shards(days: 1)[0].prefix(40)), refused: &refused)
    var blocks = ByteReader(partial)
    let counts = blocks.block()
    let bytes = try #require(counts)
    let second = blocks.block()
    let sample = try #require(second)
    /// A partial with other counts.
    func whole(_ counts: [UInt8]) -> [UInt8] {
      var out = ByteWriter()
      out.block(counts)
      out.block(sample)
      return out.bytes
    }
    func isRefused(_ damaged: [UInt8]) -> Bool {
      let state = TrendState(bench.stage.rules.shape, bench.stage.rules.clock)
      do throws(RunError) {
        try state.merge(encoded: damaged)
        return false
      } catch {
        return error.code == "damaged_partial"
      }
    }
    for count in 0..<bytes.count { #expect(isRefused(Array(bytes.prefix(count)))) }
    #expect(isRefused(bytes + [0]))
    #expect(isRefused([1] + bytes.dropFirst()))
    // Any byte may be another: refused, or a state that outputs can be made of, and never a trap.
    var random = SeededRandom(seed: 11)
    for i in bytes.indices {
      for value in [bytes[i] ^ 0x80, 0xFF, 0, UInt8(random.below(256))] {
        var damaged = bytes
        damaged[i] = value
        if !isRefused(damaged) { _ = try? bench.finish([whole(damaged)]) }
      }
    }
    let other = try TrendBench(
      #"{ "type": "trend", "inputs": ["a"], "time": "ts", "by": ["market"], "metrics": { "n": { "count": true } } }"#
    )
    #expect(throws: RunError.self) { try other.finish([partial]) }
  }

  @Test func `the mean of large close values keeps its variance`() {
    var whole = TrendMoments()
    var halves = [TrendMoments(), TrendMoments()]
    for i in 0..<1_000 {
      let value = 1e12 + Double(i % 10)
      whole.add(value)
      halves[i / 500].add(value)
    }
    var merged = halves[0]
    merged.merge(halves[1])
    #expect(abs(whole.squares / 8_250 - 1) < 1e-6)
    #expect(abs(merged.squares / 8_250 - 1) < 1e-6)
    #expect(merged.mean == 1e12 + 4.5)
  }

  @Test func `too many series are an error that names the fields`() throws {
    let spec = TrendExample.spec.replacing("\"by\"", with: #""max_series": 30, "by""#)
    let error = #expect(throws: RunError.self) {
      try TrendBench(spec).run(TrendExample.shards(days: 2))
    }
    #expect(error?.code == "too_many_series")
    #expect(error?.message.contains("`market` has 2 values") == true)
  }

  @Test func `severity orders findings, and changes nothing else`() throws {
    func scores(_ more: String) throws -> [String: JSONValue] {
      let spec = TrendExample.spec.replacing(#""metrics""#, with: more + #""metrics""#)
      let found = try TrendBench(spec).run(TrendExample.shards()).findings.findings
      return Dictionary(
        uniqueKeysWithValues: found.map {
          ($0["finding_id"]!.plain + " " + $0["series"]!["metric"]!.plain, $0["rank"]!["score"]!)
        })
    }
    let plain = try scores("")
    let weighed = try scores(#""severity": { "violation_rate": 3, "volume": 0 },"#)
    #expect(!plain.isEmpty && Set(plain.keys) == Set(weighed.keys))
    for (finding, score) in plain {
      let factor = finding.hasSuffix("violation_rate") ? 3.0 : finding.hasSuffix("volume") ? 0 : 1
      let (one, other) = (Double(score.text)!, Double(weighed[finding]!.text)!)
      #expect(abs(other - factor * one) <= 1e-8 * abs(one), "\(finding)")
    }
    let unknown = TrendExample.spec.replacing(
      #""metrics""#, with: #""severity": { "violations": 3 }, "metrics""#)
    let error = #expect(throws: TrendBench.Refused.self) { _ = try TrendBench(unknown) }
    #expect(error?.codes == ["unknown_metric"])
  }

  @Test func `less is believed where nothing is supposed of the tests`() throws {
    func found(_ dependence: String) throws -> [JSONValue] {
      let spec = TrendExample.spec.replacing(
        #""metrics""#, with: #""dependence": "\#(dependence)", "metrics""#)
      return try TrendBench(spec).run(TrendExample.shards()).findings.findings
    }
    let (positive, arbitrary) = (try found("positive"), try found("arbitrary"))
    #expect(positive.count >= arbitrary.count && !arbitrary.isEmpty)
    func q(_ list: [JSONValue]) -> [String: Double] {
      Dictionary(
        uniqueKeysWithValues: list.compactMap { finding in
          Double(finding["stats"]!["q"]?.text ?? "").map { (finding["finding_id"]!.plain, $0) }
        })
    }
    let before = q(positive)
    for (id, value) in q(arbitrary) { #expect(value >= before[id] ?? 0) }
  }

  // MARK: Numbers

  @Test(arguments: [
    (0.1234567890123, "0.123456789"), (-1234567.891234, "-1234567.891"), (-0.0, "0"),
    (99999999999.5, "1.0E11"), (1e-300, "1e-300"), (1.0 / 3, "0.3333333333"), (12, "12"),
    (2.5e17, "250000000000000000"), (123456789.05, "123456789.1"), (5e-324, "5e-324"),
    (1.7976931348623157e308, "1.7976931348623157e+308"), (9_999_999_999.96, "1e10"),
  ])
  func `numbers have ten significant digits`(_ value: Double, _ text: String) {
    let printed = JSONValue.measured(value).text
    #expect(Double(printed) == Double(text), "\(value) is \(printed)")
  }

  @Test func `rounding by arithmetic and by digits is the same`() {
    var random = SeededRandom(seed: 5)
    for _ in 0..<50_000 {
      let value = Double(bitPattern: random.next())
      guard value.isFinite, value != 0 else { continue }
      #expect(value.roundedToTenDigits == value.roundedByText, "\(value)")
      let size = Double(random.next() >> 11) / 9_007_199_254_740_992
      for scale in [1e-11, 1e-6, 1, 1e3, 1e9, 1e15, 1e30] {
        #expect(
          (size * scale).roundedToTenDigits == (size * scale).roundedByText, "\(size * scale)")
      }
      #expect(size.roundedToTenDigits.roundedToTenDigits == size.roundedToTenDigits)
    }
  }

  @Test func `no number is printed where there is none`() {
    #expect(JSONValue.measured(.nan) == .null)
    #expect(JSONValue.measured(.infinity) == .null)
    #expect(JSONValue.measured(nil) == .null)
    #expect(JSONValue.measured(-0.0).text == "0")
  }

  // MARK: Mistakes in the spec

  @Test(arguments: [
    (#""by": []"#, "bad_group"), (#""by": ["market", "queue", "day", "decision"]"#, "bad_group"),
    (#""by": ["market", "market"]"#, "duplicate_field"),
    (#""by": ["market"], "bucket": "6h""#, "bad_bucket"),
    (#""by": ["market"], "bucket": "2d""#, "bad_bucket"),
    (#""by": ["handle_ms"]"#, "wrong_type"), (#""by": ["nowhere"]"#, "unknown_field"),
    (#""by": ["market"], "time": "day""#, "wrong_type"),
    (#""by": ["market"], "metrics": {}"#, "no_metrics"),
    (#""by": ["market"], "metrics": { "m": { "count": false } }"#, "bad_metric"),
    (#""by": ["market"], "metrics": { "m": { "mean": "day" } }"#, "wrong_type"),
    (#""by": ["market"], "metrics": { "m": { "rate": "decision" } }"#, "not_a_condition"),
    (#""by": ["market"], "metrics": { "": { "count": true } }"#, "bad_name"),
  ])
  func `says what is wrong`(_ options: String, _ code: String) {
    var text = options
    if !text.contains("\"time\"") { text += #", "time": "ts""# }
    if !text.contains("\"metrics\"") { text += #", "metrics": { "n": { "count": true } }"# }
    let error = #expect(throws: TrendBench.Refused.self) {
      try TrendBench(#"{ "type": "trend", "inputs": ["a"], \#(text) }"#)
    }
    #expect(error?.codes == [code])
  }

  @Test(arguments: ["metric", "kind", "grain", "zone", "value", "status"])
  func `a group cannot be named like a column`(_ name: String) {
    let error = #expect(throws: TrendBench.Refused.self) {
      try TrendBench(
        #"{ "type": "trend", "inputs": ["a"], "time": "ts", "by": ["\#(name)"], "metrics": { "n": { "count": true } } }"#,
        fields: ["ts": "timestamp", name: "string"])
    }
    #expect(error?.codes == ["reserved_name"])
  }

  @Test func `the manuals are in order`() {
    #expect(StageRegistry([Trend.self, ReportSink.self]).faults() == [])
  }

  static let root = String(
    #filePath.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      .dropLast(3).map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/"))
}
