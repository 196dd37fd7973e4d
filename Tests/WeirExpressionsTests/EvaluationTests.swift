import Testing
import WeirData

@testable import WeirExpressions

private let records = Table(
  fields: [
    ("market", "string"), ("queue", "string?"), ("handle_ms", "int?"), ("model.score", "number"),
    ("model", "any"), ("ts", "timestamp"), ("x", "any"), ("appealed", "bool?"),
  ],
  rows: [
    [
      .text("DE"), .text("hate_speech"), .int(1200), .number(0.75), .other, .timestamp(0),
      .int(5), .bool(true),
    ],
    [
      .text("FR"), .null, .missing, .number(0.25), .null, .timestamp(1_767_225_600_000_000),
      .text("five"), .null,
    ],
    [
      .text(""), .text("spam"), .int(.max), .number(.nan), .other, .timestamp(-1), .null,
      .bool(false),
    ],
  ],
  params: [
    "market": .string(Array("*".utf8)), "one": .string(Array("DE".utf8)), "limit": .int(1000),
    "markets": .list([.string(Array("DE".utf8)), .string(Array("AT".utf8))]),
  ])

@Suite struct `Evaluating` {
  @Test(arguments: [
    ("market == 'DE'", "100"), ("market != 'DE'", "011"), ("'' == market", "001"),
    ("market == queue", "000"), ("queue == null", "010"), ("queue != null", "101"),
    ("market == null", "000"), ("has(queue)", "101"), ("has(market)", "111"),
    ("handle_ms > 1000", "1E1"), ("handle_ms == null || handle_ms > 2000", "011"),
    ("handle_ms > 1000 || market == 'FR'", "111"), ("market == 'FR' || handle_ms > 1000", "111"),
    ("handle_ms > 1000 && market != 'FR'", "101"), ("handle_ms > 2000 && has(queue)", "001"),
    ("handle_ms + 1 > 0", "1EE"), ("handle_ms + 1 > 0 || true", "111"),
    ("handle_ms / (handle_ms - 1200) >= 0", "EE1"), ("handle_ms % 7 == 3", "1E0"),
    ("model.score > 0.5", "100"), ("model.score == model.score", "110"),
    ("model == null", "010"), ("has(model)", "101"), ("x == 5", "100"), ("x == 5.0", "100"),
    ("x == 'five'", "010"), ("x != 'five'", "101"), ("x < 10", "1EE"), ("x == null", "001"),
    ("x in [5.0, 'five']", "110"), ("x in ['a', null]", "001"), ("model == model", "E1E"),
    ("market in ['DE', 'FR', 'ATX']", "110"), ("market in []", "000"),
    ("market in params.markets", "100"), ("!(market in params.markets)", "011"),
    ("market in [queue, 'FR']", "010"), ("queue in [market]", "000"),
    ("5 in [x, 1 / (handle_ms - 1200)]", "EE0"),
    ("ts == timestamp('1970-01-01T00:00:00Z')", "100"),
    ("ts < timestamp('1970-01-01T01:00:00+01:00')", "001"),
    ("ts >= timestamp('2026-01-01T00:00:00Z')", "010"),
    ("appealed", "1E0"), ("!appealed", "0E1"), ("appealed || true", "111"),
    ("appealed ? x == 5 : true", "1E1"), ("has(queue) ? queue.startsWith('s') : false", "001"),
    ("queue.contains('_spee')", "1E0"), ("queue.endsWith('m')", "0E1"),
    ("size(queue) == 4", "0E1"), ("queue.size() == 4", "0E1"), ("size('e\\u0301') == 2", "111"),
    ("market + '-' + queue == 'DE-hate_speech'", "1E0"), ("-handle_ms < 0", "1E1"),
    ("params.market == '*' || market == params.market", "111"), ("market == params.one", "100"),
    ("handle_ms < params.limit * 2", "1E0"), ("dyn(market) == 5", "000"),
    ("model.score >= 0.25 && model.score <= 0.75", "110"), ("x == x", "111"),
  ])
  func `gives each record true, false or an error`(source: String, wanted: String) throws {
    let truths = try records.truths(source)
    let shown = truths.map { $0 == .error ? "E" : ($0 == .true ? "1" : "0") }.joined()
    #expect(shown == wanted)
  }

