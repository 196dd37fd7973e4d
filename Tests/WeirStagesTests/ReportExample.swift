import WeirData
import WeirStages
import WeirStatistics

/// Invented pages to draw: a believable night with findings of every type, and small odd ones.
struct ReportExample {
  static let days = 56
  static let markets = ["BR", "DE", "FR", "GB", "ID", "JP", "MX", "PH", "SA", "TR", "US", "VN"]
  static let queues = [
    "appeals", "gifting_fraud", "hate_speech", "live_minor_safety", "live_nudity", "live_scam",
    "live_violence", "misinfo",
  ]
  /// 27 September 2026, a Sunday; the last bucket is open, so the last complete day is 20 November.
  static let first = CivilDate(iso: "2026-09-27")!

  var random = ReportRandom(state: 20_261_122)
  var series: [TrendSeries] = []
  var verdicts: [SeriesVerdict] = []
  var findings: [TrendFinding] = []
  var texts: [ReportFindingText] = []

  /// What happens to a group: its rate and its volume on a day, as factors.
  private func change(_ market: String, _ queue: String, _ day: Int) -> (
    rate: Double, volume: Double
  ) {
    switch (market, queue) {
    case ("DE", "hate_speech"): (day >= 21 ? 1.66 : 1, 1)
    case ("US", "live_nudity"): (1 + 0.5 * Double(day) / 55, 1)
    case ("BR", "gifting_fraud"): (day == 54 ? 2.2 : 1, 1)
    case ("FR", "live_violence"): ((24...27).contains(day) ? 1.9 : 1, 1)
    case ("GB", "appeals"): (day >= 34 ? 0.6 : 1, 1)
    case ("TR", "live_violence"): (1, day == 47 ? 0.3 : 1)
    case ("ID", "live_scam"): (1, day >= 41 ? 0.5 : 1)
    case ("MX", "misinfo"): (1 + 0.08 * Double(day) / 55, 1)
    default: (1, 1)
    }
  }

  mutating func page() -> ReportPage {
    makeSeries()
    makeFindings()
    return ReportPage(
      pipeline: "nightly-trends",
      description: "Violation rate and volume of moderation decisions, by market and queue.",
      specFile: "pipelines/nightly-trends.json",
      parameters: [ReportNamed("market", "*"), ReportNamed("through", "2026-11-20")],
      scope: "Violation rate and volume of 12 markets × 8 queues", by: ["market", "queue"],
      buckets: Self.dates(Self.days), bucketDays: 1, zone: "UTC", recordNoun: "decisions",
      trend: TrendReport(series: series, verdicts: verdicts, findings: findings),
      settings: TrendSettings(), texts: texts, ledger: Self.ledger,
      totals: ReportTotals(
        read: 3_919_153, written: 3_732_066, deduplicated: 186_529, filtered: 0, quarantined: 558,
        blank: 12),
      quarantine: Self.quarantine, quarantineBudget: 0.001, notes: Self.notes,
      inputs: ReportInputs(shards: 57, bytes: 168_400_000, hash: "41aa7e90c3d1"),
      hashes: [ReportNamed("Spec", "9c1f04ab77e2"), ReportNamed("Config", "55e0b1d20c9a")],
      version: "0.9.0", dataFiles: ["findings.jsonl", "series.csv"])
  }

  static func dates(_ count: Int) -> [CivilDate] {
    (0..<count).map { CivilDate(daysSinceEpoch: first.daysSinceEpoch + $0) }
  }

  // MARK: Series

  private mutating func makeSeries() {
    let keys: [[String?]] =
      Self.markets.flatMap { market in Self.queues.map { [market, $0] } }
      + Self.markets.map { [$0, nil] } + Self.queues.map { [nil, $0] } + [[nil, nil]]
    var cells: [(n: [Double], k: [Double], rate: Double, size: Double)] = []
    for (i, key) in keys.enumerated() {
      if let market = key[0], let queue = key[1] {
        cells.append(cell(market, queue, i))
      } else {
        let parts = (0..<Self.markets.count * Self.queues.count).filter { j in
          (key[0] == nil || key[0] == keys[j][0]) && (key[1] == nil || key[1] == keys[j][1])
        }
        let days = 0..<Self.days
        let n = days.map { t in parts.reduce(0) { $0 + cells[$1].n[t] } }
        let k = days.map { t in parts.reduce(0) { $0 + cells[$1].k[t] } }
        let size = parts.reduce(0) { $0 + cells[$1].size }
        cells.append((n, k, parts.reduce(0) { $0 + cells[$1].rate * cells[$1].size } / size, size))
      }
      add(key, "violation_rate", .rate, cells[i])
      add(key, "volume", .count, cells[i])
    }
  }

