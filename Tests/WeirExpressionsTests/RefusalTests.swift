import Testing
import WeirData

@testable import WeirExpressions

private let declared = Table(
  fields: [
    ("decision", "string"), ("queue", "string?"), ("handle_ms", "int?"), ("score", "number"),
    ("model", "any"), ("ts", "timestamp"), ("appealed", "bool"),
  ], rows: [], params: ["market": .string([]), "list": .list([.list([])])])

private struct Mistake: Sendable {
  var source: String
  var column: Int
  /// What the message or the fix must say.
  var says: String
  var code: ExpressionError.Code

  init(_ source: String, _ column: Int, _ code: ExpressionError.Code, _ says: String) {
    self.source = source
    self.column = column
    self.code = code
    self.says = says
  }
}

@Suite struct `Refusals` {
  @Test(arguments: [
    Mistake("decision = 'a'", 10, .syntax, "`==`"),
    Mistake("decision === 'a'", 10, .syntax, "`==`"),
    Mistake("decision <> 'a'", 10, .syntax, "`!=`"),
    Mistake("appealed and true", 10, .syntax, "`&&`"),
    Mistake("appealed OR true", 10, .syntax, "`||`"),
    Mistake("appealed & true", 10, .syntax, "`&&`"),
    Mistake("not appealed", 1, .syntax, "`!(...)`"),
    Mistake("queue not in ['a']", 7, .syntax, "!(... in ...)"),
    Mistake("queue is null", 7, .syntax, "`==`"),
    Mistake("queue like 'a%'", 7, .syntax, "contains"),
    Mistake("decision == violation", 13, .unknownField, "'violation'"),
    Mistake("descision == 'a'", 1, .unknownField, "`decision`"),
    Mistake("handel_ms > 1", 1, .unknownField, "`handle_ms`"),
    Mistake("market == 'DE'", 1, .unknownField, "params.market"),
    Mistake("appealed == True", 13, .unknownField, "write `true`"),
    Mistake("queue == None", 10, .unknownField, "write `null`"),
    Mistake("params.markt == ''", 1, .unknownParameter, "params.market"),
    Mistake("params == ''", 1, .unknownParameter, "params.NAME"),
    Mistake("decision == \u{201C}a\u{201D}", 13, .syntax, "quotes"),
    Mistake("decision == 'a", 13, .syntax, "not closed"),
    Mistake("decision == 'a\\q'", 15, .syntax, "escape"),
    Mistake("(decision == 'a'", 17, .syntax, "column 1"),
    Mistake("decision == 'a')", 16, .syntax, "closes nothing"),
    Mistake("decision ==", 12, .syntax, "too early"),
    Mistake("decision 'a'", 10, .syntax, "operator"),
    Mistake("", 1, .syntax, "empty"), Mistake("  // nothing", 13, .syntax, "empty"),
    Mistake("package == 1", 1, .syntax, "`package`"), Mistake("1 == 2x", 6, .syntax, "'2x'"),
    Mistake("9223372036854775808", 1, .syntax, "64 bits"),
    Mistake("ä == 1", 1, .syntax, "`ä`"), Mistake("1 == ä", 6, .syntax, "`ä`"),
    Mistake("a ? b", 6, .syntax, "`:`"), Mistake("model.in == 1", 7, .syntax, "`in`"),
    Mistake("score == 'high'", 10, .type, "cannot be compared"),
    Mistake("decision == 1", 13, .type, "'1'"), Mistake("handle_ms > '5'", 13, .type, "write 5"),
    Mistake("ts > '2026-01-01'", 6, .type, "timestamp('2026-01-01T00:00:00Z')"),
    Mistake("appealed == 'true'", 13, .type, "write true"),
    Mistake("handle_ms * 1.5 > 1.0", 11, .type, "declare `handle_ms` as number"),
    Mistake("score * 100 > 1.0", 7, .type, "100.0"),
    Mistake("score % 2.0 == 0.0", 7, .type, "ints"),
    Mistake("decision && true", 1, .type, "compare it"), Mistake("!handle_ms", 2, .type, "!"),
    Mistake("1 < handle_ms < 5", 1, .type, "handle_ms && handle_ms < 5"),
    Mistake("queue < null", 9, .type, "null"), Mistake("-decision", 2, .type, "a number"),
    Mistake("decision in 'ab'", 13, .type, "contains"),
    Mistake("decision in [1, 2]", 14, .type, "a list of ints"),
    Mistake("decision == ['a']", 13, .type, "`in`"),
    Mistake("appealed ? 1 : 'a'", 16, .type, "one type"),
    Mistake("size(handle_ms) > 1", 6, .type, "a string"),
    Mistake("decision.startsWith(1)", 21, .type, "strings"),
    Mistake("decision.startsWith('a', 'b')", 1, .type, "one argument"),
    Mistake("contains(decision, 'a')", 1, .type, "behind the string"),
    Mistake("has(1)", 5, .type, "a field"), Mistake("decision.length == 1", 1, .type, "no fields"),
    Mistake("decision.startswith('a')", 10, .unknownFunction, "`startsWith`"),
    Mistake("lenght(decision)", 1, .unknownFunction, "no function"),
    Mistake("true && decision.matches('a+')", 18, .unavailable, "matches"),
    Mistake("[1].exists(x, x > 0)", 5, .unavailable, "exists"),
    Mistake("duration('1s') == duration('1s')", 1, .unavailable, "duration"),
    Mistake("ts - ts", 1, .unavailable, "timestamps"), Mistake("{'a': 1}", 1, .unavailable, "map"),
    Mistake("1 == 1u", 6, .unavailable, "unsigned"),
    Mistake("b'a' == b'a'", 1, .unavailable, "bytes"),
    Mistake("decision[0] == 'a'", 1, .unavailable, "[...]"),
    Mistake("[1]", 1, .unavailable, "a list"),
    Mistake("model.score > 1", 1, .unavailable, "declare the field `model.score`"),
    Mistake("model.?score", 1, .unavailable, ".?"), Mistake("int(score)", 1, .unavailable, "`int`"),
    Mistake("dyn(1) == int", 11, .unavailable, "the type `int`"),
    Mistake("Foo{a: 1}", 1, .unavailable, "Foo"),
    Mistake("math.greatest(1, 2)", 1, .unavailable, "math.greatest"),
    Mistake("decision in params.list", 13, .unavailable, "a list inside a list"),
    Mistake("timestamp(decision) == ts", 1, .unavailable, "normalize"),
    Mistake("timestamp('2026-01-01') < ts", 11, .alwaysFails, "'2026-01-01T00:00:00Z'"),
    Mistake("1 / 0", 1, .alwaysFails, "division by zero"),
    Mistake("9223372036854775807 + 1", 1, .alwaysFails, "64 bits"),
  ])
  private func `name the place and the fix`(mistake: Mistake) throws {
    let refusal = try #require(declared.refusal(mistake.source))
    #expect(refusal.code == mistake.code, "\(refusal)")
    #expect(refusal.column == mistake.column, "\(refusal)")
    #expect(refusal.description.utf8.count < 400)
    let text = refusal.message + " " + (refusal.fix ?? "")
    #expect(text.contains(mistake.says), "\(refusal)")
  }

