import Testing
import WeirData
import WeirEngine
import WeirStages
import WeirTesting

/// What one field `f` of type `type` becomes: values as JSON, or the codes of refusals.
private func outcomes(_ steps: String, _ values: [String], type: String = "string") throws
  -> [String]
{
  let fields = "{\"f\": \"\(type)\"}"
  let stage = try bindNormalize("{\"f\": \(steps)}", fields: fields)
  #expect(stage.codes == [])
  let result = try normalize(
    values.map { $0.isEmpty ? "{}" : "{\"f\": \($0)}" }, stage, fields: fields)
  var byLine = [String](repeating: "", count: values.count)
  for entry in result.rows + result.refusals {
    let parts = entry.split(separator: ": ", maxSplits: 1)
    byLine[Int(parts[0])! - 1] = String(parts[1].split(separator: " f")[0])
  }
  return byLine
}

@Suite struct `Normalising text` {
  @Test func `trims the white space of Unicode`() throws {
    #expect(
      try outcomes(
        #"{"trim": true}"#, [#"" \t\u00a0de\u3000""#, #""a b""#, #""  ""#, #""\u200bx""#])
        == [#""de""#, #""a b""#, #""""#, "\"\u{200B}x\""])
  }

  @Test func `changes case by the full rules of Unicode`() throws {
    #expect(
      try outcomes(#"{"case": "upper"}"#, [#""straße""#, #""ok""#, #""ı""#])
        == [#""STRASSE""#, #""OK""#, #""I""#])
    #expect(
      try outcomes(#"{"case": "lower"}"#, [#""İ""#, #""ΟΔΟΣ""#]).map { Array($0.utf8) }
        == ["\"i\u{307}\"", #""οδος""#].map { Array($0.utf8) })
  }

  @Test func `composes characters, also those that a capital took apart`() throws {
    let composed = try outcomes(#"{"unicode": "nfc"}"#, [#""e\u0301""#, #""é""#, #""\u212b""#])
    #expect(
      composed.map { Array($0.utf8) } == ["\"é\"", "\"é\"", "\"\u{C5}\""].map { Array($0.utf8) })
    let upper = try outcomes(#"{"unicode": "nfc", "case": "upper"}"#, [#""\u0390""#])
    #expect(Array(upper[0].utf8) == Array("\"\u{3AA}\u{301}\"".utf8))
  }

  @Test func `leaves what it is not asked to compose`() throws {
    let kept = try outcomes(#"{"trim": true}"#, [#""e\u0301""#])
    #expect(Array(kept[0].utf8) == Array("\"e\u{301}\"".utf8))
  }

  @Test func `replaces from left to right, the longest first, and reads nothing twice`() throws {
    let steps = #"{"replace": {"a": "b", "aa": "c", "b": "a", "-": ""}}"#
    #expect(
      try outcomes(steps, [#""aaa""#, #""ab""#, #""ba-a""#, #""x""#, #""""#])
        == [#""cb""#, #""ba""#, #""abb""#, #""x""#, #""""#])
  }

  @Test func `takes the steps in one order`() throws {
    let steps = """
      {"values": ["X_Y", "Z"], "map": {"A_B": "X_Y", "Q": "Z"}, "replace": {"-": "_"},
       "case": "upper", "trim": true}
      """
    #expect(
      try outcomes(steps, [#"" a-b ""#, #""q""#, #""z""#])
        == [#""X_Y""#, #""Z""#, "unmapped_value"])
  }

  @Test func `maps whole values, byte for byte`() throws {
    let steps = #"{"map": {"é": "one", "a": "b", "b": "a"}, "unmapped": "keep"}"#
    let mapped = try outcomes(steps, [#""é""#, #""e\u0301""#, #""a""#, #""A""#])
    #expect(
      mapped.map { Array($0.utf8) }
        == [#""one""#, "\"e\u{301}\"", #""b""#, #""A""#].map { Array($0.utf8) })
  }

  @Test(arguments: [
    ("quarantine", ["\"x\"", "unmapped_value"]), ("keep", ["\"x\"", "\"c\""]),
    ("null", ["\"x\"", "null"]),
  ])
  func `does with unknown values what it is told`(policy: String, expected: [String]) throws {
    let steps = #"{"trim": true, "map": {"a": "x"}, "unmapped": "\#(policy)"}"#
    #expect(try outcomes(steps, [#""a ""#, #""c ""#]) == expected)
  }

  @Test func `allows only the values of a list`() throws {
    #expect(
      try outcomes(#"{"case": "lower", "values": ["a", "b"]}"#, [#""A""#, #""c""#])
        == [#""a""#, "not_in_values"])
    #expect(
      try outcomes(#"{"values": ["a"], "unmapped": "null"}"#, [#""a""#, #""c""#])
        == [#""a""#, "null"])
  }

  @Test func `leaves null and absent alone`() throws {
    #expect(
      try outcomes(#"{"map": {"a": "b"}}"#, ["null", "", #""a""#], type: "string?")
        == ["null", "-", #""b""#])
  }

  @Test func `refuses what an untyped field holds beside text`() throws {
    #expect(
      try outcomes(#"{"trim": true}"#, ["1", "1.5", "true", "{}", "[1]", #"" a""#], type: "any")
        == ["wrong_type", "wrong_type", "wrong_type", "wrong_type", "wrong_type", #""a""#])
  }

  @Test func `keeps more values apart than it remembers`() throws {
    let count = 70_000
    let fields = #"{"f": "string"}"#
    let stage = try bindNormalize(#"{"f": {"case": "upper"}}"#, fields: fields)
    let lines = (0..<count).map { "{\"f\": \"v\($0 % (count - 100))\"}" }
    let result = try normalize(lines, stage, fields: fields, batchLines: 10_000)
    #expect(result.rows == (0..<count).map { "\($0 + 1): \"V\($0 % (count - 100))\"" })
  }
}

@Suite struct `Normalising numbers` {
  @Test func `reads whole numbers from text`() throws {
    #expect(
      try outcomes(
        #"{"number": "int", "trim": true}"#,
        [
          #"" 12 ""#, #""-9223372036854775808""#, #""9223372036854775807""#,
          #""9223372036854775808""#, #""1e3""#, #""5.0""#, #""5.5""#, "7", "7.0", "7.5",
        ], type: "any")
        == [
          "12", "-9223372036854775808", "9223372036854775807", "bad_number", "1000", "5",
          "bad_number", "7", "7", "bad_number",
        ])
  }

  @Test func `refuses what JSON does not call a number`() throws {
    let texts = [
      "", "-", "+1", "01", "1.", ".5", "1e", "1,200", "5 ms", " 1", "NaN", "inf", "0x10", "1e400",
      "١",
    ]
    #expect(
      try outcomes(#"{"number": "number"}"#, texts.map { "\"\($0)\"" })
        == texts.map { _ in "bad_number" })
  }

  @Test func `reads numbers of any kind`() throws {
    #expect(
      try outcomes(
        #"{"number": "number"}"#,
        [#""0.5""#, #""-1E+2""#, "3", #""18446744073709551616""#, "null", "false"], type: "any?")
        == ["0.5", "-100", "3", "1.8446744073709552e+19", "null", "wrong_type"])
  }
}

@Suite struct `Normalising times` {
  @Test func `reads the forms that are named`() throws {
    #expect(
      try outcomes(
        #"{"timestamp": ["rfc3339", "date", "epoch_ms"], "trim": true}"#,
        [
          #""2026-10-04T02:00:00+02:00""#, #"" 2026-10-04 ""#, "1790985600000",
          #""1790985600001""#, "1790985600000.5", #""-1""#, #""1.5""#, "null",
        ], type: "any?")
        == [
          #""2026-10-04T00:00:00Z""#, #""2026-10-04T00:00:00Z""#, #""2026-10-03T00:00:00Z""#,
          #""2026-10-03T00:00:00.001Z""#, #""2026-10-03T00:00:00.000500Z""#,
          #""1969-12-31T23:59:59.999Z""#, #""1970-01-01T00:00:00.001500Z""#, "null",
        ])
  }

  @Test(arguments: [
    ("epoch_s", "1790985600", "2026-10-03T00:00:00Z"),
    ("epoch_us", "1790985600000001", "2026-10-03T00:00:00.000001Z"),
    ("epoch_s", "-0.25", "1969-12-31T23:59:59.750Z"),
    ("epoch_s", "\"-0.25\"", "1969-12-31T23:59:59.750Z"),
    ("epoch_s", "253402300799", "9999-12-31T23:59:59Z"),
  ])
  func `counts from 1970 in the unit that is named`(form: String, value: String, time: String)
    throws
  {
    #expect(try outcomes("{\"timestamp\": [\"\(form)\"]}", [value], type: "any") == ["\"\(time)\""])
  }

  @Test func `never guesses`() throws {
    #expect(
      try outcomes(
        #"{"timestamp": ["rfc3339", "epoch_s"]}"#,
        [
          "1790985600000", #""2026-10-04""#, #""2026-10-04T00:00:00""#, #""""#, #""12e3""#,
          #""1.""#,
          "1e300", "9223372036854775807", "true", #""2026-02-30T00:00:00Z""#,
        ], type: "any")
        == Array(repeating: "bad_timestamp", count: 8) + ["wrong_type", "bad_timestamp"])
    #expect(
      try outcomes(#"{"timestamp": ["date"]}"#, [#""2026-02-29""#, "20260204"], type: "any")
        == ["bad_timestamp", "wrong_type"])
  }
}

@Suite struct `The normalize stage` {
  private let fields = #"{"market": "string", "queue": "string", "note": "string?", "ts": "any"}"#
  private let steps = """
    {
      "ts": {"timestamp": ["rfc3339", "epoch_ms"]},
      "market": {"trim": true, "case": "upper", "map": {"DE": "DE", "GERMANY": "DE", "ÎLE": "FR"}},
      "queue": {"trim": true, "case": "lower", "replace": {"-": "_"}}
    }
    """

  @Test func `defines the types that its fields have behind it`() throws {
    let stage = try bindNormalize(
      #"""
      {"ts": {"timestamp": ["date"]}, "market": {"map": {"a": "b"}, "unmapped": "null"},
       "note": {"trim": true}, "queue": {"number": "int"}}
      """#, fields: fields)
    #expect(stage.type(of: "ts") == "timestamp")
    #expect(stage.type(of: "market") == "string?")
    #expect(stage.type(of: "note") == "string?")
    #expect(stage.type(of: "queue") == "int")
    #expect(stage.scope.fields.filter(\.isEdited).count == 4)
    #expect(stage.map?.columnsRead == [3, 0, 2, 1])
  }

  @Test func `refuses a record once, and says why`() throws {
    let stage = try bindNormalize(steps, fields: fields)
    let long = String(repeating: "é", count: 30)
    let result = try normalize(
      [
        #"{"market": " germany", "queue": "Spam-Review", "ts": 0}"#,
        #"{"market": " Mars ", "queue": "a", "ts": 0}"#,
        #"{"market": "Mars", "queue": "a", "ts": "today"}"#,
        #"{"market": "\#(long)", "queue": "a", "ts": 1}"#,
      ], stage, fields: fields)
    #expect(result.rows == [#"1: "DE" "spam_review" - "1970-01-01T00:00:00Z""#])
    #expect(
      result.refusals
        == ["2: unmapped_value market", "3: bad_timestamp ts", "4: unmapped_value market"])
    #expect(
      result.messages == [
        #"`market` is " Mars " ("MARS" after the other steps), expected a key of `map`"#,
        #"`ts` is "today", expected an RFC 3339 time or milliseconds since 1970"#,
        "`market` is \"\(String(repeating: "é", count: 20))…\" "
          + "(\"\(String(repeating: "É", count: 20))…\" after the other steps), expected a key of `map`",
      ])
  }

  @Test func `does the same in batches of any size`() throws {
    let stage = try bindNormalize(steps, fields: fields)
    var random = SeededRandom(seed: 7)
    let lines = (0..<2_000).map { _ in
      let market = random.pick(["de", " DE", "germany\\u00a0", "mars", "île", "i\\u0302le"])
      let queue = random.pick(["A-b", "c", " d"]) + String(random.below(50))
      let time = random.pick([
        "0", "12.5", "\"17\"", "\"2026-10-04T00:00:00Z\"", "\"?\"", "true",
      ])
      return "{\"market\": \"\(market)\", \"queue\": \"\(queue)\", \"ts\": \(time)}"
    }
    let whole = try normalize(lines, stage, fields: fields, batchLines: 2_000)
    #expect(whole.rows.count > 300 && whole.refusals.count > 300)
    for size in [1, 7, 64, 999] {
      let split = try normalize(lines, stage, fields: fields, batchLines: size)
      #expect(split == whole)
      for mode in CodedColumns.Mode.allCases {
        let coded = try normalize(
          lines, stage, fields: fields, batchLines: size, coder: CodedColumns(mode))
        #expect(coded == whole)
      }
    }
  }

  @Test func `gives codes as long as there are not too many values`() throws {
    let stage = try bindNormalize(#"{"market": {"case": "lower"}}"#, fields: fields)
    let lines = (0..<40_000).map { "{\"market\": \"M\($0 % 20_000)\", \"queue\": \"\", \"ts\": 0}" }
    for mode in [CodedColumns.Mode.none, .all] {
      let result = try normalize(
        lines, stage, fields: fields, batchLines: 7_000, coder: CodedColumns(mode))
      #expect(result.rows.count == 40_000)
      for i in stride(from: 0, to: 40_000, by: 997) {
        #expect(result.rows[i] == "\(i + 1): \"m\(i % 20_000)\" \"\" - 0")
      }
    }
  }

  @Test func `reads a map from a file`() throws {
    try withTemporaryFolder { folder in
      try folder.write(Array(#"{"DE": "Germany"}"#.utf8), as: "markets.json")
      let stage = try bindNormalize(
        #"{"market": {"map": "markets.json"}}"#, fields: fields, directory: folder.path)
      #expect(stage.codes == [])
      let result = try normalize(
        [
          #"{"market": "DE", "queue": "a", "ts": 0}"#, #"{"market": "FR", "queue": "a", "ts": 0}"#,
        ], stage, fields: fields)
      #expect(result.rows == [#"1: "Germany" "a" - 0"#])
      #expect(result.messages == [#"`market` is "FR", expected a key of the map markets.json"#])
    }
  }

  @Test func `tells the mistakes of a map file at their place`() throws {
    try withTemporaryFolder { folder in
      try folder.write(Array("{\n  \"DE\": 1,\n  \"FR\": null}".utf8), as: "a.json")
      try folder.write(Array("[]".utf8), as: "b.json")
      try folder.write(Array("{\"DE\": \"x\", \"DE\": \"y\"}".utf8), as: "c.json")
      func problems(_ name: String) throws -> [String] {
        try bindNormalize(
          "{\"market\": {\"map\": \"\(name)\"}}", fields: fields, directory: folder.path
        ).problems.map {
          "\($0.file.split(separator: "/").last!):\($0.line):\($0.column) \($0.code)"
        }
      }
      #expect(try problems("a.json") == ["a.json:2:9 wrong_type", "a.json:3:9 wrong_type"])
      #expect(try problems("b.json") == ["b.json:1:1 wrong_type"])
      #expect(try problems("c.json") == ["c.json:1:13 duplicate_key"])
      #expect(try problems("none.json") == ["spec.json:4:96 unreadable_file"])
    }
  }

  @Test(arguments: [
    (#"{"market": {}}"#, ["nothing_to_do"]), (#"{}"#, ["nothing_to_do"]),
    (#"{"market": {"trim": false}}"#, ["nothing_to_do"]),
    (#"{"market": {"trim": true, "unmapped": "keep"}}"#, ["unused_option"]),
    (#"{"market": {"replace": {"": "x"}}}"#, ["empty_literal"]),
    (#"{"market": {"replace": {}}}"#, ["nothing_to_do"]),
    (#"{"market": {"values": []}}"#, ["nothing_to_do"]),
    (#"{"market": {"map": {}}}"#, ["nothing_to_do"]),
    (#"{"market": {"values": ["a"], "unmapped": "keep"}}"#, ["nothing_to_do"]),
    (#"{"market": {"map": {"a": "b"}, "values": ["a"]}}"#, ["map_outside_values"]),
    (#"{"market": {"number": "int", "case": "upper"}}"#, ["conflicting_steps"]),
    (#"{"market": {"number": "int", "timestamp": ["date"]}}"#, ["conflicting_steps"]),
    (#"{"ts": {"timestamp": ["epoch_s", "rfc3339", "epoch_ms"]}}"#, ["conflicting_steps"]),
    (#"{"ts": {"timestamp": []}}"#, ["nothing_to_do"]),
    (#"{"n": {"timestamp": ["rfc3339"]}}"#, ["wrong_field_type"]),
    (#"{"n": {"number": "int"}}"#, ["nothing_to_do"]),
    (#"{"n": {"case": "upper"}}"#, ["wrong_field_type"]),
    (#"{"n": {"trim": true, "number": "number"}}"#, ["wrong_field_type"]),
    (#"{"at": {"timestamp": ["rfc3339"]}}"#, ["wrong_field_type"]),
    (#"{"markt": {"trim": true}, "n": {"case": "lower"}}"#, ["unknown_field", "wrong_field_type"]),
    (#"{"a.": {"trim": true}}"#, ["bad_field"]),
    (#"{"market": {"trim": true}, "\"market\"": {"trim": true}}"#, ["duplicate_entry"]),
  ])
  func `refuses a spec that asks for the impossible`(steps: String, codes: [String]) throws {
    let stage = try bindNormalize(
      steps, fields: #"{"market": "string", "ts": "any", "n": "int", "at": "timestamp"}"#)
    #expect(stage.codes == codes)
  }

  @Test(arguments: [
    (#"{"case": "upper", "map": {"de": "DE", "FR": "FR"}}"#, 1),
    (#"{"case": "upper", "map": {"de-x": "x"}, "replace": {"-": "de"}}"#, 1),
    (#"{"case": "upper", "map": {"de": "x"}, "replace": {"-": "de"}}"#, 0),
    (#"{"trim": true, "map": {" a": "x"}}"#, 1),
    (#"{"trim": true, "map": {" a": "x"}, "replace": {"-": ""}}"#, 0),
    (#"{"unicode": "nfc", "map": {"e\u0301": "x"}}"#, 1),
    (#"{"replace": {"-": "_"}, "map": {"a-b": "x", "a_b": "y"}}"#, 1),
    (#"{"replace": {"-": "_", "+": "-"}, "map": {"a-b": "x"}}"#, 0),
    (#"{"case": "lower", "replace": {"A": "b"}}"#, 1),
    (#"{"case": "lower", "values": ["A", "b"]}"#, 1),
  ])
  func `warns of keys that no value ever has`(steps: String, count: Int) throws {
    let stage = try bindNormalize("{\"f\": \(steps)}", fields: #"{"f": "string"}"#)
    #expect(stage.map != nil)
    #expect(stage.codes == Array(repeating: "unreachable_key", count: count))
  }

  @Test func `has a manual without faults, whose example binds`() throws {
    #expect(StageRegistry([Normalize.self]).faults() == [])
    var problems = Problems()
    let source = SpecSource(name: "example", bytes: Array(Normalize.manual.example.utf8))
    let example = try #require(SpecJSON.parse(source, problems: &problems))
    let node = try #require(example.member("fields")).value
    let steps = String(decoding: source.bytes[node.range], as: UTF8.self)
    #expect(try bindNormalize(steps, fields: Normalize.manual.exampleFields).codes == [])
  }
}
