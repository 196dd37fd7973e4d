import Testing
import WeirEngine

/// One mistake that a person makes: an edit of the good spec, and what is said about it.
struct Broken: Sendable, CustomTestStringConvertible {
  let title: String
  let find: String
  let replace: String
  /// `code`, then the text that the caret must stand under, in the broken spec.
  let code: String
  let at: String
  /// What the fix must contain; `nil` where there is none to give.
  let fix: String?

  init(
    _ title: String, _ find: String, _ replace: String, _ code: String, at: String, _ fix: String?
  ) {
    (self.title, self.find, self.replace) = (title, find, replace)
    (self.code, self.at, self.fix) = (code, at, fix)
  }

  var testDescription: String { title }
  var text: String { goodSpec.replacing(find, with: replace, maxReplacements: 1) }
}

/// `at` is found behind the place of the change, so that a word that occurs before is no trap.
let brokenSpecs: [Broken] = [
  // The text is no JSON.
  Broken(
    "a comment", #""name": "nightly"#, "// who\n  \"name\": \"nightly", "comment", at: "// who",
    "description"),
  Broken(
    "a trailing comma", #""revision": "int" }"#, #""revision": "int", }"#, "trailing_comma",
    at: ", }", "remove"),
  Broken(
    "a missing comma", #""keep": "last""#, #""keep": "last" "order_by": []"#, "missing_comma",
    at: #" "order_by": []"#, "comma"),
  Broken(
    "single quotes", #""keep": "last""#, #""keep": 'last'"#, "single_quotes", at: "'last'",
    #""last""#),
  Broken(
    "an unquoted key", #""keep": "last""#, #"keep: "last""#, "unquoted_key", at: "keep:", #""keep""#
  ),
  Broken(
    "a duplicate key", #""keep": "last""#, #""keep": "last", "keep": "first""#, "duplicate_key",
    at: #""keep": "first""#, "remove"),
  Broken("Python's True", #""count": true"#, #""count": True"#, "bare_word", at: "True", "true"),
  Broken(
    "an unquoted duration", #""bucket": "1d""#, #""bucket": 1d"#, "bad_number", at: "1d", #""1d""#),
  Broken(
    "a typographic quote", #""keep": "last""#, "\"keep\": \u{201C}last\u{201D}", "curly_quotes",
    at: "\u{201C}", #""last""#),
  Broken(
    "a string without end", #""keep": "last" },"#, "\"keep\": \"last },", "unclosed_string",
    at: #""last }"#, #""last" },"#),
  Broken(
    "a Windows path", #""path": "trends.html""#, #""path": "out\trends\page.html""#, "bad_escape",
    at: #""out\trends"#, #""out/trends/page.html""#),
  Broken("an equals sign", #""keep": "last""#, #""keep" = "last""#, "missing_colon", at: "=", ":"),
  Broken("a number with a leading point", #"0.95"#, ".95", "bad_number", at: ".95", "0.95"),
  Broken(
    "a no-break space", #""keep": "last""#, "\"keep\":\u{A0}\"last\"", "foreign_space",
    at: "\u{A0}", "space"),
  Broken(
    "double quotes inside an expression", #""rate": "decision == 'violation'""#,
    #""rate": "decision == "violation"""#, "quote_in_string", at: #""violation"""#, "'violation'"),
  // Keys and types of the spec.
  Broken(
    "a misspelt section", #""transforms": {"#, #""transform": {"#, "unknown_key",
    at: #""transform""#, #""transforms""#),
  Broken(
    "steps for transforms", #""transforms": {"#, #""steps": {"#, "unknown_key", at: #""steps""#,
    #""transforms""#),
  Broken(
    "a name with spaces", #""nightly-trends""#, #""Nightly Trends""#, "bad_name", at: #""Nightly"#,
    #""nightly-trends""#),
  Broken(
    "no name", #""name": "nightly-trends","#, "", "missing_key", at: "{\n", #""name": "spec""#),
  Broken(
    "a misspelt type", #""type": "filter""#, #""type": "filtre""#, "unknown_type", at: #""filtre""#,
    #""filter""#),
  Broken(
    "kind for type", #""type": "filter""#, #""kind": "filter""#, "unknown_key", at: #""kind""#,
    #""type""#),
  Broken(
    "no type", #""type": "filter", "#, "", "missing_type", at: #""scoped": {"#, #""type": "filter""#
  ),
  Broken(
    "a sink among the transforms", #""unique": {"#,
    #""page": { "type": "report", "inputs": ["trends"], "path": "x" }, "unique": {"#,
    "wrong_section",
    at: #""report", "inputs": ["trends"], "path": "x""#, "sinks"),
  Broken(
    "a stage name with a dot", #""report":   {"#, #""re.port":   {"#, "bad_name", at: #""re.port""#,
    #""re_port""#),
  Broken(
    "one name twice", #""report":   {"#, #""unique":   {"#, "duplicate_name", at: #""unique":   {"#,
    #""unique_sink""#),
  Broken(
    "a stage that is a string",
    #""report":   { "type": "report", "inputs": ["trends"], "path": "trends.html" }"#,
    #""report": "report""#, "wrong_type", at: #""report"\#n"#, #"{ "type": "report" }"#),
  // Options.
  Broken(
    "a misspelt option", #""where": "params"#, #""wher": "params"#, "unknown_key", at: #""wher""#,
    #""where""#),
  Broken(
    "a missing option", #" "key": ["event_id"],"#, "", "missing_option", at: #"{ "type": "dedupe""#,
    #""key": ["event_id"]"#),
  Broken(
    "a string for a list", #""key": ["event_id"]"#, #""key": "event_id""#, "wrong_type",
    at: #""event_id", "keep""#, #"["event_id"]"#),
  Broken(
    "a list for a string", #""time": "ts""#, #""time": ["ts"]"#, "wrong_type", at: #"["ts"]"#,
    #""ts""#),
  Broken(
    "a string for a boolean", #""count": true"#, #""count": "true""#, "wrong_type", at: #""true""#,
    "true"),
  Broken(
    "a wrong choice", #""keep": "last""#, #""keep": "latest""#, "unknown_choice", at: #""latest""#,
    #""last""#),
  Broken(
    "upper case in a choice", #""case": "upper""#, #""case": "UPPER""#, "unknown_choice",
    at: #""UPPER""#, #""upper""#),
  Broken(
    "a duration in words", #""bucket": "1d""#, #""bucket": "1 day""#, "bad_duration",
    at: #""1 day""#, #""1d""#),
  Broken(
    "a German date", #""${param.through}""#, #""04.10.2026""#, "bad_date", at: #""04.10.2026""#,
    #""2026-10-04""#),
  Broken("a quantile in percent", #"0.95"#, "95", "out_of_range", at: "95, ", "0.95"),
  Broken(
    "a wrong type of field", #""ts": "any""#, #""ts": "datetime""#, "unknown_field_type",
    at: #""datetime""#, #""timestamp""#),
  Broken(
    "a type name of another tool", #""handle_ms": "int?""#, #""handle_ms": "Integer?""#,
    "unknown_field_type", at: #""Integer?""#, #""int?""#),
  Broken(
    "a misspelt kind of metric", #""count": true"#, #""cuont": true"#, "unknown_key",
    at: #""cuont""#, #""count""#),
  Broken(
    "an option of a nested object", #""unmapped": "quarantine""#, #""unmaped": "quarantine""#,
    "unknown_key", at: #""unmaped""#, #""unmapped""#),
  Broken(
    "an empty expression", #""rate": "decision == 'violation'""#, #""rate": " ""#,
    "empty_expression", at: #"" ""#, nil),
  Broken("a null", #""keep": "last""#, #""keep": null"#, "wrong_type", at: "null", "remove it"),
  // Wiring.
  Broken(
    "a misspelt input", #""inputs": ["decisions"]"#, #""inputs": ["decision"]"#, "unknown_input",
    at: #""decision"]"#, #""decisions""#),
  Broken(
    "an input that is a string", #""inputs": ["decisions"]"#, #""inputs": "decisions""#,
    "wrong_type", at: #""decisions","#, #"["decisions"]"#),
  Broken(
    "input for inputs", #""inputs": ["unique"]"#, #""input": ["unique"]"#, "unknown_key",
    at: #""input""#, #""inputs""#),
  Broken(
    "a sink without inputs", #""inputs": ["trends"], "path": "trends.html""#,
    #""path": "trends.html""#, "no_inputs", at: #""report":   {"#, #""inputs": ["trends"]"#),
  Broken(
    "empty inputs", #""inputs": ["trends"], "path": "trends.html""#,
    #""inputs": [], "path": "trends.html""#, "no_inputs", at: "[], ", #""trends""#),
  Broken(
    "an unknown output", #""inputs": ["trends"], "path": "findings.jsonl""#,
    #""inputs": ["trends.serie"], "path": "findings.jsonl""#, "unknown_output",
    at: #""trends.serie""#, #""trends.series""#),
  Broken(
    "findings into a filter", #""inputs": ["unique"],"#, #""inputs": ["unique", "trends"],"#,
    "wrong_edge", at: #""trends"]"#, "remove it"),
  Broken(
    "records into a report", #""inputs": ["trends"], "path": "trends.html""#,
    #""inputs": ["scoped"], "path": "trends.html""#, "wrong_edge",
    at: #""scoped"], "path": "trends.html""#, #""trends""#),
  Broken(
    "two inputs where one is meant", #""inputs": ["clean"]"#, #""inputs": ["clean", "decisions"]"#,
    "too_many_inputs", at: #""decisions"]"#, "one"),
  Broken(
    "an input twice", #""inputs": ["unique"]"#, #""inputs": ["unique", "unique"]"#,
    "duplicate_entry", at: #""unique"],"#, "remove"),
  Broken(
    "a cycle", #""inputs": ["decisions"]"#, #""inputs": ["decisions", "scoped"]"#, "cycle",
    at: #""scoped"]"#, "'clean'"),
  Broken(
    "a sink as an input", #""inputs": ["trends"], "path": "trends.html""#,
    #""inputs": ["findings"], "path": "trends.html""#, "input_is_sink", at: #""findings"], "path""#,
    #""trends""#),
  Broken(
    "a source with inputs", #""type": "jsonl", "paths""#,
    #""inputs": ["clean"], "type": "jsonl", "paths""#, "source_with_inputs",
    at: #""inputs": ["clean"], "type""#, #"remove "inputs""#),
  Broken(
    "a stage that nobody reads", #""unique": {"#,
    #""extra": { "type": "filter", "inputs": ["clean"], "where": "true" }, "unique": {"#,
    "unused_stage", at: #""extra""#, "remove"),
  // Parameters.
  Broken(
    "an undeclared parameter", "${param.through}", "${param.trough}", "unknown_param",
    at: "${param.trough}", "${param.through}"),
  Broken(
    "an environment variable", "${param.data}/", "${DATA}/", "bad_reference", at: "${DATA}",
    "${param.data}"),
  Broken(
    "params for param", "${param.through}", "${params.through}", "bad_reference",
    at: "${params.through}", "${param.through}"),
  Broken(
    "a parameter in an expression", "market == params.market", "market == '${param.market}'",
    "param_in_expression", at: "'${param.market}'", "params.market"),
  Broken(
    "a parameter that nothing reads", #""params": {"#,
    #""params": { "days": { "type": "int", "default": 1 },"#, "unused_param", at: #""days""#,
    "${param.days}"),
  Broken(
    "a default of the wrong type", #""default": "latest""#, #""default": "last""#, "wrong_default",
    at: #""last","#, #""latest""#),
  Broken(
    "a parameter type of another tool", #""market":  { "type": "string""#,
    #""market":  { "type": "str""#, "unknown_param_type", at: #""str""#, #""string""#),
  Broken(
    "a bare default for a parameter",
    #"{ "type": "string", "default": "*", "description": "ISO 3166 code, or *" }"#, #""*""#,
    "wrong_type", at: #""*""#, #"{ "type": "string", "default": "*" }"#),
  Broken(
    "a partition by no parameter", #""partition": ["market", "through"]"#,
    #""partition": ["markets", "through"]"#, "unknown_param", at: #""markets""#, #""market""#),
  Broken(
    "an enum without values", #""market":  { "type": "string", "default": "*","#,
    #""market":  { "type": "enum", "default": "*","#, "missing_key", at: #"{ "type": "enum""#,
    "values"),
]

@Suite struct `A spec that is wrong` {
  @Test(arguments: brokenSpecs)
  func `is told its mistake, the place and the fix`(broken: Broken) throws {
    let text = broken.text
    #expect(text != goodSpec, "the edit changed nothing")
    let (spec, problems) = load(text)
    #expect(spec == nil)
    let found = problems.sorted
    #expect(found.map(\.code) == [broken.code], "\(problems.text)")
    let problem = try #require(found.first { $0.code == broken.code })
    let place = try #require(expectedPlace(broken, text))
    #expect(problem.line == place.line, "\(problem.text)")
    #expect(problem.column == place.column, "\(problem.text)")
    if let fix = broken.fix {
      #expect(problem.fix?.contains(fix) == true, "\(problem.text)")
    } else {
      #expect(problem.fix == nil, "\(problem.text)")
      #expect(problem.expected != nil || problem.message.contains("expected"))
    }
  }

  /// Line and column of `broken.at`, counted here by other means than the product's.
  private func expectedPlace(_ broken: Broken, _ text: String) -> (line: Int, column: Int)? {
    let common = zip(text.unicodeScalars, goodSpec.unicodeScalars).prefix { $0 == $1 }.count
    let scalars = Array(text.unicodeScalars)
    let wanted = Array(broken.at.unicodeScalars)
    let starts = scalars.indices.filter { scalars[$0...].starts(with: wanted) }
    let from = max(0, common - 60)
    guard let start = starts.first(where: { $0 >= from }) ?? starts.first else { return nil }
    let before = scalars[..<start]
    let line = before.count { $0 == "\n" } + 1
    let column = start - ((before.lastIndex(of: "\n") ?? -1) + 1) + 1
    return (line, column)
  }
}

@Suite struct `Wrong parameters of the command line` {
  @Test func `an unknown one lists the right ones`() throws {
    let problems = load(goodSpec, given: [("markt", "DE")]).1.sorted
    let problem = try #require(problems.first)
    #expect(problems.count == 1)
    #expect(problem.code == "unknown_param")
    #expect(problem.fix == "--param market=DE")
    #expect(problem.expected == "one of data (path), market (string) or through (date)")
    #expect(problem.text.contains("--param:1:1: error: the spec has no parameter 'markt'"))
  }

  @Test func `a wrong value says what the parameter takes`() throws {
    let problems = load(goodSpec, given: [("through", "yesterday"), ("data", "a"), ("data", "b")]).1
    #expect(problems.sorted.map(\.code) == ["duplicate_param", "wrong_param"])
    #expect(problems.sorted[1].column == 9)
    #expect(problems.sorted[1].expected?.contains("latest") == true)
  }

  @Test func `an enum offers its nearest word`() throws {
    let text = goodSpec.replacing(
      #""market":  { "type": "string", "default": "*","#,
      with: #""market":  { "type": "enum", "values": ["germany", "france"],"#)
    #expect(load(text).1.sorted.map(\.code) == ["missing_param"])
    #expect(load(text).1.sorted.first?.fix == "--param market=germany")
    let wrong = load(text, given: [("market", "germny")]).1.sorted
    #expect(wrong.first?.fix == "--param market=germany")
    #expect(load(text, given: [("market", "france")]).0 != nil)
  }
}