  @Test func `computes only the selected rows, in their order`() throws {
    let expression = try CompiledExpression("handle_ms > 1000", scope: records.scope)
    var evaluator = expression.makeEvaluator()
    var truths: [Truth] = [.error, .error, .error, .error]
    evaluator.evaluate(records.batch(), Selection(rows: [0, 2]), into: &truths)
    #expect(truths == [.true, .true])
    #expect(evaluator.failures.isEmpty)
    evaluator.evaluate(records.batch(), Selection(rows: [1, 2]), into: &truths)
    #expect(truths == [.error, .true])
    #expect(evaluator.failures.map { $0.row } == [1])
    #expect(evaluator.failures.map { $0.position } == [0])
    evaluator.evaluate(records.batch(), Selection(), into: &truths)
    #expect(truths.isEmpty && evaluator.failures.isEmpty)
  }

  @Test(arguments: [
    ("handle_ms > 1000", "`handle_ms` is null in `handle_ms > 1000` (column 1)"),
    ("true && 5 < x", "the types do not fit in `5 < x` (column 9)"),
    ("handle_ms / 0 == 1", "`handle_ms` is null in `handle_ms / 0` (column 1)"),
    ("appealed", "it is neither true nor false in `appealed` (column 1)"),
  ])
  func `says why a record has no value`(source: String, message: String) throws {
    let expression = try CompiledExpression(source, scope: records.scope)
    var evaluator = expression.makeEvaluator()
    var truths: [Truth] = []
    evaluator.evaluate(records.batch(), Selection(rows: [1]), into: &truths)
    #expect(evaluator.failures.map { $0.message } == [message])
  }

