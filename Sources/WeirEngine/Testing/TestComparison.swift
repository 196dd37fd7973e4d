import WeirData

/// A piece of a test file to be written anew.
struct TestEdit: Sendable {
  var range: Range<Int>
  var text: [UInt8]
}

/// Holds what came of a test against what is expected, field by field.
struct TestComparison {
  /// Differences shown of one list.
  private static let differencesShown = 20
  /// Longer lists are compared entry by entry, without a look for moved ones.
  private static let alignedMax = 400

  let expect: TestExpectation
  var failures: [String] = []
  var edits: [TestEdit] = []

  init(_ expect: TestExpectation) { self.expect = expect }

  mutating func compare(_ actual: TestActual) {
    for member in expect.node.object ?? [] {
      let node = member.value
      switch member.key {
      case "records": compare(records: node, (actual.records ?? []).map(Entry.init(line:)))
      case "rows": compare(node, (actual.rows ?? []).map(Entry.init), "row", isWhole: true)
      case "findings":
        compare(node, (actual.findings ?? []).map(Entry.init), "finding", isWhole: true)
      case "quarantine":
        compare(node, actual.quarantine.map(Entry.init), "refused record", isWhole: false)
      case "files": compare(files: node, actual)
      case "codes": compare(codes: node, actual)
      case "ledger": compare(ledger: node, actual)
      default: continue
      }
    }
    for excess in actual.overBudget where excess.budget.onExceeded == .fail {
      failures.append("over budget: \(excess.text): a run would withhold its outputs")
    }
  }

  // MARK: Lists

  /// One entry of what came out.
  struct Entry {
    var text: [UInt8]
    /// `nil` where it is no JSON.
    var value: JSONValue?

    init(_ value: JSONValue) {
      self.value = value
      text = value.bytes()
    }

    init(line: [UInt8]) {
      text = line
      value = try? JSONValue(reading: line)
    }
  }

  private mutating func compare(records node: SpecNode, _ actual: [Entry]) {
    compare(node, actual, "record", isWhole: true)
  }

  /// - Parameter isWhole: whether entries may have no other members than those that are expected.
  mutating func compare(
    _ node: SpecNode, _ actual: [Entry], _ what: String, isWhole: Bool
  ) {
    let expected = node.array ?? []
    let pairs = align(expected, actual, isWhole)
    var said = 0
    var more = 0
    func say(_ text: String) {
      said += 1
      if said <= TestComparison.differencesShown { failures.append(text) } else { more += 1 }
    }
    var isEdited = false
    for pair in pairs {
      switch pair {
      case (let e?, let a?):
        let differences = differences(expected[e], actual[a], isWhole)
        guard !differences.isEmpty else { continue }
        isEdited = true
        say(
          "\(what) \(e + 1), line \(expected[e].source.place(of: expected[e].range.lowerBound).line):"
            + table(differences))
      case (let e?, nil):
        isEdited = true
        say("\(what) \(e + 1) is missing: \(clip(expected[e].compactText))")
      case (nil, let a?):
        isEdited = true
        say("unexpected \(what) \(a + 1): \(clip(actual[a].text))")
      case (nil, nil): continue
      }
    }
    if more > 0 { failures.append("and \(more) more differences of \(what)s") }
    guard isEdited else { return }
    let isPaired = pairs.allSatisfy { $0.0 != nil && $0.1 != nil }
    let rendering = TestRendering(like: node)
    if isPaired {
      for (e, a) in pairs {
        guard let e, let a, !differences(expected[e], actual[a], isWhole).isEmpty else { continue }
        edits.append(
          TestEdit(
            range: expected[e].range,
            text: rendering.inline(entry(actual[a], like: expected[e], isWhole))))
      }
    } else {
      let model = expected.first
      var entries: [[UInt8]] = []
      for pair in pairs {
        guard let a = pair.1 else { continue }
        let like = pair.0.map { expected[$0] }
        if let like, differences(like, actual[a], isWhole).isEmpty {
          entries.append(Array(like.source.bytes[like.range]))
        } else {
          entries.append(rendering.inline(entry(actual[a], like: like ?? model, isWhole)))
        }
      }
      edits.append(TestEdit(range: node.range, text: rendering.list(entries)))
    }
  }

  /// What is written into the test of an entry: members in the order of the one that stood there, and only
  /// those where no others are compared.
  private func entry(_ actual: Entry, like node: SpecNode?, _ isWhole: Bool) -> JSONValue {
    guard let value = actual.value, case .object(let members) = value,
      FlatRecord(actual.text) != nil,
      TestRendering.isExact(actual.text)
    else { return .string(actual.text) }
    func isWanted(_ key: String) -> Bool {
      guard isWhole else {
        let known = node?.object?.map(\.key) ?? ["line", "stage", "code", "field"]
        return known.contains { same($0, key) }
      }
      return expect.fields?.contains { same($0, key) } ?? true
    }
    let wanted = members.filter { isWanted($0.key) }
    let order = node?.object?.map(\.key) ?? []
    let first = order.compactMap { key in wanted.first { same($0.key, key) } }
    return .object(first + wanted.filter { member in !order.contains { same($0, member.key) } })
  }

