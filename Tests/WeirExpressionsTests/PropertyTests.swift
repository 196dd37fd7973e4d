import Glibc
import Testing

@testable import WeirExpressions

/// Random expressions of one seed; `WEIR_EXPRESSIONS` says how many there are in all.
private let rounds: Int = {
  let all = getenv("WEIR_EXPRESSIONS").flatMap { Int(String(cString: $0)) } ?? 0
  return max(1_500, all / 8)
}()

@Suite struct `Columns and records` {
  @Test(arguments: 0..<8)
  func `give the same values and the same errors`(seed: Int) throws {
    var writer = Writer(random: SplitMix(state: UInt64(seed) &* 7919 &+ 1))
    var compared = 0
    var errors = 0
    var refused: [ExpressionError.Code: Int] = [:]
    for round in 0..<rounds {
      let type = writer.random.pick([
        "bool", "bool", "bool", "int", "number", "string", "any", "timestamp", "uint", "duration",
      ])
      let source = writer.expression(type, Int(writer.random.next() % 5))
      let table = writer.table(rows: round % 40 == 0 ? 300 : Int(writer.random.next() % 9))
      if let refusal = table.refusal(source) {
        refused[refusal.code, default: 0] += 1
        // What is always an error must be one for each record too.
        if refusal.code == .alwaysFails, !table.rows.isEmpty {
          #expect(throws: (any Error).self, "\(source)") {
            var reference = try Reference(source, table: table, row: 0)
            _ = try reference.result()
          }
        }
        continue
      }
      errors += try compareWithReference(source, table, &writer.random)
      compared += table.rows.count
    }
    #expect(compared > 5_000 && errors > 100, "\(compared) \(errors) \(refused)")
    #expect(refused[.syntax] == nil && refused[.unknownField] == nil, "\(refused)")
  }
}
