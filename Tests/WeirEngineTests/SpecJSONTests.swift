import Testing

@testable import WeirEngine

#if canImport(Glibc)
  import Glibc
#endif

private func parse(_ text: String) -> (SpecNode?, Problems) { parse(Array(text.utf8)) }

private func parse(_ bytes: [UInt8]) -> (SpecNode?, Problems) {
  var problems = Problems()
  let node = SpecJSON.parse(SpecSource(name: "t.json", bytes: bytes), problems: &problems)
  return (node, problems)
}

/// The public test suite is not part of the repository: it is looked for where WEIR_SHARED says,
/// else beside the package.
private let shared: String = {
  if let path = getenv("WEIR_SHARED") { return String(cString: path) }
  return "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/../shared"
}()
private let suitePath = shared + "/data/json-test-suite/test_parsing"

private func readFile(_ path: String) -> [UInt8]? {
  guard let file = fopen(path, "rb") else { return nil }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = fread(&chunk, 1, chunk.count, file)
    if count == 0 { return bytes }
    bytes += chunk[..<count]
  }
}

private func names(in directory: String) -> [String] {
  guard let handle = opendir(directory) else { return [] }
  defer { closedir(handle) }
  var names: [String] = []
  while let entry = readdir(handle) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    names.append(name)
  }
  return names.sorted()
}

@Suite struct `JSON with places` {
  @Test func `values know where they stand`() throws {
    let (node, problems) = parse("{\n  \"é\": [1, -2.5e1, {\"a/b~c\": null}],\n  \"t\": true\n}")
    #expect(problems.isEmpty)
    let list = try #require(node?.member("é")?.value)
    let items = try #require(list.array)
    #expect(items.map(\.range) == [11..<12, 14..<20, 22..<37])
    #expect(items[2].member("a/b~c")?.value.pointer.description == "/é/2/a~1b~0c")
    // Columns count scalars: the two bytes of é are one.
    let place = list.source.place(of: items[0].range.lowerBound)
    #expect((place.line, place.column) == (2, 9))
    guard case .number(-25) = items[1].kind else {
      Issue.record("-2.5e1 is a number")
      return
    }
  }

  @Test func `escapes are read, and places inside strings are found again`() throws {
    let (node, problems) = parse(#"["a\u00e9\ud83d\ude00\n\"z"]"#)
    #expect(problems.isEmpty)
    let text = try #require(node?.array?[0])
    #expect(text.string == "aé😀\n\"z")
    // z is the byte 9 of the value.
    #expect(text.sourceRange(9..<10) == 25..<26)
    #expect(text.sourceRange(1..<3) == 3..<9)
    #expect(text.sourceRange(3..<7) == 9..<21)
    #expect(text.sourceRange(10..<10) == 26..<26)
  }

  @Test(arguments: [
    ("", "empty"), ("  \n", "empty"), ("{", "unclosed"), ("[1", "unclosed"),
    ("{\"a\"}", "missing_value"),
    ("[1}", "unexpected_character"), ("{} x", "trailing_text"), ("name: x", "not_json"),
    ("[\"\\ud800\"]", "lone_surrogate"), ("[\"\\u12\"]", "bad_escape"),
    ("[\"a\tb\"]", "control_character"),
    ("[99999999999999999999]", "number_out_of_range"), ("[1e999]", "number_out_of_range"),
    ("[01]", "bad_number"), ("[0x1F]", "bad_number"), ("[1,,2]", "extra_comma"),
    ("[,1]", "unexpected_character"),
    ("/* x", "comment"), ("\u{FEFF}{}", "byte_order_mark"), ("[NaN]", "bare_word"),
    ("{:1}", "unexpected_character"),
  ])
  func `broken text has one problem`(text: String, code: String) {
    #expect(parse(text).1.sorted.map(\.code) == [code])
  }

  @Test func `bytes that are no text are refused by name`() {
    #expect(parse([0xFF, 0xFE, 0x7B, 0]).1.sorted.map(\.code) == ["not_utf8"])
    let (_, problems) = parse(Array("{\"a\": \"".utf8) + [0xC0, 0xAF] + Array("\"}".utf8))
    #expect(problems.sorted.map(\.code) == ["not_utf8"])
    #expect(problems.sorted[0].column == 8)
  }

  @Test func `equal keys are compared as bytes`() {
    #expect(parse(#"{"a": 1, "\u0061": 2}"#).1.sorted.map(\.code) == ["duplicate_key"])
    // The same letter composed and decomposed: two keys, though Swift calls the strings equal.
    let (node, problems) = parse("{\"\u{E9}\": 1, \"e\u{301}\": 2}")
    #expect(problems.isEmpty)
    #expect(node?.object?.count == 2)
  }

  @Test func `all mistakes of a text come at once`() {
    let text = "{\n  // one\n  name: 'x',\n  \"a\": [1 2,],\n  \"a\": True\n}"
    let codes = parse(text).1.sorted.map { "\($0.line):\($0.column) \($0.code)" }
    #expect(
      codes == [
        "2:3 comment", "3:3 unquoted_key", "3:9 single_quotes", "4:10 missing_comma",
        "4:12 trailing_comma", "5:3 duplicate_key", "5:8 bare_word",
      ])
  }

