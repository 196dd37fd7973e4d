import Glibc
import Testing
import WeirTesting

@testable import WeirData

@Suite struct `The scanner of records` {
  private func verdicts(_ documents: [String], _ fields: [(String, String)]) -> [Verdict] {
    let scanner = RecordScanner(fields: planned(fields))
    let bytes = documents.map { Array($0.utf8) }
    let fast = scan(bytes, scanner)
    let exact = scan(bytes, scanner, exactly: true)
    for (i, document) in documents.enumerated() { #expect(fast[i] == exact[i], "\(document)") }
    return fast
  }

  /// The value of `a`, planned as `type`, in a record `{"a":text}`; the code where it is refused.
  private func value(_ text: String, as type: String) -> (CellValue?, String?) {
    switch verdicts(["{\"a\":\(text)}"], [("a", type)])[0] {
    case .record(let values): (values[0], nil)
    case .refused(let code, _, _): (nil, code)
    }
  }

  @Test(
    arguments: [
      ("0", .int(0)), ("-0", .int(0)), ("9007199254740993", .int(9_007_199_254_740_993)),
      ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
    ] as [(String, CellValue)])
  func `reads integers without loss`(text: String, expected: CellValue) {
    #expect(value(text, as: "int").0 == expected)
    #expect(value(text, as: "any").0 == expected)
  }

  @Test(arguments: [
    ("1.0", "wrong_type"), ("1e3", "wrong_type"), ("-0.0", "wrong_type"), ("\"1\"", "wrong_type"),
    ("true", "wrong_type"), ("[1]", "wrong_type"), ("{}", "wrong_type"), ("1e400", "wrong_type"),
    ("null", "missing_field"), ("9223372036854775808", "number_out_of_range"),
    ("18446744073709551615", "number_out_of_range"),
    ("18446744073709551616", "number_out_of_range"),
    ("-9223372036854775809", "number_out_of_range"),
    ("123456789012345678901234567890", "number_out_of_range"),
  ])
  func `takes nothing but integers of 64 bits for an int`(text: String, code: String) {
    #expect(value(text, as: "int").1 == code)
    #expect(value(text, as: "int?").1 == (text == "null" ? nil : code))
  }

  @Test(
    arguments: [
      ("1", 1), ("-0", 0), ("-0.0", -0.0), ("1e3", 1_000),
      ("9007199254740993", 9_007_199_254_740_992),
      ("18446744073709551615", 18_446_744_073_709_551_616), ("5e-324", .leastNonzeroMagnitude),
      ("1e-400", 0),
      ("-1e-400", -0.0), ("18446744073709551616", 18_446_744_073_709_551_616),
      ("-9223372036854775809", -9_223_372_036_854_775_808), ("0e99999999999", 0),
      ("123456789012345678901234567890", 1.2345678901234568e29),
    ] as [(String, Double)])
  func `takes any number for a number, rounded to the nearest double`(
    text: String, expected: Double
  ) {
    #expect(value(text, as: "number").0 == .number(expected))
  }

  @Test func `refuses numbers that no double holds`() {
    #expect(value("1e400", as: "number").1 == "number_out_of_range")
    #expect(value("-1e400", as: "number?").1 == "number_out_of_range")
    #expect(value("1e400", as: "any").1 == "number_out_of_range")
    #expect(value("18446744073709551616", as: "any").1 == "number_out_of_range")
    #expect(value("18446744073709551615", as: "any").1 == "number_out_of_range")
    #expect(value("1e400", as: "string").1 == "wrong_type")
  }

  @Test func `lets values pass that nobody asked for`() {
    let odd = ["1e400", "\"\\ud800\"", "123456789012345678901234567890", "[[],{\"a\":{}}]"]
    for text in odd {
      #expect(verdicts(["{\"x\":\(text),\"a\":1}"], [("a", "int")]) == [.record([.int(1)])])
    }
    let deep = String(repeating: "[", count: 5_000) + String(repeating: "]", count: 5_000)
    #expect(verdicts(["{\"x\":\(deep),\"a\":1}"], [("a", "int")]) == [.record([.int(1)])])
    #expect(verdicts(["{\"a\":\(deep)}"], [("a", "any")]) == [.record([.nested])])
  }

  @Test func `takes 100,000 levels without recursion`() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
      let deep =
        String(repeating: open, count: 100_000) + "1" + String(repeating: close, count: 100_000)
      let text = "{\"x\":\(deep),\"a\":{\"b\":2}}"
      #expect(verdicts([text], [("a.b", "int")]) == [.record([.int(2)])])
      let scanner = RecordScanner(fields: planned([("a.b", "int")]))
      let bytes = Array(text.utf8)
      var start: UInt32 = 0
      var length: UInt32 = 0
      bytes.withUnsafeBufferPointer { scanner.locate($0, starts: &start, lengths: &length) }
      #expect(Int(start) == bytes.count - 3)
      #expect(length == 1)
      let cut = verdicts(["{\"x\":" + String(repeating: open, count: 100_000)], [("a", "any?")])
      #expect(cut[0].code == "invalid_json")
    }
  }

  @Test func `resolves escapes and keeps text byte for byte`() {
    let text = #""\u0041\u00e9\u20ac\ud83d\ude00\"\\\/\b\f\n\r\t\u0000e\u0301é""#
    let expected = "Aé€\u{1F600}\"\\/\u{8}\u{C}\n\r\t\0e\u{301}é"
    guard case .string(let string)? = value(text, as: "string").0 else {
      Issue.record("no string")
      return
    }
    #expect(Array(string.utf8) == Array(expected.utf8))
  }

  @Test(arguments: [
    #"\ud800"#, #"\udc00"#, #"\ud800\u0041"#, #"\ud800x"#, #"\udc00\ud800"#, #"\ud800\ud800"#,
  ])
  func `refuses half a surrogate pair in a planned string`(text: String) {
    #expect(value("\"\(text)\"", as: "string").1 == "lone_surrogate")
    #expect(value("\"x\(text)\"", as: "any?").1 == "lone_surrogate")
    #expect(value("\"\(text)\"", as: "timestamp").1 == "lone_surrogate")
  }

  @Test(arguments: [
    (#"{"a":1,"a":1}"#, 0), (#"{"a":1,"\u0061":2}"#, 0), (#"{"\u0061":1,"a":2}"#, 0),
    (#"{"a":1,"m":{"x":1,"x":2}}"#, 1), (#"{"a":1,"m":{"x":1},"m":3}"#, 1),
    (#"{"m":{"y":1},"m":{"x":1},"a":1,"a":2}"#, 1), (#"{"a":1,"a":1e400}"#, 0),
    (#"{"m":{"x":1e400,"x":2}}"#, 1), (#"{"m":1,"m":1e400,"a":1,"a":2}"#, 1),
    (#"{"b":1e400,"a":1,"a":2}"#, 0),
  ])
  func `refuses a planned key that stands twice, before all else`(text: String, field: Int) {
    let verdict = verdicts([text], [("a", "int"), ("m.x", "int?")])[0]
    guard case .refused("duplicate_key", let found, _) = verdict else {
      Issue.record("\(verdict)")
      return
    }
    #expect(found == field)
  }

  @Test func `lets keys stand twice that nobody asked for`() {
    let text = #"{"z":1,"z":2,"m":{"y":1,"y":2},"a":1}"#
    #expect(verdicts([text], [("a", "int"), ("m.x", "int?")]) == [.record([.int(1), .missing])])
  }

  @Test func `tells absent from null, on the way to a field too`() {
    let fields = [("m.x", "int?"), ("m.n.y", "int?"), ("m", "any?")]
    let cases: [(String, [CellValue])] = [
      ("{}", [.missing, .missing, .missing]),
      (#"{"m":null}"#, [.null, .null, .null]),
      (#"{"m":{}}"#, [.missing, .missing, .nested]),
      (#"{"m":{"n":null}}"#, [.missing, .null, .nested]),
      (#"{"m":{"x":null,"n":{"y":2}}}"#, [.null, .int(2), .nested]),
      (#"{"m":5}"#, [.missing, .missing, .int(5)]),
      (#"{"m":[{"x":1}]}"#, [.missing, .missing, .nested]),
      (#"{"x":1,"n":{"y":2}}"#, [.missing, .missing, .missing]),
      (#"{"m":{"m":{"x":1}}}"#, [.missing, .missing, .nested]),
    ]
    for (text, expected) in cases {
      #expect(verdicts([text], fields) == [.record(expected)], "\(text)")
    }
    #expect(verdicts([#"{"m":null}"#], [("m.x", "int")])[0].code == "missing_field")
  }

  @Test func `refuses what is not an object and what is not JSON`() {
    for text in ["1", "null", "\"a\"", "[{}]", " true "] {
      #expect(verdicts([text], [("a", "any?")])[0].code == "not_an_object")
    }
    for text in ["", "{", "{}{}", "{} x", "{a:1}", "{\"a\":1,}", "{\"a\":01}", "\u{FEFF}{}"] {
      #expect(verdicts([text], [("a", "any?")])[0].code == "invalid_json", "\(text)")
    }
    let scanner = RecordScanner(fields: planned([("a", "any?")]))
    let bad = scan([Array("{\"a\":\"".utf8) + [0xC3, 0x28] + Array("\"}".utf8)], scanner)[0]
    #expect(
      bad
        == .refused(
          "invalid_utf8", field: nil, message: "not JSON at byte 7 of the line: not UTF-8"))
  }

  @Test func `reads timestamps and says which are none`() {
    let good = verdicts([#"{"a":"1970-01-01T00:00:01.5+00:00"}"#], [("a", "timestamp")])
    #expect(good == [.record([.timestamp(1_500_000)])])
    let bad = verdicts([#"{"a":"1970-01-01"}"#], [("a", "timestamp?")])
    #expect(bad[0].code == "bad_timestamp")
    #expect(value("5", as: "timestamp").1 == "wrong_type")
  }

  @Test func `names what it found where something else was planned`() {
    let cases: [(String, String)] = [
      ("1.5", "`a` is the number 1.5, expected bool"),
      ("7", "`a` is the integer 7, expected bool"),
      ("18446744073709551615", "`a` is a number beyond 64 bits, expected bool"),
      ("123456789012345678901", "`a` is a number beyond 64 bits, expected bool"),
      ("1e400", "`a` is a number beyond 64 bits, expected bool"),
      ("[]", "`a` is an object or array, expected bool"),
      (#""yes""#, #"`a` is the string "yes", expected bool"#),
    ]
    for (text, message) in cases {
      let verdict = verdicts(["{\"a\":\(text)}"], [("a", "bool")])[0]
      #expect(verdict == .refused("wrong_type", field: 0, message: message))
    }
  }

  @Test func `reads records without any planned field`() {
    #expect(verdicts(["{}", "[]", "{"], []).map(\.code) == [nil, "not_an_object", "invalid_json"])
  }

  @Test func `keeps rows apart`() {
    let documents = (0..<500).map { i in
      i % 3 == 0
        ? "{\"s\":\"\(i)\",\"a\":\(i)}" : i % 3 == 1 ? "{\"a\":\(i),\"s\":\"\\ud800\"}" : "x"
    }
    let found = verdicts(documents, [("a", "int"), ("s", "string")])
    for (i, verdict) in found.enumerated() {
      switch i % 3 {
      case 0: #expect(verdict == .record([.int(Int64(i)), .string("\(i)")]))
      case 1: #expect(verdict.code == "lone_surrogate")
      default: #expect(verdict.code == "invalid_json")
      }
    }
  }

  @Test func `agrees with the exact reader on made and damaged documents`() throws {
    // WEIR_ROUNDS: more of them, by hand; 1 is 100 documents.
    let rounds = getenv("WEIR_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 200
    let scanner = RecordScanner(fields: RandomDocuments.fields)
    var made = RandomDocuments(seed: 20_261_004)
    var codes: [String: Int] = [:]
    for _ in 0..<rounds {
      let documents = (0..<100).map { i in
        let document = made.document()
        return i % 2 == 0 ? document : made.damaged(document)
      }
      let fast = scan(documents, scanner)
      let exact = scan(documents, scanner, exactly: true)
      for (i, document) in documents.enumerated() {
        let isJSON = !["invalid_json", "invalid_utf8"].contains(fast[i].code)
        let isLocated = !fast[i].isRecord || locatesLikeTheExactReader(document, scanner)
        if fast[i] != exact[i] || (exactError(document) == nil) != isJSON || !isLocated
          || (i % 2 == 0 && !isJSON)
        {
          Issue.record("\(fast[i]), \(exact[i]): \(String(decoding: document, as: UTF8.self))")
        }
        codes[fast[i].code ?? "record", default: 0] += 1
      }
    }
    // The test tests something.
    let all = [
      "record", "invalid_json", "invalid_utf8", "not_an_object", "duplicate_key", "missing_field",
      "wrong_type", "number_out_of_range", "lone_surrogate", "bad_timestamp",
    ]
    for code in all { #expect(codes[code, default: 0] > rounds / 10, "\(code) of \(codes)") }
  }

  private func locatesLikeTheExactReader(_ document: [UInt8], _ scanner: RecordScanner) -> Bool {
    let paths = scanner.fields.map(\.path)
    var starts = [UInt32](repeating: 0, count: paths.count)
    var lengths = starts
    document.withUnsafeBufferPointer { scanner.locate($0, starts: &starts, lengths: &lengths) }
    guard let expected = locations(of: paths, in: document) else { return false }
    return paths.indices.allSatisfy { slot in
      guard let range = expected[slot] else { return lengths[slot] == 0 }
      return range == Int(starts[slot])..<Int(starts[slot] + lengths[slot])
    }
  }
}
