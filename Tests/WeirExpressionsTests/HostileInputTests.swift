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
    "`a`", "//", "\n", "\r", "\t", " ", "\u{0}", "ä", "\u{1F600}", "\u{201C}", "params.", "market",
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