  private mutating func cell(
    _ market: String, _ queue: String, _ index: Int
  ) -> (n: [Double], k: [Double], rate: Double, size: Double) {
    let isSmall = (index * 7) % 31 == 3
    let size = isSmall ? 3.0 : 160 + Double((index * 37) % 11) * 90
    let rate = index == 35 ? 0 : 0.05 + Double((index * 13) % 9) * 0.018
    var n: [Double] = []
    var k: [Double] = []
    for day in 0..<Self.days {
      let now = change(market, queue, day)
      let part = day == Self.days - 1 ? 0.08 : 1
      let count = max(
        0, (size * weekday(day) * now.volume * part + random.normal() * size.squareRoot()).rounded()
      )
      let p = rate * now.rate * (1 + 0.05 * random.normal())
      let sigma = (count * p * (1 - p)).squareRoot()
      n.append(count)
      k.append(min(count, max(0, (count * p + sigma * random.normal()).rounded())))
    }
    return (n, k, rate, size)
  }

  private func weekday(_ day: Int) -> Double {
    [0.86, 1.0, 1.04, 1.05, 1.03, 1.02, 0.9][day % 7]
  }

  private mutating func add(
    _ key: [String?], _ metric: String, _ kind: MetricKind,
    _ cell: (n: [Double], k: [Double], rate: Double, size: Double)
  ) {
    let buckets = (0..<Self.days).map { t -> TrendBucket in
      let isMissing = t == 33
      let state: BucketState = t == Self.days - 1 ? .open : isMissing ? .missing : .closed
      return TrendBucket(
        state: state, n: isMissing ? 0 : cell.n[t],
        k: isMissing ? 0 : kind == .count ? cell.n[t] : cell.k[t])
    }
    let expected = (0..<Self.days).map { t -> Estimate? in
      let n = max(1, cell.size * weekday(t))
      if kind == .count {
        let sigma = (n + (0.03 * n) * (0.03 * n)).squareRoot()
        return Estimate(value: n, lo: max(0, n - 1.96 * sigma), hi: n + 1.96 * sigma)
      }
      let p = cell.rate * (1 + 0.03 * [0.4, 0, -0.3, 0.1, -0.2, 0.2, 0.5][t % 7])
      let sigma = (p * (1 - p) / n + (0.05 * p) * (0.05 * p)).squareRoot()
      return Estimate(value: p, lo: max(0, p - 1.96 * sigma), hi: min(1, p + 1.96 * sigma))
    }
    let status: SeriesStatus =
      cell.size < 10 ? .insufficientVolume : cell.rate == 0 && kind == .rate ? .noEvents : .ok
    let level = kind == .rate ? cell.rate : cell.size
    let p = status == .ok ? 0.02 + 0.98 * random.uniform() : nil
    series.append(
      TrendSeries(key: key, metric: metric, kind: kind, buckets: buckets, firstWeekday: 6))
    verdicts.append(
      SeriesVerdict(
        status: status, validBuckets: Self.days - 2,
        overall: Estimate(value: level, lo: 0.93 * level, hi: 1.07 * level + 0.0002),
        expected: expected, p: p, q: p.map { min(1, 0.15 + $0) }))
  }

  // MARK: Findings

  private mutating func makeFindings() {
    find("ID", "live_scam", "volume", .shift, 41...54, .critical, "volume fell to half on 7 Nov")
    find(
      "DE", "hate_speech", "violation_rate", .shift, 21...54, .critical,
      "violation rate rose from 8.2 % to 13.6 % on 18 Oct", place: 20...22)
    find(
      "GB", "appeals", "violation_rate", .shift, 34...54, .warning,
      "violation rate fell on 31 Oct", place: 32...36)
    find(
      "US", "live_nudity", "violation_rate", .trend, 0...54, .warning,
      "violation rate has been rising for 8 weeks")
    find("TR", "live_violence", "volume", .dip, 47...47, .warning, "volume dipped on 13 Nov")
    find(
      "FR", "live_violence", "violation_rate", .burst, 24...27, .warning,
      "violation rate was high from 21 to 24 Oct")
    find(
      "BR", "gifting_fraud", "violation_rate", .spike, 54...54, .notice,
      "violation rate spiked on 20 Nov")
    find("DE", nil, "violation_rate", .shift, 21...54, .notice, "violation rate rose on 18 Oct")
    find(
      nil, nil, "volume", .dataMissing, 33...33, .warning, "no data on 30 Oct", isMaterial: false)
    find(
      "MX", "misinfo", "violation_rate", .trend, 0...54, .notice,
      "violation rate has been rising for 8 weeks", isMaterial: false)
  }