  @Test func `a condition must be true or false`() throws {
    let fields = declared.scope
    try CompiledExpression("appealed", scope: fields).requireBool()
    try CompiledExpression("model", scope: fields).requireBool()
    try CompiledExpression("dyn(true)", scope: fields).requireBool()
    for source in ["handle_ms", "null", "decision", "1", "ts", "dyn(1)"] {
      let expression = try CompiledExpression(source, scope: fields)
      #expect(throws: ExpressionError.self) { try expression.requireBool() }
    }
  }

  @Test func `limits are refused by name`() throws {
    func code(_ source: String) -> ExpressionError.Code? { declared.refusal(source)?.code }
    #expect(code(String(repeating: "1+", count: 5_000) + "1") == .limit)
    #expect(code(String(repeating: "1+", count: 200) + "1") == .limit)
    #expect(code(String(repeating: "1+", count: 100) + "1") == nil)
    #expect(code(String(repeating: "(", count: 4_000) + "1") == .limit)
    #expect(code(String(repeating: "[", count: 4_000)) == .limit)
    #expect(code(String(repeating: "!", count: 4_000) + "true") == .limit)
    #expect(code(String(repeating: "-", count: 4_000) + "1") == .limit)
    #expect(code(String(repeating: "true?1:", count: 1_000) + "1") == .limit)
    #expect(code("model" + String(repeating: ".a", count: 4_000)) == .limit)
    #expect(code("1" + String(repeating: ".a()", count: 2_000)) == .limit)
    // `&&` and `||` take as many operands as fit.
    let many = (0..<350).map { "decision == '\($0)'" }.joined(separator: " || ")
    #expect(many.utf8.count < 8_192 && code(many) == nil)
    #expect(
      code("decision in [" + (0..<1_000).map { "'\($0)'" }.joined(separator: ",") + "]") == nil)
    let deep = String(repeating: "(", count: 100) + "1" + String(repeating: ")", count: 100)
    #expect(code(deep) == nil)
  }
}
