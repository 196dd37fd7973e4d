import Testing
import WeirData
import WeirStatistics

@testable import WeirStages

@Suite struct ReportPageTests {
  private func example() -> ReportPage {
    var example = ReportExample()
    return example.page()
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  /// The page is well formed, its ids are unique and its links arrive.
  private func check(_ page: ReportPage, _ name: String) throws -> [UInt8] {
    let bytes = renderReport(page, sha256: reportHash)
    try writeIfWanted(bytes, name + ".html")
    let read = ReportMarkupReader(bytes)
    #expect(read.problems == [])
    #expect(Set(read.ids).count == read.ids.count)
    let ids = Set(read.ids)
    let lost = Set(read.links.map { $0.hasPrefix("#") ? String($0.dropFirst()) : $0 })
    #expect(lost.subtracting(ids) == [])
    #expect(bytes.count < 1_500_000)
    return bytes
  }

  @Test func `the example is whole and says what it found`() throws {
    let page = text(try check(example(), "report"))
    for words in [
      "nightly-trends, through Friday 20\u{A0}November 2026", "8 changes need a look.",
      "54 complete days from 27 Sep", "Certain but small", "Not compared", "Level shift",
      "no data on 30 Oct",
      "Where: market by queue", "234 series in all.", "3,919,153 read = 3,732,066 used",
      "<span class=cp>U+202E</span>", "<span class=cp>0xFF</span>",
      "with the parameters named above",
      "<code>3d35adfa0",
    ] {
      #expect(page.contains(words), "\(words)")
    }
    for words in ["+0.0", "−0.0", ">-0", " style=", "<img", "http:", "https:", "url(", "@import"] {
      #expect(!page.contains(words), "\(words)")
    }
  }

  @Test func `the policy allows this style and this script and nothing else`() {
    let bytes = renderReport(example(), sha256: { bytes in Array("\(bytes.count)".utf8) })
    let read = ReportMarkupReader(bytes)
    #expect(!read.style.isEmpty && !read.script.isEmpty)
    func base64(_ count: Int) -> String {
      let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
      var bits = Array("\(count)".utf8).flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 } }
      while bits.count % 6 != 0 { bits.append(0) }
      let digits = stride(from: 0, to: bits.count, by: 6).map { start in
        alphabet[bits[start..<start + 6].reduce(0) { $0 << 1 | Int($1) }]
      }
      return String(digits) + String(repeating: "=", count: (4 - digits.count % 4) % 4)
    }
    let policy =
      "default-src 'none'; style-src 'sha256-\(base64(read.style.count))'; "
      + "script-src 'sha256-\(base64(read.script.count))'; base-uri 'none'; form-action 'none'"
    #expect(text(bytes).contains("content=\"\(policy)\""))
  }

  @Test func `the hash of the tests is SHA-256`() {
    let hex = reportHash(Array("abc".utf8)).map { String($0, radix: 16) }
    #expect(hex.prefix(4) == ["ba", "78", "16", "bf"])
  }

  @Test func `rendering twice gives the same bytes`() {
    #expect(
      renderReport(example(), sha256: reportHash) == renderReport(example(), sha256: reportHash))
  }

  @Test func `a quiet night says how much was tested and what came closest`() throws {
    var page = example()
    page.trend.findings = []
    page.texts = []
    page.notes = []
    page.quarantine = []
    page.totals.quarantined = 0
    page.totals.written += 558
    let quiet = text(try check(page, "quiet"))
    #expect(quiet.contains("Nothing changed that a person should see"))
    #expect(quiet.contains("227 of 234 series were tested and none moved"))
    #expect(quiet.contains("None of these is a finding."))
    #expect(!quiet.contains("The findings one by one"))
  }

  @Test func `no series at all is said, not drawn`() throws {
    var page = example()
    page.trend = TrendReport(series: [], verdicts: [], findings: [])
    page.texts = []
    #expect(text(try check(page, "none")).contains("Nothing to compare"))
    page.buckets = []
    page.by = []
    page.ledger = []
    page.parameters = []
    page.dataFiles = []
    page.totals = ReportTotals(
      read: 0, written: 0, deduplicated: 0, filtered: 0, quarantined: 0, blank: 0)
    #expect(text(try check(page, "empty")).contains("no complete day"))
  }

  @Test(arguments: [
    TrendBucket(state: .missing), TrendBucket(state: .open), TrendBucket(state: .zero),
    TrendBucket(state: .closed, n: .nan, k: .nan, value: .infinity, variance: .nan),
    TrendBucket(state: .closed, n: 1e300, k: 1e300, value: -1e300),
  ])
  func `one series of odd buckets renders for every metric and finding`(_ bucket: TrendBucket)
    throws
  {
    for kind in MetricKind.allCases {
      for type in [FindingType.trend, .shift, .spike, .dip, .burst, .dataMissing] {
        var page = example()
        let odd = Estimate(value: .nan, lo: -.infinity, hi: .infinity)
        var finding = page.trend.findings[0]
        finding.type = type
        finding.series = 0
        finding.window = 3...400
        finding.anchor = 999
        (finding.anchorLo, finding.anchorHi) = (500, -4)
        (finding.baseline, finding.observed, finding.effect) = (odd, odd, odd)
        (finding.impact, finding.slopePerWeek, finding.relative) = (odd, odd, .nan)
        page.by = []
        page.trend = TrendReport(
          series: [
            TrendSeries(
              key: [], metric: "m", kind: kind, buckets: Array(repeating: bucket, count: 40),
              firstWeekday: nil)
          ], verdicts: [], findings: [finding])
        let drawn = text(try check(page, "odd"))
        #expect(!drawn.contains("nan"))
      }
    }
  }

  @Test func `four hundred findings fit, and the page says where the rest is`() throws {
    var page = example()
    page.trend.findings = (0..<400).map { i in
      var finding = page.trend.findings[i % 8]
      finding.series = i % page.trend.series.count
      return finding
    }
    page.texts = (0..<400).map {
      ReportFindingText(id: "id\($0)", headline: "Finding \($0)", detail: "")
    }
    let many = text(try check(page, "many"))
    #expect(many.contains("300 more are in <code>findings.jsonl</code>"))
    #expect(many.contains("350 more findings are in <code>findings.jsonl</code>"))
  }

  @Test func `long histories and many names stay within the size`() throws {
    var page = example()
    let series = page.trend.series
    page.buckets = ReportExample.dates(730)
    page.trend.verdicts = (0..<3_000).map { i in
      var verdict = page.trend.verdicts[i % series.count]
      verdict.expected = (0..<730).map { verdict.expected[$0 % 56] }
      return verdict
    }
    page.trend.series = (0..<3_000).map { i in
      var one = series[i % series.count]
      one.buckets = (0..<730).map { one.buckets[$0 % 55] }
      one.key = ["market \(i % 100)", "queue \(i / 100)"]
      return one
    }
    let long = text(try check(page, "long"))
    #expect(long.contains("complete days from 27 Sep 2026"))
    #expect(long.contains("series have no line here"))
    #expect(long.contains("Not shown: 60 more of market, 14 more of queue."))
  }

  @Test func `one field makes a list, and weeks are called weeks`() throws {
    var page = example()
    page.by = ["market"]
    page.bucketDays = 7
    page.buckets = (0..<56).map {
      CivilDate(daysSinceEpoch: ReportExample.first.daysSinceEpoch + 7 * $0)
    }
    page.trend.series = page.trend.series.map { one in
      var one = one
      one.key = [one.key.map { $0 ?? "all" }.joined(separator: "+")]
      one.firstWeekday = nil
      return one
    }
    let list = text(try check(page, "weeks"))
    #expect(list.contains("54 complete weeks"))
    #expect(list.contains("<ul class=lines>"))
    #expect(!list.contains("Grey: weekends"))
  }

  @Test func `names that only Swift takes for equal stay apart`() throws {
    var page = example()
    for i in page.trend.series.indices where page.trend.series[i].key[0] == "DE" {
      page.trend.series[i].key[0] = "\u{E9}"
    }
    for i in page.trend.series.indices where page.trend.series[i].key[0] == "FR" {
      page.trend.series[i].key[0] = "e\u{301}"
    }
    let bytes = try check(page, "names")
    let rows = text(bytes).utf8.split(separator: 10).filter {
      $0.starts(with: "<tr><th scope=row>\u{E9}<".utf8)
        || $0.starts(with: "<tr><th scope=row>e\u{301}<".utf8)
    }
    // Two metrics, in the map and in the grid.
    #expect(rows.count == 8)
  }
}
