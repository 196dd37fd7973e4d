import Testing
import WeirStatistics

@testable import WeirStages

@Suite struct ReportEscapeTests {
  private func text(_ bytes: [UInt8]) -> String {
    String(decoding: ("\(bytes)" as ReportMarkup).bytes, as: UTF8.self)
  }

  private func value(_ text: String) -> String {
    String(decoding: ("\(value: text)" as ReportMarkup).bytes, as: UTF8.self)
  }

  @Test func `the five signs become entities, whatever combines with them`() {
    let hostile = "<\u{338}\"\u{301}'\u{20D2}&\u{200C}>\u{FE0F}"
    let escaped = Array(text(Array(hostile.utf8)).utf8)
    for sign in "<>\"'".utf8 { #expect(!escaped.contains(sign)) }
    #expect(
      escaped
        == Array("&lt;\u{338}&quot;\u{301}&#39;\u{20D2}&amp;\u{200C}&gt;\u{FE0F}".utf8))
  }

  @Test func `what cannot be seen is shown by its number`() {
    let cases: [(String, String)] = [
      ("\u{0}", "U+0000"), ("\n", "U+000A"), ("\u{7F}", "U+007F"), ("\u{9B}", "U+009B"),
      ("\u{200E}", "U+200E"), ("\u{202E}", "U+202E"), ("\u{2066}", "U+2066"),
      ("\u{2028}", "U+2028"), ("\u{FFFD}", "U+FFFD"), ("\u{FEFF}", "U+FEFF"),
      ("\u{E0041}", "U+E0041"), ("\u{1FFFE}", "U+1FFFE"),
    ]
    for (hidden, name) in cases {
      #expect(text(Array(hidden.utf8)) == "<span class=cp>\(name)</span>")
      #expect(value(hidden) == "[\(name)]")
    }
  }

  @Test func `bytes that are not UTF-8 are shown one by one`() {
    func shown(_ bytes: [String]) -> String {
      bytes.map { "<span class=cp>0x\($0)</span>" }.joined()
    }
    #expect(text([0xFF, 0x41]) == shown(["FF"]) + "A")
    #expect(text([0xC0, 0xBC]) == shown(["C0", "BC"]))  // overlong <
    #expect(text([0xE2, 0x82]) == shown(["E2", "82"]))  // cut short
    #expect(text([0xED, 0xA0, 0x80]) == shown(["ED", "A0", "80"]))  // a surrogate
    #expect(text([0xF4, 0x90, 0x80, 0x80]) == shown(["F4", "90", "80", "80"]))
    #expect(text(Array("é€😀".utf8)) == "é€😀")
  }

  @Test func `a very long text is cut between characters`() {
    let escaped = text(Array(String(repeating: "€", count: 5_000).utf8))
    #expect(escaped.utf8.count < 1_010)
    #expect(escaped.utf8.suffix(3) == "…".utf8.suffix(3))
  }

  static let payloads = [
    "</script><script>alert(1)</script>", "<!-- ", "-->", "<![CDATA[", "javascript:alert(1)",
    "\" onmouseover=\"alert(1)", "\"\u{301} onmouseover=alert(1) x=\"", "' onclick='alert(1)",
    "<img src=x onerror=alert(1)>", "<\u{338}svg onload=alert(1)>", "</title><style>*{}</style>",
    "&lt;b&gt;", "&#60;script&#62;", "</svg><a href=javascript:alert(1)>", "`${alert(1)}`",
    "a\u{0}b\u{202E}c", "%3Cscript%3E", "x_y__z", "</desc></svg></td></table><form action=x>",
  ]

  /// The example with every text that can come from outside replaced.
  private func hostile(_ payload: String) -> ReportPage {
    var example = ReportExample()
    var page = example.page()
    let bytes = Array(payload.utf8)
    for i in page.trend.series.indices {
      let key = page.trend.series[i].key
      page.trend.series[i].key = key.map { $0.map { payload + $0 + payload } }
      page.trend.series[i].metric = payload + page.trend.series[i].metric
    }
    for i in page.texts.indices {
      page.texts[i] = ReportFindingText(
        id: payload + "\(i)", headline: payload, detail: payload + "x")
      page.trend.findings[i].materialityReason = payload
      page.trend.findings[i].explainedAway = [payload]
      page.trend.findings[i].test.name = payload
    }
    page.pipeline = payload
    page.description = payload
    page.specFile = payload
    page.scope = payload
    page.by = [payload, payload]
    page.zone = payload
    page.recordNoun = payload
    page.version = payload
    page.parameters = [ReportNamed(payload, payload)]
    page.hashes = [ReportNamed(payload, payload)]
    page.dataFiles = [payload]
    page.inputs.hash = payload
    page.notes = page.notes.map {
      ReportDataNote(label: payload, place: payload, effect: payload, isProblem: $0.isProblem)
    }
    page.ledger = page.ledger.map { row in
      var row = row
      row.stage = payload
      row.type = payload
      return row
    }
    page.quarantine = page.quarantine.map { row in
      ReportQuarantineRow(
        code: payload, meaning: payload, count: row.count, share: row.share, shard: bytes,
        line: row.line, bytes: bytes + [0xFF] + bytes, remedy: payload)
    }
    return page
  }

  @Test(arguments: payloads)
  func `no text makes an element or an attribute`(_ payload: String) {
    let benign = ReportMarkupReader(renderReport(hostile("Name_"), sha256: reportHash))
    let read = ReportMarkupReader(renderReport(hostile(payload), sha256: reportHash))
    #expect(read.problems == [])
    #expect(read.shape.subtracting(benign.shape) == [])
    #expect(read.style == benign.style)
    #expect(read.script == benign.script)
    let elsewhere = read.links.filter {
      $0.utf8.first != UInt8(ascii: "#") && !read.ids.contains($0)
    }
    #expect(elsewhere == [])
  }
}
