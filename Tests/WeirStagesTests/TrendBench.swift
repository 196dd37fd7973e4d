import WeirData
import WeirStatistics
import WeirTesting

@testable import WeirEngine
@testable import WeirStages

/// Drives a `trend` stage without a run: options from JSON, records from lines.
struct TrendBench {
  let stage: Trend
  let bound: any BoundReduce
  let scanner: RecordScanner

  struct Refused: Error, CustomStringConvertible {
    var problems: Problems
    var codes: [String] { problems.sorted.map(\.code) }
    var description: String { problems.sorted.map(\.text).joined(separator: "\n") }
  }

  static let fields = [
    "ts": "timestamp?", "market": "string?", "queue": "any?", "decision": "string?",
    "handle_ms": "number?", "moderator_id": "any?", "day": "string",
  ]

  init(
    _ text: String, fields: [String: String] = TrendBench.fields, zone: String? = nil,
    folder: String = "/"
  ) throws {
    var problems = Problems()
    var check = OptionCheck(params: ResolvedParams())
    let source = SpecSource(name: "spec.json", bytes: Array(text.utf8))
    guard let node = SpecJSON.parse(source, problems: &problems),
      let options = check.options(
        node, Trend.manual.options, common: StageDeclaration.commonKeys(.transforms), of: "trend")
    else {
      problems.add(contentsOf: check.problems)
      throw Refused(problems: problems)
    }
    problems.add(contentsOf: check.problems)
    guard let stage = Trend(options, &problems) else { throw Refused(problems: problems) }
    self.stage = stage
    var scope = Scope()
    let planned = fields.keys.sorted().map {
      PlannedField(path: FieldPath(text: $0)!, type: FieldType(text: fields[$0]!)!)
    }
    for field in planned { scope.addSource(field.path, field.type, inRecord: true) }
    scanner = RecordScanner(fields: planned)
    let context = BindContext(
      stageName: "trends", params: ResolvedParams(), baseDirectory: folder,
      files: ReferencedFiles(),
      specZone: zone.flatMap {
        SpecJSON.parse(
          SpecSource(name: "zone.json", bytes: Array("\"\($0)\"".utf8)), problems: &problems)
      })
    guard let bound = stage.bind(scope, context, &problems) else {
      throw Refused(problems: problems)
    }
    self.bound = bound
  }

  /// The partial of one shard; what was refused as `code field`.
  func partial(_ lines: [String], refused: inout [String]) -> [UInt8] {
    partial(Array(lines.map { $0 + "\n" }.joined().utf8), refused: &refused)
  }

  /// - Parameter text: whole lines.
  func partial(
    _ text: [UInt8], rows: Int = 1_000, coder: CodedColumns? = nil, refused: inout [String]
  ) -> [UInt8] {
    let partial = bound.makePartial()
    var at = 0
    var number: UInt32 = 0
    while at < text.count {
      var lines: [BatchLine] = []
      let begin = at
      while at < text.count, lines.count < rows {
        let end = text[at...].firstIndex(of: 0x0A) ?? text.count
        number += 1
        lines.append(
          BatchLine(start: UInt32(at - begin), length: UInt32(end - at), number: number))
        at = end + 1
      }
      var batch = Batch(
        bytes: Bytes(text[begin..<min(at, text.count)]), lines: lines,
        columnCount: scanner.fields.count, byteOffset: begin)
      var bad: [LineRefusal] = []
      let selection = scanner.scan(&batch, refusals: &bad)
      coder?.encode(batch, columns: scanner.fields.indices)
      refused += bad.map { "line \($0.code.rawValue)" }
      var refusals: [Refusal] = []
      partial.add(batch, selection, &refusals)
      refused += refusals.map { "\($0.code) \($0.field ?? "-")" }
    }
    return partial.encode()
  }

  /// One partial a shard, merged and finished.
  func run(_ shards: [[String]]) throws -> TrendOutcome {
    var refused: [String] = []
    return try finish(shards.map { partial($0, refused: &refused) }, refused: refused)
  }

  func finish(_ partials: [[UInt8]], refused: [String] = []) throws -> TrendOutcome {
    let merger = stage.makeMerger([bound])
    for partial in partials { try merger.merge(partial) }
    return try TrendOutcome(
      outputs: merger.finish(), recordCount: merger.recordCount, refused: refused)
  }
}