  @Test(.enabled(if: access(suitePath, R_OK) == 0, "needs shared/data/json-test-suite"))
  func `the public test suite is read as it says`() throws {
    var counts = (accepted: 0, refused: 0)
    for name in names(in: suitePath) where name.hasSuffix(".json") {
      let bytes = try #require(readFile(suitePath + "/" + name))
      let (node, problems) = parse(bytes)
      if name.hasPrefix("y_") {
        // A spec may not have a key twice.
        let isDuplicate = name.hasPrefix("y_object_duplicated_key")
        #expect(problems.hasErrors == isDuplicate, "\(name): \(problems.text)")
        #expect(node != nil, "\(name)")
        counts.accepted += 1
      } else if name.hasPrefix("n_") {
        #expect(problems.hasErrors, "\(name)")
        counts.refused += 1
      }
    }
    #expect(counts.accepted > 90 && counts.refused > 180)
  }
}

@Suite struct `Text that is too much` {
  @Test func `is refused at once`() {
    let cases: [(String, String)] = [
      (String(repeating: "[", count: 10_000), "too_deep"),
      (String(repeating: "{\"a\":", count: 10_000), "too_deep"),
      ("[\"" + String(repeating: "x", count: 1 << 20) + "\"]", "too_large"),
    ]
    for (text, code) in cases {
      #expect(parse(text).1.sorted.map(\.code) == [code])
    }
  }

  @Test func `many stages are counted, not checked`() {
    let one = "{\"type\":\"filter\",\"inputs\":[\"x\"],\"where\":\"true\"}"
    let many = (0..<10_000).map { "\"s\($0)\":\(one)" }.joined(separator: ",")
    let problems = load("{\"name\":\"x\",\"transforms\":{\(many)}}").1
    #expect(problems.sorted.map(\.code) == ["too_many_stages"])
  }

  /// Texts of a megabyte that hold as many mistakes as they can; each gets a short answer. The limit
  /// only ends what would not end by itself.
  @Test(.timeLimit(.minutes(5)))
  func `is answered shortly however many mistakes it has`() {
    let million = 1 << 20
    let longKey = String(repeating: "k", count: million / 2)
    let names = (0..<400).map { "\"stage\($0)\":{\"type\":\"filtre\",\"inputs\":[\"stge\($0)\"]}" }
    let texts = [
      "{" + (0..<100_000).map { "\"a\":\($0 % 9)" }.joined(separator: ",") + "}",
      "{" + (0..<80_000).map { "\"a\($0)\":1" }.joined(separator: ",") + "}",
      "[" + String(repeating: "1 ", count: million / 2 - 2) + "]",
      "[" + String(repeating: "//\n", count: million / 4) + "]",
      "{\"\(longKey)\":[" + String(repeating: "x,", count: 200_000) + "1]}",
      "{\"name\":\"x\",\"transforms\":{" + names.joined(separator: ",") + "}}",
      "{\"name\":\"x\",\"sinks\":{\"s\":{\"type\":\"report\",\"inputs\":["
        + (0..<90_000).map { "\"a\($0)\"" }.joined(separator: ",") + "]}}}",
      "{\"name\":\"x\",\"sources\":{\"s\":{\"type\":\"jsonl\",\"paths\":["
        + (0..<40_000).map { "\"${param.a\($0)}\"" }.joined(separator: ",") + "]}}}",
      "{\"name\":\"x\",\"transforms\":{\"s\":{\"type\":\"trend\",\"metrics\":{"
        + (0..<40_000).map { "\"m\($0)\":{\"cout\":1}" }.joined(separator: ",") + "}}}}",
      "{\"name\":\"\(longKey)\",\"\(longKey)\":1}",
    ]
    for (index, text) in texts.enumerated() {
      let problems = load(text).1
      #expect(problems.hasErrors)
      let size = problems.text.utf8.count + problems.json.utf8.count
      #expect(size < 400_000, "text \(index) was answered with \(size) bytes")
    }
  }

