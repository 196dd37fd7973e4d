import Testing
import WeirData

@testable import WeirExpressions

@Suite struct `Hostile input` {
  private static let pieces = [
    "(", ")", "[", "]", "{", "}", "?", ":", ",", ".", "..", "&&", "||", "!", "-", "+", "*", "/",
    "%",
    "==", "!=", "<", "<=", ">=", "=", "&", "in", "has(", "size(", "timestamp(", "'", "\"", "'''",
    "\"\"\"", "r'", "b'", "br\"", "\\", "\\x", "\\u12", "\\U00110000", "\\400", "0x", "0xfg", "1e",
    "1e999", ".5", "1.", "1u", "9223372036854775808", "-9223372036854775808", "null", "true", "`",
    "`a`", "//", "\n", ".map(v, ", ".exists(k, v, ", "tags", "doc.", "[0]", ".?a", "int(", "1u",
    "b'a'",
    "duration('1s')", ".matches('a')", ".getHours()", "{'a': ", "optional.of(", ".orValue(",
    "string(",
    ".format([", "cel.bind(z, 1, ", "\r", "\t", " ", "\u{0}", "ä", "\u{1F600}", "\u{201C}",
    "params.", "market",
    "model.score", "x", "dyn(", ".exists(", "a{b:1}", "?[", ".?", "and", "not ", "is",
  ]

  @Test(arguments: 0..<4)
  func `is refused with a place inside the source, or means one thing`(seed: Int) throws {
    var writer = Writer(random: SplitMix(state: UInt64(seed) &* 104_729 &+ 5))
    var accepted = 0
    for _ in 0..<4_000 {
      let source = mutated(&writer)
      let table = writer.table(rows: 2)
      guard let refusal = table.refusal(source) else {
        _ = try compareWithReference(source, table, &writer.random)
        accepted += 1
        continue
      }
      check(refusal, source)
    }
    #expect(accepted > 20)
  }

  @Test func `random bytes are refused with a place inside the source`() {
    var random = SplitMix(state: 77)
    let table = Table(fields: [("a", "any")], rows: [])
    for _ in 0..<20_000 {
      let bytes = (0..<Int(random.next() % 24)).map { _ in UInt8(truncatingIfNeeded: random.next())
      }
      let source = String(decoding: bytes, as: UTF8.self)
      if let refusal = table.refusal(source) { check(refusal, source) }
    }
  }

  @Test func `cutting an expression anywhere is refused or read, never a crash`() {
    let source =
      #"market == "a\u00e9\"" && (n + -3 * 2 in [1, 0x1F,] || !has(note) ? x != null : model.score >= 1e-3)"#
    let table = Table(fields: Writer.fields, rows: [], params: Writer.params)
    #expect(table.refusal(source) == nil)
    for length in 0...source.utf8.count {
      let cut = String(decoding: Array(source.utf8.prefix(length)), as: UTF8.self)
      if let refusal = table.refusal(cut) { check(refusal, cut) }
    }
  }

  private static let large: [String] = [
    String(repeating: "a", count: 1 << 20), String(repeating: "(", count: 10_000),
    String(repeating: "[", count: 10_000), String(repeating: "{1:", count: 10_000),
    String(repeating: "[1].map(x,", count: 10_000),
    "'" + String(repeating: "x", count: 1 << 20) + "'",
    String(repeating: "9", count: 1 << 20), "1" + String(repeating: "0", count: 6_000),
    "0." + String(repeating: "1", count: 6_000) + "e" + String(repeating: "9", count: 1_000),
    String(repeating: "[1,2,3,4,5,6,7,8,9].map(x, ", count: 60) + "x"
      + String(repeating: ")", count: 60),
    "'" + String(repeating: "a", count: 4_000) + "'.matches('"
      + String(repeating: "(a*)*", count: 600)
      + "b')",
    "'a'.matches('((a{0,99}){0,99}){0,99}')",
    "'x'.matches(r'" + String(repeating: "[^a]{1000}", count: 300) + "')",
    "'a'.replace('', '" + String(repeating: "b", count: 5_000) + "').replace('', '"
      + String(repeating: "c", count: 2_000) + "').replace('b', 'cccccccccccccccc')",
    "'%.99999999999999f'.format([1.0])",
    "cel.bind(a, [1,1,1,1,1,1,1,1,1,1], cel.bind(b, a.map(x, a), cel.bind(c, b.map(x, b), "
      + "cel.bind(d, c.map(x, c), d.map(x, d) == d.map(x, d)))))",
  ]

