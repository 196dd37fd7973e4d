/// The trend report as one HTML file: no request leaves it, it reads without a script, on paper and
/// on a telephone.
///
/// The same page gives the same bytes. At most 50 findings have a card and at most 400 series a
/// line, and both stop earlier when they grow long, so that the file stays under 1.5 MB; the page
/// says what it leaves to the data files.
///
/// - Parameters:
///   - sha256: the hash function for the content security policy, 32 bytes for any input.
public func renderReport(_ page: ReportPage, sha256: ([UInt8]) -> [UInt8]) -> [UInt8] {
  let model = ReportModel(page)
  let budget = ReportBudget(model)
  let head = ReportHead(model: model)
  let changes = ReportChanges(model: model, budget: budget)
  let body: ReportMarkup = """
    \(head.markup())
    <main>
    \(changes.markup())
    \(ReportCards(model: model, budget: budget).markup())
    \(ReportMap(model: model).markup())
    \(ReportGrid(model: model, budget: budget).markup())
    \(ReportQuiet(model: model).markup())
    \(ReportData(model: model).markup())
    \(ReportLedger(model: model).markup())\(ReportExpectations(page: model.page).markup())
    \(ReportQuarantine(model: model).markup())
    \(ReportMethod(model: model).markup())
    </main>
    """
  return reportDocument(
    title: head.title, bar: head.bar(), body: body, version: page.version, sha256: sha256)
}

/// The frame of every page: policy, style, script, footer.
func reportDocument(
  title: String, bar: ReportMarkup, body: ReportMarkup, version: String,
  sha256: ([UInt8]) -> [UInt8]
) -> [UInt8] {
  let style = reportStyle()
  let policy: ReportMarkup = """
    default-src 'none'; style-src 'sha256-\(base64(sha256(style.bytes)))'; \
    script-src 'sha256-\(base64(sha256(reportScript.bytes)))'; base-uri 'none'; form-action 'none'
    """
  let html: ReportMarkup = """
    <!doctype html>
    <html lang=en><head><meta charset=utf-8>\
    <meta http-equiv=Content-Security-Policy content="\(policy)">\
    <meta name=viewport content="width=device-width,initial-scale=1">\
    <meta name=referrer content=no-referrer>\
    <meta name=generator content="Weir \(value: version)">\
    <title>\(value: title)</title><style>\(style)</style></head>
    <body>\(bar)
    <div class=wrap>\(body)
    <footer>Made by Weir \(version). The same inputs, spec and parameters give the same bytes; \
    no clock stands in this file.</footer></div>
    <script>\(reportScript)</script></body></html>

    """
  return html.bytes
}

/// What of a large report is drawn.
struct ReportBudget {
  static let cards = 50
  static let cardBytes = 600_000
  static let rankedRows = 100
  static let sparklines = 400
  static let sparklineBytes = 450_000

  /// Series that have a line among all series: those with findings, then those with most records.
  var drawn: Set<Int>

  init(_ model: ReportModel) {
    let left = Self.sparklines - min(model.material.count, Self.rankedRows)
    let order = model.series.sorted { a, b in
      if a.findings.isEmpty != b.findings.isEmpty { return b.findings.isEmpty }
      return a.records != b.records ? a.records > b.records : a.index < b.index
    }
    drawn = Set(order.prefix(left).map(\.index))
  }
}

private func base64(_ bytes: [UInt8]) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var out: [UInt8] = []
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = bytes[start..<min(start + 3, bytes.count)]
    var bits = group.reduce(0) { $0 << 8 | UInt32($1) }
    bits <<= UInt32(8 * (3 - group.count))
    for place in 0..<4 {
      let digit = Int(bits >> UInt32(18 - 6 * place) & 63)
      out.append(place <= group.count ? alphabet[digit] : UInt8(ascii: "="))
    }
  }
  return String(decoding: out, as: UTF8.self)
}