  /// Pairs of what is expected and what came, in order: equal ones first, between them as they stand.
  private func align(
    _ expected: [SpecNode], _ actual: [Entry], _ isWhole: Bool
  ) -> [(Int?, Int?)] {
    let (n, m) = (expected.count, actual.count)
    guard n <= TestComparison.alignedMax, m <= TestComparison.alignedMax, n != m else {
      return (0..<max(n, m)).map { ($0 < n ? $0 : nil, $0 < m ? $0 : nil) }
    }
    var equal = [[Bool]](repeating: [Bool](repeating: false, count: m), count: n)
    for e in 0..<n {
      for a in 0..<m { equal[e][a] = differences(expected[e], actual[a], isWhole).isEmpty }
    }
    var longest = [[Int]](repeating: [Int](repeating: 0, count: m + 1), count: n + 1)
    for e in stride(from: n - 1, through: 0, by: -1) {
      for a in stride(from: m - 1, through: 0, by: -1) {
        longest[e][a] =
          equal[e][a] ? longest[e + 1][a + 1] + 1 : max(longest[e + 1][a], longest[e][a + 1])
      }
    }
    var pairs: [(Int?, Int?)] = []
    var (e, a) = (0, 0)
    var (gapE, gapA) = (0, 0)
    func close(_ e: Int, _ a: Int) {
      let both = min(e - gapE, a - gapA)
      for i in 0..<both { pairs.append((gapE + i, gapA + i)) }
      for i in (gapE + both)..<max(e, gapE + both) { pairs.append((i, nil)) }
      for i in (gapA + both)..<max(a, gapA + both) { pairs.append((nil, i)) }
    }
    while e < n, a < m {
      if equal[e][a], longest[e][a] == longest[e + 1][a + 1] + 1 {
        close(e, a)
        pairs.append((e, a))
        e += 1
        a += 1
        (gapE, gapA) = (e, a)
      } else if longest[e + 1][a] >= longest[e][a + 1] {
        e += 1
      } else {
        a += 1
      }
    }
    close(n, m)
    return pairs
  }

  // MARK: Fields

  private struct Difference {
    var field: String
    var expected: String?
    var actual: String?
  }

  private func differences(_ node: SpecNode, _ actual: Entry, _ isWhole: Bool) -> [Difference] {
    if let line = node.string {
      return Array(line.utf8) == actual.text
        ? [] : [Difference(field: "", expected: line, actual: clip(actual.text))]
    }
    guard let value = actual.value else {
      return [Difference(field: "", expected: clip(node.compactText), actual: clip(actual.text))]
    }
    var found: [Difference] = []
    collect(node, value, "", isWhole, &found)
    return found
  }

  private func collect(
    _ node: SpecNode, _ value: JSONValue, _ path: String, _ isWhole: Bool,
    _ found: inout [Difference]
  ) {
    guard let members = node.object, case .object(let actual) = value else {
      if !TestComparison.equal(node, value) {
        found.append(
          Difference(field: path, expected: clip(node.compactText), actual: clip(value.bytes())))
      }
      return
    }
    func isCompared(_ key: String) -> Bool {
      !path.utf8.isEmpty || expect.fields == nil || !isWhole
        || expect.fields!.contains { same($0, key) }
    }
    func name(_ key: String) -> String { path.utf8.isEmpty ? key : "\(path).\(key)" }
    for member in members where isCompared(member.key) {
      if let other = actual.first(where: { same($0.key, member.key) }) {
        collect(member.value, other.value, name(member.key), isWhole, &found)
      } else {
        found.append(
          Difference(
            field: name(member.key), expected: clip(member.value.compactText), actual: nil))
      }
    }
    guard isWhole else { return }
    for member in actual
    where isCompared(member.key) && !members.contains(where: { same($0.key, member.key) }) {
      found.append(
        Difference(field: name(member.key), expected: nil, actual: clip(member.value.bytes())))
    }
  }

  /// Numbers are equal where their values are: 2 and 2.0.
  static func equal(_ node: SpecNode, _ value: JSONValue) -> Bool {
    switch (node.kind, value) {
    case (.null, .null): true
    case (.bool(let a), .bool(let b)): a == b
    case (.int(let a), .int(let b)): a == b
    case (.int(let a), .number(let b)): Double(a) == b && Int64(exactly: b) == a
    case (.number(let a), .int(let b)): Double(b) == a && Int64(exactly: a) == b
    case (.number(let a), .number(let b)): a == b
    case (.string(let a), .string(let b)): a.utf8.elementsEqual(b)
    case (.array(let a), .array(let b)): a.count == b.count && zip(a, b).allSatisfy(equal)
    case (.object(let a), .object(let b)):
      a.count == b.count
        && a.allSatisfy { member in
          b.contains { same($0.key, member.key) && equal(member.value, $0.value) }
        }
    default: false
    }
  }

  private func table(_ differences: [Difference]) -> String {
    let shown = differences.prefix(TestComparison.differencesShown)
    let name = max(5, shown.map { $0.field.unicodeScalars.count }.max() ?? 0)
    let wide = max(8, shown.map { ($0.expected ?? "-").unicodeScalars.count }.max() ?? 0)
    func pad(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(0, width - text.unicodeScalars.count))
    }
    var lines = ["  \(pad("field", name))  \(pad("expected", wide))  actual"]
    for difference in shown {
      lines.append(
        "  \(pad(printable(difference.field), name))  \(pad(difference.expected ?? "-", wide))  \(difference.actual ?? "-")"
      )
    }
    if differences.count > shown.count {
      lines.append("  and \(differences.count - shown.count) more fields")
    }
    return lines.map { "\n\($0)" }.joined()
  }

  func clip(_ bytes: [UInt8]) -> String {
    let text = printable(bytes.prefix(240))
    let scalars = text.unicodeScalars
    guard scalars.count > 60 || bytes.count > 240 else { return text }
    return String(String.UnicodeScalarView(scalars.prefix(57))) + "..."
  }
}
