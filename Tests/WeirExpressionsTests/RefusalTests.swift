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
    Mistake("queue not in ['a']", 7, .syntax, "!(queue in ['a'])"),
    Mistake("queue is null", 7, .syntax, "`queue == null`"),
    Mistake("queue like 'a%'", 7, .syntax, "queue.startsWith('a')"),
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
    Mistake("(decision == 'a'", 1, .syntax, "write `(decision == 'a')`"),
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
    Mistake("decision.startsWith(1)", 21, .type, "a string"),
    Mistake("decision.startsWith('a', 'b')", 1, .type, "one argument"),
    Mistake("contains(decision, 'a')", 1, .type, "behind the string"),
    Mistake("has(1)", 5, .type, "a field"), Mistake("decision.length == 1", 1, .type, "no fields"),
    Mistake("decision.startswith('a')", 10, .unknownFunction, "`startsWith`"),
    Mistake("lenght(decision)", 1, .unknownFunction, "no function"),
    Mistake("true && decision.matches('a(')", 26, .alwaysFails, "close the ("),
    Mistake("decision.exists(x, x > 0)", 1, .type, "a list or a map"),
    Mistake("[1].exists(1, true)", 12, .syntax, "a variable"),
    Mistake("[1].exists(x)", 1, .type, "a variable and a condition"),
    Mistake("[1].exists(x, x > 'a')", 19, .type, "cannot be compared"),
    Mistake("[1].all(x, x, true)", 12, .syntax, "another name"),
    Mistake("[1].filter(x, x + 1)", 15, .type, "true or false"),
    Mistake("[1].map(decision, 1) == [y]", 26, .unknownField, "`y`"),
    Mistake("ts.getHours('Mars/Base')", 13, .alwaysFails, "Europe/Berlin"),
    Mistake("decision.getHours()", 1, .type, "timestamp(decision)"),
    Mistake("ts + 5", 4, .type, "duration('1h30m')"),
    Mistake("ts + ts", 4, .type, "not defined"),
    Mistake("duration('5 days') < ts - ts", 10, .alwaysFails, "'1h30m'"),
    Mistake("ts - ts > 5", 11, .type, "duration("),
    Mistake("-1u", 2, .type, "a uint"),
    Mistake("1u + 1", 4, .type, "int(...)"),
    Mistake("decision + 1", 10, .type, "decision + '1'"),
    Mistake("decision[0] == 'a'", 1, .type, ".charAt"),
    Mistake("[1]['a']", 5, .type, "ints as indexes"),
    Mistake("{'a': 1}[1]", 10, .type, "strings"),
    Mistake("{1.5: 1}", 2, .type, "keys are strings"),
    Mistake("{'a': 1, 'a': 2}", 1, .alwaysFails, "a key stands twice"),
    Mistake("[1][2]", 1, .alwaysFails, "outside the list"),
    Mistake("model.?score", 1, .type, ".orValue"),
    Mistake("[1, ?2]", 6, .type, "an optional"),
    Mistake("decision.?x.hasValue()", 1, .type, "no fields"),
    Mistake("1.orValue(2)", 1, .type, "an optional"),
    Mistake("dyn(1) == strng", 11, .unknownField, "strng"),
    Mistake("Foo{a: 1}", 1, .unavailable, "Foo"),
    Mistake("sets.contains([1], [2])", 1, .unavailable, "sets.contains"),
    Mistake("[2, 1].sort()", 8, .unavailable, "sort"),
    Mistake("math.greatest('a', 2)", 15, .type, "an int, a uint or a number"),
    Mistake("math.floor(1)", 12, .type, "leave `math.floor` away"),
    Mistake("int(decision, 1)", 1, .type, "one argument"),
    Mistake("decision.int()", 10, .type, "int(decision)"),
    Mistake("decision in params.list", 13, .type, "a list of lists"),
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