  private mutating func find(
    _ market: String?, _ queue: String?, _ metric: String, _ type: FindingType,
    _ window: ClosedRange<Int>, _ level: FindingLevel, _ words: String,
    place: ClosedRange<Int>? = nil, isMaterial: Bool = true
  ) {
    let index = series.firstIndex { $0.key == [market, queue] && $0.metric == metric }!
    let one = series[index]
    let days = window.filter { one.buckets[$0].state == .closed }
    let n = days.reduce(0) { $0 + one.buckets[$1].n }
    let k = days.reduce(0) { $0 + one.buckets[$1].k }
    let isRate = one.kind == .rate
    let weight = days.reduce(0) { $0 + (isRate ? one.buckets[$1].n : 1) }
    let observed = weight > 0 ? k / weight : 0
    let baseline =
      weight > 0
      ? days.reduce(0) { sum, t in
        sum + verdicts[index].expected[t]!.value * (isRate ? one.buckets[t].n : 1)
      } / weight : 0
    func around(_ value: Double, _ half: Double) -> Estimate {
      Estimate(value: value, lo: value - half, hi: value + half)
    }
    let half =
      isRate ? 1.96 * (observed * (1 - observed) / max(n, 1)).squareRoot() : 0.02 * observed
    let effect = around(observed - baseline, 1.4 * half)
    let weeks = Double(window.count) / 7
    findings.append(
      TrendFinding(
        series: index, type: type, direction: observed >= baseline ? .up : .down,
        anchor: window.lowerBound, anchorLo: place?.lowerBound ?? window.lowerBound,
        anchorHi: place?.upperBound ?? window.lowerBound, window: window, windowValid: days.count,
        baseline: around(baseline, 0.8 * half), observed: around(observed, half), k: k, n: n,
        effect: effect, relative: baseline > 0 ? observed / baseline - 1 : 0,
        slopePerWeek: type == .trend ? around(2 * effect.value / weeks, half / weeks) : nil,
        impact: Estimate(
          value: weight * effect.value, lo: weight * effect.lo, hi: weight * effect.hi),
        test: TestRecord(
          name: type == .trend ? "mann_kendall" : type == .shift ? "shift_scan" : "betabinomial",
          statistic: 31.4, p: 2.3e-12, pFamily: 4.6e-12, q: isMaterial ? 1.1e-10 : 0.031,
          families: 226, selected: 10, phi: 0.13, varianceInflation: 1.3, tau2: 0.0021,
          effectiveBuckets: 41.5),
        level: level, isMaterial: isMaterial,
        materialityReason: type == .dataMissing
          ? "no data, so nothing to compare"
          : isMaterial ? "over 10 % of the level" : "under 10 % of the level",
        explainedAway: type == .shift ? ["trend"] : []))
    let name = [queue ?? "all queues", market ?? "all markets"].joined(separator: " in ")
    texts.append(
      ReportFindingText(
        id: "3d35adfa\(texts.count)", headline: "\(name): \(words)",
        detail: type == .dataMissing
          ? "No shard covers this day in any market."
          : "The \(type == .shift ? "new level" : "change") is outside what the history explains."))
  }

  // MARK: The rest

  static let ledger = [
    ReportLedgerRow(
      stage: "decisions", type: "jsonl", read: 3_919_153, out: 3_918_732, filtered: 0,
      deduplicated: 0, quarantined: 421, kept: 0, isBalanced: true),
    ReportLedgerRow(
      stage: "clean", type: "normalize", read: 3_918_732, out: 3_918_595, filtered: 0,
      deduplicated: 0, quarantined: 137, kept: 0, isBalanced: true),
    ReportLedgerRow(
      stage: "unique", type: "dedupe", read: 3_918_595, out: 3_732_066, filtered: 0,
      deduplicated: 186_529, quarantined: 0, kept: 0, isBalanced: true),
    ReportLedgerRow(
      stage: "trends", type: "trend", read: 3_732_066, out: 0, filtered: 0, deduplicated: 0,
      quarantined: 0, kept: 3_732_066, isBalanced: true),
  ]

  static let quarantine = [
    ReportQuarantineRow(
      code: "invalid_json", meaning: "Line is not valid JSON", count: 421, share: 421 / 3_919_153,
      shard: Array("date=2026-10-03/part-00000.jsonl.zst".utf8), line: 8_812,
      bytes: Array(#"{"event_id": "07","market":"DE","text":"<b>"#.utf8) + [0xFF, 0xFE, 0x00],
      remedy: "Ask the exporter; replay after a fix"),
    ReportQuarantineRow(
      code: "unmapped", meaning: "Market is in no map", count: 137, share: 137 / 3_919_153,
      shard: Array("date=2026-11-19/part-00001.jsonl.zst".utf8), line: 20_481,
      bytes: Array("{\"event_id\":\"07\",\"market\":\"\u{202E}KU<script>alert(1)</script>\"".utf8),
      remedy: "Add it to maps/markets.json, then weir quarantine --replay"),
  ]

  static let notes = [
    ReportDataNote(
      label: "No data", place: "30 Oct, every market: no shard covers it",
      effect: "Every series has 54 days instead of 55", isProblem: true),
    ReportDataNote(
      label: "Open", place: "21 Nov is open: 2 of 24 hours", effect: "Shown hollow, not compared",
      isProblem: false),
  ]
}

/// SplitMix64 (Steele, Lea, Flood 2014) and sums of it: the same numbers on every machine.
struct ReportRandom {
  var state: UInt64

  mutating func uniform() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Double((z ^ (z >> 31)) >> 11) / 9_007_199_254_740_992
  }

  /// About normal: the sum of twelve uniforms.
  mutating func normal() -> Double {
    (0..<12).reduce(-6) { sum, _ in sum + uniform() }
  }
}
