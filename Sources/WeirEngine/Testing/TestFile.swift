import WeirData

/// The tests beside a spec: `NAME.test.json`.
public struct TestFile: Sendable {
  public static let bytesMax = 16 << 20
  static let keys = ["$schema", "description", "tests"]

  public let source: SpecSource
  public let cases: [TestCase]

  /// `pipelines/flights.test.json` of `pipelines/flights.json`.
  public static func path(ofSpec path: String) -> String {
    let ending = Array(".json".utf8)
    let bytes = Array(path.utf8)
    let stem =
      bytes.count > ending.count && bytes.suffix(ending.count).elementsEqual(ending)
      ? bytes.dropLast(ending.count) : bytes[...]
    return String(decoding: stem, as: UTF8.self) + ".test.json"
  }

  /// Whether a path is named as test files are.
  public static func isOne(_ path: String) -> Bool {
    path.utf8.suffix(10).elementsEqual(".test.json".utf8)
  }

  /// Reads a test file; looks at no spec.
  public static func parse(_ bytes: [UInt8], file: String) -> (TestFile?, Problems) {
    var problems = Problems()
    let source = SpecSource(name: file, bytes: bytes)
    let limits = SpecLimits(bytes: bytesMax, depth: 64)
    guard let root = SpecJSON.parse(source, limits: limits, problems: &problems) else {
      return (nil, problems)
    }
    var parsing = TestParsing(problems: problems)
    let cases = parsing.cases(root)
    return (
      parsing.problems.hasErrors ? nil : TestFile(source: source, cases: cases), parsing.problems
    )
  }
}

/// One test: input, the part of the pipeline that it goes through, and what is to come of it.
public struct TestCase: Sendable {
  static let keys = ["name", "description", "params", "start", "end", "inputs", "expect"]

  public let name: String
  public let node: SpecNode
  public let params: [(name: String, text: String)]
  let paramNodes: [(name: String, node: SpecNode)]
  /// Where the input comes in; `nil`: at the sources.
  let start: SpecNode?
  /// Where what is expected is looked at; `nil`: the files of all sinks.
  let end: SpecNode?
  let inputs: [TestInput]
  let expect: TestExpectation
}

/// The input of one source, or of the stage at which a test begins.
struct TestInput: Sendable {
  enum Content: Sendable {
    case lines([[UInt8]])
    /// Beside the test file.
    case file(SpecNode)
  }
  let name: String
  let nameNode: SpecNode
  let shards: [(name: String, node: SpecNode, content: Content)]
}

/// What is expected; what is not named is not looked at.
struct TestExpectation: Sendable {
  static let keys = [
    "fields", "records", "rows", "findings", "files", "ledger", "codes", "quarantine",
  ]

  /// The object.
  let node: SpecNode
  /// Only these fields of records, rows and findings are compared.
  let fields: [String]?

  func member(_ key: String) -> SpecNode? { node.member(key)?.value }

  /// Whether there is nothing to compare.
  var isEmpty: Bool { (node.object ?? []).allSatisfy { same($0.key, "fields") } }
}

/// Reads the nodes of a test file.
private struct TestParsing {
  var problems: Problems

  mutating func cases(_ root: SpecNode) -> [TestCase] {
    guard object(root, "a test file", TestFile.keys) else { return [] }
    guard let tests = root.member("tests") else {
      problems.add(
        "missing_key", at: root.opening, "there are no \"tests\"",
        fix: "\"tests\": [ { \"name\": ..., \"inputs\": ..., \"expect\": ... } ]")
      return []
    }
    guard let items = list(tests.value, "\"tests\"") else { return [] }
    var cases: [TestCase] = []
    for item in items {
      guard let test = testCase(item) else { continue }
      if let first = cases.first(where: { same($0.name, test.name) }) {
        problems.add(
          "duplicate_name", at: item.member("name")?.value ?? item,
          "\(shown(test.name)) is the name of another test", fix: "give each test its own name",
          related: [.init("first here", at: first.node)])
      }
      cases.append(test)
    }
    return cases
  }

