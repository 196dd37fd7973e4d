import WeirData

extension TestActual {
  /// Files with more lines are only said to be there.
  private static let fileLinesMax = 40

  /// What came out as the expectation of a test.
  func expectation(_ test: TestCase) -> [UInt8] {
    let node = test.expect.node
    let line = node.source.line(at: node.range.lowerBound)
    let indent = node.source.bytes[line].prefix { $0 == 0x20 }.count
    return expectation(
      indent: indent, hasEnd: test.end != nil, fields: test.expect.member("fields"))
  }

  /// - Parameters:
  ///   - indent: blanks in front of the line that it begins in.
  ///   - fields: the only ones of records, rows and findings that are compared, where there are such.
  func expectation(indent: Int, hasEnd: Bool, fields: SpecNode? = nil) -> [UInt8] {
    var members: [(key: String, text: [UInt8])] = []
    if let fields { members.append(("fields", Array(fields.source.bytes[fields.range]))) }
    let names = fields?.array?.compactMap(\.string)
    func cut(_ value: JSONValue) -> JSONValue {
      guard let names, case .object(let members) = value else { return value }
      return .object(members.filter { member in names.contains { same($0, member.key) } })
    }
    let inner = TestRendering(indent: indent + 2)
    func entries(_ values: [JSONValue]) -> [UInt8] {
      inner.list(values.map { inner.inline(cut($0)) })
    }
    func line(_ text: [UInt8]) -> [UInt8] {
      guard names != nil, let value = try? JSONValue(reading: text) else {
        return TestActual.line(text)
      }
      return inner.inline(cut(value))
    }
    if let records { members.append(("records", inner.list(records.map(line)))) }
    if let rows { members.append(("rows", entries(rows))) }
    if let findings { members.append(("findings", entries(findings))) }
    if !hasEnd || (records == nil && rows == nil && findings == nil) {
      let deeper = TestRendering(indent: indent + 4)
      let texts = files.map { file -> [UInt8] in
        var out: [UInt8] = []
        appendJSONString(file.path, to: &out)
        out += Array(": ".utf8)
        let isPage = file.lines.first?.first == UInt8(ascii: "<")
        out +=
          isPage || file.lines.count > TestActual.fileLinesMax
          ? Array("true".utf8) : deeper.list(file.lines.map(TestActual.line))
        return out
      }
      members.append(("files", TestActual.block(texts, "{", "}", indent + 2)))
    }
    members.append(("ledger", inner.inline(TestLedger.json(ledger.records))))
    let counts = codeCounts.sorted { $0.code.utf8.lexicographicallyPrecedes($1.code.utf8) }
    let refused = quarantine.filter { $0.text("code") != nil }.map { entry -> JSONValue in
      .object(
        ["line", "stage", "code", "field"].compactMap { key in
          entry[key].map { JSONMember(key, $0) }
        })
    }
    members.append(
      ("codes", inner.inline(.object(counts.map { JSONMember($0.code, .int($0.count)) }))))
    if !refused.isEmpty {
      members.append(("quarantine", inner.list(refused.map(inner.inline))))
    }
    let texts = members.map { member -> [UInt8] in
      Array("\"\(member.key)\": ".utf8) + member.text
    }
    return TestActual.block(texts, "{", "}", indent)
  }

  /// A line of a file in a test: as it is where it is JSON that nothing is lost of, else as text.
  static func line(_ text: [UInt8]) -> [UInt8] {
    if FlatRecord(text) != nil, TestRendering.isExact(text) { return TestRendering.spaced(text) }
    var out: [UInt8] = []
    text.withUnsafeBufferPointer { appendJSONString($0, to: &out) }
    return out
  }

  static func block(_ texts: [[UInt8]], _ open: String, _ close: String, _ indent: Int) -> [UInt8] {
    guard !texts.isEmpty else { return Array((open + close).utf8) }
    var out = Array(open.utf8)
    for (i, text) in texts.enumerated() {
      out += Array((i > 0 ? ",\n" : "\n").utf8)
      out += [UInt8](repeating: 0x20, count: indent + 2) + text
    }
    return out + [0x0A] + [UInt8](repeating: 0x20, count: indent) + Array(close.utf8)
  }
}
