import Testing
import WeirData
import WeirTesting

@testable import WeirEngine

@Suite struct `Values in paths` {
  private func encoded(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    bytes.withUnsafeBufferPointer { appendEncoded($0, to: &out) }
    return out
  }
  private func encoded(_ text: String) -> String {
    String(decoding: encoded(Array(text.utf8)), as: UTF8.self)
  }

  @Test(arguments: [
    ("DE", "DE"), ("..", "%2E%2E"), (".", "%2E"), ("", "__empty__"), ("a/b", "a%2Fb"),
    ("__null__", "%5F_null__"), ("__empty__", "%5F_empty__"), ("_x", "_x"), ("...", "%2E%2E%2E"),
    (".x", ".x"), ("a.b", "a.b"), ("\0", "%00"), ("é", "%C3%A9"), ("e\u{301}", "e%CC%81"),
    ("100%", "100%25"), ("~", "%7E"), ("a b", "a%20b"), ("\\", "%5C"),
  ])
  func `are encoded`(value: String, expected: String) {
    #expect(encoded(value) == expected)
  }

  @Test func `that are long are cut, and stay different`() {
    let long = String(repeating: "x", count: 300)
    let names = [long, long + "y", "y" + long, String(repeating: "é", count: 150)].map(encoded)
    #expect(Set(names.map { Array($0.utf8) }).count == 4)
    #expect(names.allSatisfy { $0.utf8.count <= 150 })
    // What is not cut may not look like what is.
    #expect(encoded(names[0]) != names[0])
  }

  @Test(arguments: 0..<20)
  func `differ where the values differ, and are safe names`(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed))
    let pool = Array("./_%~ aA0-".utf8) + [0, 0x0A, 0x7F, 0x80, 0xC3, 0xA9, 0xFF, 0x5C]
    var seen: [[UInt8]: [UInt8]] = [:]
    for _ in 0..<3_000 {
      let count = random.oneIn(20) ? 140 + random.below(40) : random.below(5)
      let value = (0..<count).map { _ in random.pick(pool) }
      let name = encoded(value)
      if let other = seen[name] { #expect(other == value) }
      seen[name] = value
      #expect(!name.isEmpty && name != [0x2E] && name != [0x2E, 0x2E])
      #expect(name.count <= 255 && !name.contains(0) && !name.contains(UInt8(ascii: "/")))
      #expect(name != Array("__null__".utf8))
    }
  }

  private func template(_ text: String) -> (PathTemplate?, Problems) {
    var scope = Scope()
    for (name, base) in [
      ("market", FieldType.Base.string), ("ts", .timestamp), ("n", .int), ("x", .any), ("b", .bool),
    ] {
      scope.addSource(
        FieldPath(components: [Array(name.utf8)]), FieldType(base, nullable: true), inRecord: true)
    }
    var problems = Problems()
    let node = SpecNode(
      kind: .string(text), range: 0..<text.utf8.count, pointer: .root,
      source: SpecSource(name: "t", bytes: Array(text.utf8)))
    return (PathTemplate(text, scope: scope, at: node, &problems), problems)
  }

  @Test(arguments: [
    "/etc/passwd", "../x", "a/../b", "a//b", "", ".", "a/.", "a/..", "a/", "x\u{0}y", "..",
    "{market", "{nothing}", "{ts:%Q}", "{ts:Y}", "{market:%Y}", "{x}", "{ts:%Y/%m}", "{}",
    "./a", "a/./b", "{market}/../..",
  ])
  func `that could leave the output directory or mean nothing are refused`(text: String) {
    let (template, problems) = template(text)
    #expect(template == nil && problems.hasErrors, "\(text)")
  }

  @Test func `fill a template`() throws {
    let template = try #require(
      template("m={market}/{ts:%Y-%m-%d %H%M%S}/{n}-{b}-{ts}.jsonl").0)
    #expect(template.fixedPath == nil)
    let lines = (1...3).map { BatchLine(start: 0, length: 0, number: $0) }
    var batch = Batch(bytes: Bytes(capacity: 0), lines: lines, columnCount: 5)
    let text: [[UInt8]] = [Array("../..".utf8), [0xFF, 0x2F]]
    for row in 0..<2 {
      batch.column(0)[row] = text[row].withUnsafeBufferPointer { .string(batch.arena.store($0)) }
      batch.column(1)[row] = .timestamp(microseconds: 1_790_000_000_123_456 * Int64(1 - row))
      batch.column(2)[row] = .int(row == 0 ? .min : 7)
      batch.column(4)[row] = .bool(row == 0)
    }
    func path(_ row: Int) -> String {
      var out: [UInt8] = []
      template.append(row: row, of: batch, to: &out)
      return String(decoding: out, as: UTF8.self)
    }
    #expect(
      path(0)
        == "m=..%2F../2026-09-21%20141320/-9223372036854775808-true-2026-09-21T14%3A13%3A20.123456Z.jsonl"
    )
    #expect(path(1) == "m=%FF%2F/1970-01-01%20000000/7-false-1970-01-01T00%3A00%3A00Z.jsonl")
    #expect(path(2) == "m=__null__/__null__/__null__-__null__-__null__.jsonl")
  }
}