struct TrendOutcome {
  let findings: FindingSet
  let series: RowTable
  let status: RowTable
  let recordCount: Int
  let refused: [String]

  struct Wrong: Error {}

  init(outputs: [String: StageOutput], recordCount: Int, refused: [String]) throws {
    guard case .findings(let findings)? = outputs[""], case .rows(let series)? = outputs["series"],
      case .rows(let status)? = outputs["status"]
    else { throw Wrong() }
    (self.findings, self.series, self.status) = (findings, series, status)
    (self.recordCount, self.refused) = (recordCount, refused)
  }

  var detail: TrendDetail {
    get throws {
      guard let detail = findings.detail as? TrendDetail else { throw Wrong() }
      return detail
    }
  }

  /// The rows of one series as text, `column` of each, by bucket.
  func column(_ name: String, _ key: [String], _ metric: String) -> [String] {
    let by = key.count
    let at = series.columns.firstIndex(of: name)!
    return series.rows.filter { row in
      row[..<by].map(\.plain) == key && row[by].plain == metric
    }.map { $0[at].plain }
  }

  /// Every byte of what leaves the stage.
  var bytes: [UInt8] {
    findings.findings.flatMap { $0.bytes() } + series.rows.flatMap { $0.flatMap { $0.bytes() } }
      + status.rows.flatMap { $0.flatMap { $0.bytes() } }
  }
}

extension JSONValue {
  /// A text as it is, anything else as JSON.
  var plain: String {
    if case .string(let bytes) = self { return String(decoding: bytes, as: UTF8.self) }
    return text
  }

  var number: Double? { Double(text) }
}

/// Invented decisions: 8 weeks from Monday 7 September 2026.
enum TrendExample {
  static let first = CivilDate(iso: "2026-09-07")!

  static let spec = """
    { "type": "trend", "inputs": ["a"], "time": "ts", "by": ["market", "queue"],
      "metrics": {
        "violation_rate": { "rate": "decision == 'violation'" },
        "volume": { "count": true },
        "escalated": { "count": "decision == 'escalate'" },
        "handle_ms_p95": { "quantile": 0.95, "of": "handle_ms" },
        "handle_ms_mean": { "mean": "handle_ms" },
        "moderators": { "distinct": "moderator_id" } } }
    """

  static func date(_ day: Int) -> String {
    CivilDate(daysSinceEpoch: first.daysSinceEpoch + day).iso
  }

  static func line(
    _ day: Int, _ time: String, market: String, queue: String, decision: String = "approve",
    handle: Int = 1_000, moderator: String = "m1"
  ) -> String {
    #"{"ts":"\#(date(day))T\#(time)Z","market":"\#(market)","queue":"\#(queue)","decision":"\#(decision)","handle_ms":\#(handle),"moderator_id":"\#(moderator)","day":"d"}"#
  }

  /// A shard a day: in DE / hate the violation rate doubles on day 35; in FR / scam no decision on
  /// day 40 but for a few.
  static func shards(days: Int = 56, seed: UInt64 = 3) -> [[String]] {
    var random = SeededRandom(seed: seed)
    return (0..<days).map { day in
      var lines: [String] = []
      for market in ["DE", "FR"] {
        for queue in ["hate", "scam"] {
          var count = 60 + random.below(16)
          if market == "FR", queue == "scam", day == 40 { count = 4 }
          let rate = market == "DE" && queue == "hate" && day >= 35 ? 40 : 20
          for i in 0..<count {
            let hour = i == count - 1 ? 23 : random.below(24)
            let minute = random.below(60)
            let time = "\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute):00"
            lines.append(
              line(
                day, time, market: market, queue: queue,
                decision: random.below(100) < rate
                  ? "violation" : random.oneIn(20) ? "escalate" : "approve",
                handle: 500 + random.below(4_000), moderator: "m\(random.below(25))"))
          }
        }
      }
      return lines
    }
  }
}

/// The text of a shard as it lies on disk.
func unpacked(_ path: String) throws -> [UInt8] {
  var decoder = ShardDecoder(path: path, limits: ShardLimits())
  var text: [UInt8] = []
  try decoder.consume(Bytes(try readFile(path))) { text += $0.bytes.copy() }
  try decoder.finish { text += $0.bytes.copy() }
  return text
}