  private mutating func testCase(_ node: SpecNode) -> TestCase? {
    guard object(node, "a test", TestCase.keys) else { return nil }
    let name = string(node, "name", isRequired: true)
    _ = string(node, "description", isRequired: false)
    let start = node.member("start")?.value
    let end = node.member("end")?.value
    for place in [start, end].compactMap({ $0 }) where place.string == nil {
      problems.add(
        "wrong_type", at: place, "a stage is named by \(place.kindText)",
        expected: "the name of a stage, or of one of its outputs as \"stage.output\"")
    }
    var params: [(String, String)] = []
    var nodes: [(String, SpecNode)] = []
    if let given = node.member("params")?.value, object(given, "\"params\"", nil) {
      for member in given.object ?? [] {
        nodes.append((member.key, member.keyNode))
        if let text = member.value.scalarText {
          params.append((member.key, text))
        } else {
          problems.add(
            "wrong_type", at: member.value,
            "the parameter \(shown(member.key)) is \(member.value.kindText)",
            expected: "a string, a number, true or false")
        }
      }
    }
    let inputs = self.inputs(node)
    guard let expect = node.member("expect")?.value else {
      problems.add(
        "missing_key", at: node.opening, "nothing is expected",
        fix: "\"expect\": { } and `weir test --update` to have it filled in")
      return nil
    }
    let expectation = expectation(expect)
    guard let name, let expectation, !problems.hasErrors else { return nil }
    return TestCase(
      name: name, node: node, params: params, paramNodes: nodes, start: start, end: end,
      inputs: inputs, expect: expectation)
  }

  // MARK: Input

  private mutating func inputs(_ node: SpecNode) -> [TestInput] {
    guard let inputs = node.member("inputs")?.value else {
      problems.add(
        "missing_key", at: node.opening, "a test has \"inputs\"",
        fix: "\"inputs\": { \"SOURCE\": [ { ... }, { ... } ] }")
      return []
    }
    guard object(inputs, "\"inputs\"", nil) else { return [] }
    return (inputs.object ?? []).map { member in
      var shards: [(name: String, node: SpecNode, content: TestInput.Content)] = []
      if let all = member.value.member("shards")?.value {
        _ = object(member.value, "an input", ["shards"])
        if object(all, "\"shards\"", nil) {
          for shard in all.object ?? [] {
            if let content = content(shard.value) {
              shards.append((shard.key, shard.keyNode, content))
            }
          }
        }
      } else if let content = content(member.value) {
        shards.append(("input.jsonl", member.keyNode, content))
      }
      return TestInput(name: member.key, nameNode: member.keyNode, shards: shards)
    }
  }

  private mutating func content(_ node: SpecNode) -> TestInput.Content? {
    if let items = node.array { return .lines(items.map(\.lineText)) }
    guard node.object != nil else {
      problems.add(
        "wrong_type", at: node, "an input is \(node.kindText)",
        expected:
          "a list of records, { \"file\": \"day.jsonl.zst\" } or { \"shards\": { \"NAME\": [ ... ] } }"
      )
      return nil
    }
    guard object(node, "an input", ["file"]) else { return nil }
    guard let file = node.member("file")?.value, file.string != nil else {
      problems.add(
        "missing_key", at: node.opening, "an input that is an object names a file",
        fix: "{ \"file\": \"day.jsonl.zst\" }, from the folder of the test file")
      return nil
    }
    return .file(file)
  }

  // MARK: What is expected