  @Test func `shows a hundred problems and counts the rest`() {
    let text = "[" + String(repeating: "x,", count: 5_000) + "1]"
    let problems = load(text).1
    #expect(problems.count == 5_001)
    #expect(problems.text.hasSuffix("... and 4901 more\n"))
    #expect(problems.json.contains("\"more\":4901"))
  }
}

@Suite struct `A problem` {
  @Test func `shows its line, a caret, what was expected and a fix`() throws {
    let text = goodSpec.replacing(#""type": "filter""#, with: #""type": "filtre""#)
    let problems = load(text).1
    #expect(
      problems.text == #"""
        spec.json:22:25: error: there is no transform type 'filtre' [unknown_type]
          22 |     "scoped": { "type": "filtre", "inputs": ["unique"],
             |                         ^^^^^^^^
             = expected: one of normalize, dedupe, filter, split or trend
             = try: "filter"

        """#)
    #expect(
      problems.json
        == #"{"problems":[{"code":"unknown_type","severity":"error","file":"spec.json","line":22,"#
        + #""column":25,"end_line":22,"end_column":33,"pointer":"/transforms/scoped/type","#
        + #""message":"there is no transform type 'filtre'","#
        + #""expected":"one of normalize, dedupe, filter, split or trend","fix":"\"filter\"","#
        + #""related":[]}],"errors":1,"more":0}"#)
  }

  @Test func `shows both places of a duplicate key`() {
    let problem = parse("{\"a\": 1,\n \"a\": 2}").1.sorted[0]
    #expect((problem.line, problem.column) == (2, 2))
    #expect(problem.related.map { "\($0.line):\($0.column)" } == ["1:2"])
    #expect(problem.text.hasSuffix("= first here: t.json:1:2"))
  }

  @Test func `sends no control characters to the terminal`() {
    let problem = parse("{\"a\": \u{1B}[31m}").1.sorted[0]
    #expect(!problem.text.utf8.contains(0x1B))
    let long = parse("[" + String(repeating: "é", count: 3_000) + "]").1.sorted[0]
    #expect(long.text.utf8.count < 700)
  }
}

@Suite struct `The nearest word` {
  @Test(arguments: [
    ("filtre", "filter"), ("fitler", "filter"), ("Filter", "filter"), ("filters", "filter"),
    ("dedup", "dedupe"), ("order-by", "order_by"), ("orderby", "order_by"), ("pth", "path"),
  ])
  func `is found`(word: String, meant: String) {
    #expect(nearest(to: word, among: ["path", "dedupe", "filter", "order_by"]) == meant)
  }

  @Test(arguments: ["x", "", "aggregate", "zz", String(repeating: "filter", count: 20)])
  func `is not guessed`(word: String) {
    #expect(nearest(to: word, among: ["path", "dedupe", "filter", "order_by", "y"]) == nil)
  }

  @Test func `distances are those of the full table`() {
    var state: UInt64 = 7
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    for _ in 0..<3_000 {
      let a = (0..<next(9)).map { _ in UInt8(97 + next(3)) }
      let b = (0..<next(9)).map { _ in UInt8(97 + next(3)) }
      let full = fullDistance(a, b)
      for limit in 1...4 {
        #expect(editDistance(a, b, limit: limit) == min(full, limit + 1), "\(a) \(b)")
      }
    }
  }

  private func fullDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var d = (0...a.count).map { i in (0...b.count).map { j in i == 0 ? j : j == 0 ? i : 0 } }
    for i in stride(from: 1, through: a.count, by: 1) {
      for j in stride(from: 1, through: b.count, by: 1) {
        let cost = a[i - 1] == b[j - 1] ? 0 : 1
        d[i][j] = min(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + cost)
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
          d[i][j] = min(d[i][j], d[i - 2][j - 2] + 1)
        }
      }
    }
    return d[a.count][b.count]
  }
}
