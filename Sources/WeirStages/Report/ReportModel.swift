import WeirData
import WeirEngine
import WeirStatistics

/// A string that is equal to another only where the bytes are: Swift's `==` takes `é` written in
/// one code point and in two for the same, and two markets would become one.
struct ReportKey: Hashable, Comparable {
  var utf8: [UInt8]

  init(_ text: String) { utf8 = Array(text.utf8) }

  static func < (a: ReportKey, b: ReportKey) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
  }
}

/// One series as the page draws it: every array as long as the page has buckets, every number
/// finite or absent.
struct ReportSeries {
  var index: Int
  var key: [String?]
  var metric: String
  var unit: ReportUnit
  var states: [BucketState]
  var values: [Double?]
  var sizes: [Double]
  var expected: [Estimate?]
  var verdict: SeriesVerdict
  var hasWeekdays: Bool
  /// Indices of the changes found in it, in reading order.
  var findings: [Int] = []

  init(_ series: TrendSeries, _ verdict: SeriesVerdict, index: Int, buckets: Int) {
    self.index = index
    self.verdict = verdict
    key = series.key
    metric = series.metric
    unit = ReportUnit(kind: series.kind)
    hasWeekdays = series.firstWeekday != nil
    // Beyond 1e15 neighbouring doubles lie further apart than a scale could show.
    func isDrawable(_ value: Double) -> Bool { abs(value) < 1e15 }
    let shown = (0..<buckets).map { t in
      series.buckets.indices.contains(t) ? series.buckets[t] : TrendBucket(state: .missing)
    }
    states = shown.map(\.state)
    values = shown.map { bucket in
      bucket.observed(series.kind).flatMap { isDrawable($0) ? $0 : nil }
    }
    sizes = shown.map { isDrawable($0.n) && $0.n > 0 ? $0.n : 0 }
    expected = (0..<buckets).map { t in
      guard verdict.expected.indices.contains(t), let e = verdict.expected[t],
        isDrawable(e.value), isDrawable(e.lo), isDrawable(e.hi)
      else { return nil }
      return e
    }
  }

  func isCompared(_ t: Int) -> Bool { states[t].isCompared }

  var records: Double { sizes.reduce(0, +) }

  /// `DE / hate_speech`; `all` stands for a roll-up.
  var group: String {
    key.isEmpty ? "all records" : key.map { $0 ?? "all" }.joined(separator: " / ")
  }

  /// `violation rate`.
  var metricWords: String { reportWords(metric) }

  var name: String { group + " / " + metricWords }
}

/// A name of the spec as words: `violation_rate` is `violation rate`.
func reportWords(_ name: String) -> String {
  String(decoding: name.utf8.map { $0 == UInt8(ascii: "_") ? 0x20 : $0 }, as: UTF8.self)
}

/// The words with a capital letter before them.
func reportTitle(_ name: String) -> String {
  var bytes = Array(reportWords(name).utf8)
  if let first = bytes.first, (0x61...0x7A).contains(first) { bytes[0] = first - 0x20 }
  return String(decoding: bytes, as: UTF8.self)
}

/// What all sections of the page share.
struct ReportModel {
  var page: ReportPage
  var series: [ReportSeries]
  /// The findings whose series exists.
  var findings: [ReportFinding]
  /// Metrics in order of first appearance.
  var metrics: [String]
  /// The last bucket that any series compares; `nil` where none does.
  var lastCompared: Int?

  init(_ page: ReportPage) {
    self.page = page
    let trend = page.trend
    let unknown = SeriesVerdict(
      status: .insufficientHistory, validBuckets: 0, overall: nil, expected: [])
    var series = trend.series.indices.map { i in
      ReportSeries(
        trend.series[i], trend.verdicts.indices.contains(i) ? trend.verdicts[i] : unknown,
        index: i, buckets: page.buckets.count)
    }
    var anchors: Set<ReportKey> = []
    var found: [ReportFinding] = []
    for (i, finding) in trend.findings.enumerated() {
      guard series.indices.contains(finding.series), !page.buckets.isEmpty else { continue }
      let text =
        page.texts.indices.contains(i)
        ? page.texts[i]
        : ReportFindingText(id: "\(i + 1)", headline: series[finding.series].name, detail: "")
      var anchor = reportAnchor(text.id)
      if anchor.utf8.count == 2 || !anchors.insert(ReportKey(anchor)).inserted {
        anchor = "n-\(i + 1)"
      }
      // A gap in the data is no change of the series.
      if finding.type.isTested { series[finding.series].findings.append(found.count) }
      var shown = ReportFinding(finding, text, anchor: anchor, number: found.count + 1, of: page)
      if page.evidence.indices.contains(i) { shown.evidence = page.evidence[i] }
      if page.annotations.indices.contains(i) { shown.annotations = page.annotations[i] }
      found.append(shown)
    }
    var seen: Set<ReportKey> = []
    metrics = series.map(\.metric).filter { seen.insert(ReportKey($0)).inserted }
    lastCompared = page.buckets.indices.last { t in series.contains { $0.isCompared(t) } }
    self.series = series
    findings = found
  }