  private mutating func expectation(_ node: SpecNode) -> TestExpectation? {
    guard object(node, "\"expect\"", TestExpectation.keys) else { return nil }
    var fields: [String]?
    if let list = node.member("fields")?.value, let items = self.list(list, "\"fields\"") {
      fields = items.compactMap { item in
        if item.string == nil {
          problems.add("wrong_type", at: item, "a field is \(item.kindText)", expected: "its name")
        }
        return item.string
      }
    }
    for key in ["records", "rows", "findings", "quarantine"] {
      guard let list = node.member(key)?.value else { continue }
      for item in self.list(list, "\"\(key)\"") ?? [] where item.object == nil {
        if item.string != nil, same(key, "records") { continue }
        problems.add(
          "wrong_type", at: item, "an entry of \"\(key)\" is \(item.kindText)",
          expected: same(key, "records") ? "an object, or a line as text" : "an object")
      }
    }
    if let files = node.member("files")?.value, object(files, "\"files\"", nil) {
      for file in files.object ?? [] {
        if case .bool = file.value.kind { continue }
        _ = list(file.value, "a file")
      }
    }
    if let codes = node.member("codes")?.value, object(codes, "\"codes\"", nil) {
      for code in codes.object ?? [] { count(code) }
    }
    if let ledger = node.member("ledger")?.value,
      object(ledger, "\"ledger\"", TestLedger.runKeys + ["stages"])
    {
      for member in ledger.object ?? [] where !same(member.key, "stages") { count(member) }
      if let stages = ledger.member("stages")?.value, object(stages, "\"stages\"", nil) {
        let keys = TestLedger.stageKeys + TestLedger.stageObjects
        for stage in stages.object ?? [] where object(stage.value, "a stage", keys) {
          for member in stage.value.object ?? [] {
            guard TestLedger.stageObjects.contains(where: { same($0, member.key) }) else {
              count(member)
              continue
            }
            if object(member.value, quoted(member.key), nil) {
              for entry in member.value.object ?? [] { count(entry) }
            }
          }
        }
      }
    }
    return TestExpectation(node: node, fields: fields)
  }

  private mutating func count(_ member: SpecMember) {
    if case .int(let value) = member.value.kind, value >= 0 { return }
    problems.add(
      "wrong_type", at: member.value, "\(shown(member.key)) is \(member.value.kindText)",
      expected: "a number of records")
  }

  // MARK: Pieces

  private mutating func object(_ node: SpecNode, _ what: String, _ keys: [String]?) -> Bool {
    guard let members = node.object else {
      problems.add("wrong_type", at: node, "\(what) is \(node.kindText)", expected: "an object")
      return false
    }
    guard let keys else { return true }
    for member in members where !keys.contains(where: { same($0, member.key) }) {
      if problems.countsOnly() { continue }
      problems.unknownKey(member, keys, of: what)
    }
    return true
  }

  private mutating func list(_ node: SpecNode, _ what: String) -> [SpecNode]? {
    if let items = node.array { return items }
    problems.add("wrong_type", at: node, "\(what) is \(node.kindText)", expected: "a list")
    return nil
  }

  private mutating func string(_ node: SpecNode, _ key: String, isRequired: Bool) -> String? {
    guard let value = node.member(key)?.value else {
      if isRequired {
        problems.add(
          "missing_key", at: node.opening, "a test has a \"\(key)\"",
          fix: "\"\(key)\": \"what it shows\"")
      }
      return nil
    }
    if let text = value.string, !text.utf8.isEmpty { return text }
    problems.add("wrong_type", at: value, "\"\(key)\" is \(value.kindText)", expected: "a text")
    return nil
  }
}

extension SpecNode {
  /// A value of a parameter, as it is given on the command line.
  var scalarText: String? {
    switch kind {
    case .string(let text): text
    case .bool(let value): value ? "true" : "false"
    case .int(let value): String(value)
    case .number(let value): canonicalNumber(value)
    default: nil
    }
  }

  /// The value as one line of JSON; a string is a line as it is.
  var lineText: [UInt8] {
    if case .string(let text) = kind { return Array(text.utf8) }
    return compactText
  }

  /// As it was written, without blanks.
  var compactText: [UInt8] {
    var out: [UInt8] = []
    var strings = JSONStringTracker()
    for byte in source.bytes[range]
    where strings.take(byte) || ![0x20, 0x09, 0x0A, 0x0D].contains(byte) { out.append(byte) }
    return out
  }
}