  @Test func `gives values of every type`() throws {
    #expect(
      try records.values("market + '/' + 'é'").values
        == [.text("DE/é"), .text("FR/é"), .text("/é")])
    #expect(try records.values("ts").values[1] == .timestamp(1_767_225_600_000_000))
    #expect(try records.values("model.score * 2.0").values[0] == .number(1.5))
    #expect(try records.values("market == 'DE' ? 1 : null").values == [.int(1), .null, .null])
    #expect(try records.values("has(queue)").values == [.bool(true), .bool(false), .bool(true)])
    let sums = try records.values("handle_ms + 1")
    #expect(sums.values == [.int(1201), .missing, .missing])
    #expect(sums.failures.map { $0.row } == [1, 2])
    #expect(sums.failures[1].message.hasPrefix("the result does not fit 64 bits"))
  }

  @Test func `computes constant parts once and reads no column for them`() throws {
    let all = try CompiledExpression(
      "params.market == '*' || market == params.market", scope: records.scope)
    #expect(all.constantBool == true)
    #expect(all.columnsRead.isEmpty && all.fieldsRead.isEmpty)
    let one = try CompiledExpression(
      "params.one == '*' || market == params.one", scope: records.scope)
    #expect(one.constantBool == nil)
    #expect(one.columnsRead == [0])
    #expect(one.fieldsRead.map { $0.path.text } == ["market"])
    let never = try CompiledExpression("handle_ms / 0 > 1 && 1 > 2", scope: records.scope)
    #expect(never.constantBool == false)
    let branch = try CompiledExpression(
      "params.limit > 5 ? x == 5 : market == ''", scope: records.scope)
    #expect(branch.columnsRead == [6])
    #expect(
      try CompiledExpression("'a' + 'b'", scope: records.scope).constantValue
        == .string(Array("ab".utf8)))
    #expect(try CompiledExpression("1 + 2 * 3", scope: records.scope).constantValue == .int(7))
  }

  @Test(arguments: [
    ("market == 'DE'", "bool"), ("handle_ms", "int?"), ("handle_ms + 1", "int"),
    ("x", "any?"), ("null", "any?"), ("has(x) ? 1.5 : null", "number?"), ("market", "string"),
    ("size(market)", "int"), ("ts", "timestamp"), ("true ? handle_ms : 1", "int?"),
  ])
  func `knows the type of its value`(source: String, type: String) throws {
    #expect(try CompiledExpression(source, scope: records.scope).resultType.text == type)
  }

  @Test(arguments: [
    ("tags.exists(t, t == 'spam')", "101"), ("tags.all(t, size(t) > 2)", "110"),
    ("size(tags) == 2", "100"), ("'spam' in tags", "101"), ("tags[0] == 'spam'", "1E1"),
    ("tags == ['spam', 'scam']", "100"), ("doc.model.score > 0.5", "10E"),
    ("has(doc.model.score)", "110"), ("doc.?model.score.orValue(0.0) > 0.5", "100"),
    ("market.matches('^(DE|AT)$')", "100"), ("market.lowerAscii() == 'fr'", "010"),
    ("ts.getFullYear() == 2026", "010"), ("ts.getHours('Europe/Berlin') == 1", "110"),
    ("ts.getDayOfWeek() == 4", "110"), ("ts - timestamp(0) > duration('1h')", "010"),
    ("double(handle_ms) / 1000.0 > 1.0", "1E1"), ("string(handle_ms).size() == 4", "1E0"),
    ("int(score * 100.0) == 75", "10E"), ("doc == doc", "111"), ("doc == tags", "000"),
    ("tags.exists(t, t == 'spam') && market == 'DE'", "100"),
    ("market == 'FR' || tags[5] == ''", "E1E"), ("uint(handle_ms) > 1000u", "1E1"),
    ("market in {'DE': 1, 'AT': 2}", "100"), ("[market, 'x'].join('/') == 'DE/x'", "100"),
    ("cel.bind(n, size(tags), n * n == 4)", "100"),
  ])
  func `looks into objects and arrays`(source: String, wanted: String) throws {
    let table = Table(
      fields: [
        ("market", "string"), ("handle_ms", "int?"), ("score", "number"), ("ts", "timestamp"),
        ("tags", "any"), ("doc", "any"),
      ],
      rows: [
        [
          .text("DE"), .int(1200), .number(0.75), .timestamp(0),
          .list([.text("spam"), .text("scam")]),
          .object([.init(key: "model", value: .object([.init(key: "score", value: .number(0.9))]))]
          ),
        ],
        [
          .text("FR"), .null, .number(0.25), .timestamp(1_767_225_600_000_000), .list([]),
          .object([.init(key: "model", value: .object([.init(key: "score", value: .number(0.1))]))]
          ),
        ],
        [
          .text(""), .int(.max), .number(.infinity), .timestamp(-1),
          .list([.text("spam"), .text("a"), .int(5)]),
          .object([.init(key: "model", value: .object([]))]),
        ],
      ])
    let shown = try table.truths(source).map { $0 == .error ? "E" : ($0 == .true ? "1" : "0") }
    #expect(shown.joined() == wanted, "\(source)")
  }

  @Test func `puts lists and maps into columns as JSON`() throws {
    let table = Table(
      fields: [("tags", "any"), ("n", "int")], rows: [[.list([.text("a")]), .int(2)]])
    for (source, json) in [
      ("tags + [string(n)]", #"["a","2"]"#), ("{'n': n, 'tags': tags}", #"{"n":2,"tags":["a"]}"#),
      ("tags.map(t, t + t)", #"["aa"]"#), ("[1.5, 2u, null, b'a']", #"[1.5,2,null,"YQ=="]"#),
    ] {
      let expression = try CompiledExpression(source, scope: table.scope)
      var evaluator = expression.makeEvaluator()
      var cells: [Cell] = []
      let batch = table.batch()
      evaluator.evaluateValues(batch, Selection(all: 1), into: &cells)
      #expect(cells[0].jsonText.map { String(decoding: $0, as: UTF8.self) } == json)
      #expect(expression.resultType.text == "any?")
      _ = batch.rowCount
    }
    let values = try table.values("[n, n / (n - 2)]")
    #expect(values.failures.map { $0.message } == ["division by zero in `n / (n - 2)` (column 5)"])
    #expect(try table.values("[0.0 / 0.0, double(n)]").failures.count == 1)
    #expect(try table.values("18446744073709551615u").failures.count == 1)
    #expect(try table.values("duration('90s')").values == [.text("90s")])
    #expect(try table.values("timestamp('2026-01-01T00:00:00.000000001Z')").failures.count == 1)
  }

  @Test func `takes the longest declared path`() throws {
    let table = Table(
      fields: [
        ("a", "any"), ("a.b", "int"), ("a.b.c", "string"), ("odd-name", "int"), ("d.in", "int"),
      ],
      rows: [[.other, .int(1), .text("c"), .int(2), .int(3)]])
    #expect(try table.truths("a.b.c == 'c' && a.b == 1 && a != null") == [.true])
    #expect(try table.truths("`odd-name` == 2 && d.`in` == 3") == [.true])
  }

  @Test func `finds text that is made to be hard to find`() throws {
    let hay = String(repeating: "a", count: 200_000)
    let needle = String(repeating: "a", count: 4_000)
    let table = Table(
      fields: [("s", "string")], rows: [[.text(hay + "b")], [.text(hay + needle + "b" + hay)]])
    #expect(try table.truths("s.contains('\(needle)b')") == [.true, .true])
    #expect(try table.truths("s.contains('b\(needle)')") == [.false, .true])
    #expect(try table.truths("s.contains('\(needle)ba\(needle)c')") == [.false, .false])
  }
}