  var material: [ReportFinding] { findings.filter(\.isMaterial) }
  /// Changes that are certain but small.
  var small: [ReportFinding] { findings.filter { !$0.isMaterial && $0.hasSize } }
  /// Runs of buckets without data.
  var gaps: [ReportFinding] { findings.filter { !$0.isMaterial && !$0.hasSize } }

  /// Series that any test was applied to.
  var tested: Int { series.count { $0.verdict.p != nil } }

  func series(of finding: ReportFinding) -> ReportSeries { series[finding.what.series] }

  /// Whether a finding reaches the last compared bucket, so that it may go on.
  func lasts(_ finding: ReportFinding) -> Bool {
    finding.window.upperBound >= (lastCompared ?? 0)
  }

  // MARK: Words for buckets

  /// `day`, `week`, or `bucket` for any other width.
  var bucketWord: String {
    page.bucketDays == 1 ? "day" : page.bucketDays == 7 ? "week" : "bucket"
  }

  func bucketWords(_ count: Int) -> String {
    "\(ReportNumber.integer(count)) \(bucketWord)\(count == 1 ? "" : "s")"
  }

  /// How long so many buckets last: `49 days`, `8 weeks`.
  func length(_ buckets: Int) -> String {
    let days = buckets * page.bucketDays
    if days >= 56 && days % 7 == 0 { return "\(days / 7) weeks" }
    return "\(ReportNumber.integer(days)) day\(days == 1 ? "" : "s")"
  }

  /// `4 Oct`, of any bucket; the nearest one where there is none. With the year where the history is
  /// so long that it could be meant twice.
  func date(_ bucket: Int) -> String {
    guard let first = page.buckets.first, let last = page.buckets.last else { return "" }
    let date = page.buckets[min(max(bucket, 0), page.buckets.count - 1)]
    let isLong = last.daysSinceEpoch - first.daysSinceEpoch > 330
    return isLong ? "\(date.short) \(date.year)" : date.short
  }

  /// `8 Oct to 11 Oct`, or one date.
  func dates(_ range: ClosedRange<Int>) -> String {
    range.count == 1
      ? date(range.lowerBound) : "\(date(range.lowerBound)) to \(date(range.upperBound))"
  }

  func isWeekend(_ bucket: Int) -> Bool {
    page.bucketDays == 1 && page.buckets[bucket].weekday >= 5
  }

  /// The file that has all findings.
  var findingsFile: String { page.dataFiles.first ?? "findings.jsonl" }
}

/// A finding with its words and places that surely exist.
struct ReportFinding {
  var what: TrendFinding
  var text: ReportFindingText
  /// The records behind it.
  var evidence: [EvidenceRecord] = []
  /// What happened at its time.
  var annotations: [TrendAnnotation] = []
  /// Id of its card.
  var anchor: String
  /// From 1.
  var number: Int
  var window: ClosedRange<Int>
  var anchorBucket: Int
  var place: ClosedRange<Int>

  init(
    _ what: TrendFinding, _ text: ReportFindingText, anchor: String, number: Int,
    of page: ReportPage
  ) {
    self.what = what
    self.text = text
    self.anchor = anchor
    self.number = number
    let last = page.buckets.count - 1
    func inside(_ t: Int) -> Int { min(max(t, 0), last) }
    window = inside(what.window.lowerBound)...inside(what.window.upperBound)
    anchorBucket = inside(what.anchor)
    let (a, b) = (inside(what.anchorLo), inside(what.anchorHi))
    place = min(a, b)...max(a, b)
  }

  var isMaterial: Bool { what.isMaterial }
  /// The class of its colour.
  var direction: String { !hasSize ? "gone" : what.direction == .up ? "up" : "down" }
  var arrow: String { !hasSize ? "∅" : what.direction == .up ? "▲" : "▼" }
  /// A gap in the data has no size, only a place.
  var hasSize: Bool { what.type.isTested }

  var typeWords: String {
    switch what.type {
    case .trend: "Trend"
    case .shift: "Level shift"
    case .spike: "Spike"
    case .dip: "Dip"
    case .burst: "Burst"
    case .unconfirmedLevel: "New level?"
    case .seasonBreak: "Weekday change"
    case .windowChange: "Change"
    case .dataMissing: "No data"
    case .openBucket: "Open"
    }
  }
}

/// An id that is safe in an attribute and in a link: other bytes are left out.
private func reportAnchor(_ id: String) -> String {
  let kept = id.utf8.filter { byte in
    (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte)
      || (0x41...0x5A).contains(byte) || byte == UInt8(ascii: "-")
  }
  return "f-" + String(decoding: kept.prefix(64), as: UTF8.self)
}