  @Test(arguments: large.indices)
  func `costs less than a second`(index: Int) {
    let source = Self.large[index]
    let table = Table(fields: [("a", "any")], rows: [])
    let start = ContinuousClock.now
    if let refusal = table.refusal(source) { check(refusal, source) }
    #expect(ContinuousClock.now - start < .seconds(1), "\(source.prefix(60))")
  }

  @Test func `a macro over a long list stops at its budget, for that record alone`() throws {
    let long = Content.list((0..<3_000).map { .int($0) })
    let table = Table(fields: [("l", "any")], rows: [[long], [.list([.int(1)])], [long]])
    let start = ContinuousClock.now
    let values = try table.values("size(l.map(x, l.filter(y, y > x))) == 1")
    #expect(ContinuousClock.now - start < .seconds(3))
    #expect(values.failures.map { $0.row } == [0, 2] && values.values[1] == .bool(true))
    #expect(values.failures[0].message.contains("steps"))
    // `exists` does not go on behind the end of the budget.
    #expect(
      try table.truths("l.exists(x, l.exists(y, l.exists(z, z < 0)))") == [.error, .false, .error])
  }

  @Test func `deep and odd JSON in a record is an error of that record`() throws {
    func table(_ json: String) -> Batch {
      var batch = Table(fields: [("j", "any")], rows: [[.null]]).batch()
      let bytes = Array(json.utf8)
      batch.column(0)[0] = bytes.withUnsafeBufferPointer { .other(json: batch.arena.store($0)) }
      return batch
    }
    let scope = Table(fields: [("j", "any")], rows: []).scope
    for (json, says) in [
      (String(repeating: "[", count: 1_000) + String(repeating: "]", count: 1_000), "nested"),
      ("[18446744073709551616]", "64 bits"), ("[1e400]", "64 bits"),
      (#"{"a": 1, "a": 2}"#, "a key twice"), (#"["\ud800"]"#, "surrogate"),
    ] {
      var evaluator = try CompiledExpression("size(j) > 0", scope: scope).makeEvaluator()
      var truths: [Truth] = []
      evaluator.evaluate(table(json), Selection(all: 1), into: &truths)
      #expect(truths == [.error])
      #expect(evaluator.failures.first?.message.contains(says) ?? false, "\(evaluator.failures)")
    }
  }

  private func check(_ refusal: ExpressionError, _ source: String) {
    let count = source.utf8.count
    #expect(
      refusal.column >= 1 && refusal.length >= 0 && refusal.column - 1 + refusal.length <= count,
      "\(refusal) in \(source)")
    #expect(!refusal.message.isEmpty)
  }

  private func mutated(_ writer: inout Writer) -> String {
    var bytes = Array(writer.expression("bool", Int(writer.random.next() % 4)).utf8)
    for _ in 0...Int(writer.random.next() % 3) {
      let at = Int(writer.random.next() % UInt64(bytes.count + 1))
      let end = min(bytes.count, at + Int(writer.random.next() % 8))
      switch writer.random.next() % 4 {
      case 0: bytes.removeSubrange(at..<end)
      case 1: bytes.insert(contentsOf: Array(bytes[at..<end]), at: at)
      case 2: bytes.insert(contentsOf: Array(writer.random.pick(Self.pieces).utf8), at: at)
      default:
        if at < bytes.count { bytes[at] = UInt8(truncatingIfNeeded: writer.random.next()) & 0x7F }
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
