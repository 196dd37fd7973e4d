import Glibc
import Testing
import WeirData
import WeirEngine
import WeirTesting

@testable import WeirStages

/// What holds for every stage that Weir ships: a new one is covered by being in the list.
@Suite struct `Every stage` {
  private static let manuals = StageRegistry.standard.manuals
  private static var docs: String {
    repository + "/docs"
  }

  @Test func `has a manual without faults and an example that checks`() {
    #expect(StageRegistry.standard.faults() == [])
  }

  @Test func `has a name in small letters, its own in its section`() {
    var seen: Set<String> = []
    for manual in Self.manuals {
      #expect(manual.type.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x2D })
      #expect(seen.insert("\(manual.kind.section) \(manual.type)").inserted)
    }
  }

  @Test func `says what it is, what each option does and what each output carries`() {
    for manual in Self.manuals {
      #expect(manual.summary.hasSuffix("."), "\(manual.type)")
      #expect(!manual.summary.contains("\n"), "\(manual.type)")
      #expect(manual.discussion.utf8.count > 80, "\(manual.type)")
      for option in options(manual.options) {
        #expect(!option.summary.isEmpty, "\(manual.type).\(option.name)")
        #expect(
          option.name.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F },
          "\(manual.type).\(option.name)")
      }
      #expect(manual.outputs.allSatisfy { !$0.summary.isEmpty }, "\(manual.type)")
      #expect(manual.example.utf8.count < 1_500, "\(manual.type)")
    }
  }

  private func options(_ specs: [OptionSpec]) -> [OptionSpec] {
    specs + specs.flatMap { nested($0.type) }
  }

  private func nested(_ type: OptionType) -> [OptionSpec] {
    switch type {
    case .object(let specs): options(specs)
    case .list(let element), .map(let element): nested(element)
    case .anyOf(let types): types.flatMap(nested)
    default: []
    }
  }

  @Test(.enabled(if: access(docs, F_OK) == 0, "docs/ is not there yet"))
  func `has a page in docs that is not stale: weir stages --write docs`() throws {
    for page in Documentation.pages(.standard) {
      let path = Self.docs + "/" + page.path
      guard access(path, F_OK) == 0 else {
        Issue.record("\(path) is missing: write it with `weir stages --write docs`")
        continue
      }
      #expect(
        try readFile(path) == Array(page.text.utf8),
        "\(path) is stale: write it again with `weir stages --write docs`")
    }
  }

  // MARK: Workers

  /// A pipeline around the example of a stage that takes records: a source with its fields, and a
  /// record sink behind it where it hands on records.
  private static func spec(_ manual: StageManual) -> String {
    let example = JSONValue(parsing: manual.example)!
    guard case .object(var members) = example else { return "" }
    for i in members.indices where members[i].key == "inputs" { members[i].value = ["input"] }
    let stage = JSONValue.object(members).text
    let section = manual.kind.section == .transforms ? "transforms" : "sinks"
    var sinks = section == "sinks" ? #""it": \#(stage)"# : ""
    if section == "transforms" {
      sinks = manual.outputs.enumerated().map { i, port in
        let from = port.name.isEmpty ? "it" : "it.\(port.name)"
        return #""o\#(i)": { "type": "jsonl", "inputs": ["\#(from)"], "path": "o\#(i).jsonl" }"#
      }.joined(separator: ", ")
    }
    let transforms = section == "transforms" ? #""it": \#(stage)"# : ""
    return #"""
      { "name": "contract", "params": \#(manual.exampleParams),
        "sources": { "input": { "type": "jsonl", "paths": ["data/*.jsonl"], "allow_empty": true,
          "fields": \#(manual.exampleFields) } },
        "transforms": { \#(transforms) }, "sinks": { \#(sinks) } }
      """#
  }

  /// Stages whose example can be run on records alone.
  private static var runnable: [StageManual] {
    manuals.filter { $0.kind != .source && $0.accepts.contains(.records) }
  }

  /// Records that have a value of the declared type, or now and then none, in every field.
  private static func records(_ manual: StageManual, count: Int, seed: UInt64) -> [String] {
    var random = SeededRandom(seed: seed)
    guard case .object(let fields)? = JSONValue(parsing: manual.exampleFields) else { return [] }
    return (0..<count).map { _ in
      JSONValue.object(
        fields.compactMap { field in
          let type = field.value.string ?? "any"
          if random.oneIn(15) { return type.hasSuffix("?") ? nil : JSONMember(field.key, .null) }
          return JSONMember(field.key, value(type, &random))
        }
      ).text
    }
  }

  private static func value(_ type: String, _ random: inout SeededRandom) -> JSONValue {
    switch type.split(separator: "?").first {
    case "string":
      .text(random.pick(["DE", " fr", "hate-speech", "", "é\n", "violation", "\u{0}"]))
    case "int": .int(random.below(100) - 20)
    case "number": .number(Double(random.below(1_000)) / 8)
    case "bool": .bool(random.oneIn(2))
    case "timestamp": .text("2026-10-0\(1 + random.below(9))T0\(random.below(10)):00:00Z")
    default: random.oneIn(2) ? .int(1_790_000_000_000) : .text("2026-10-04T05:06:07.5Z")
    }
  }

  @Test func `that can run on records is run here`() {
    #expect(Self.runnable.count >= 3)
    for manual in Self.runnable {
      #expect(!Self.records(manual, count: 1, seed: 1).isEmpty, "\(manual.type)")
    }
  }

  @Test(arguments: runnable.map { "\($0.kind.section.singular) \($0.type)" })
  func `makes nothing of nothing`(title: String) async throws {
    let manual = try #require(Self.manual(title))
    for files in [[], [("data/a.jsonl", [UInt8]())], [("data/a.jsonl", Array("\n\n".utf8))]] {
      let outcome = try await PipelineRunner(
        Self.spec(manual), files: files + Self.files(manual)
      ).run()
      #expect(outcome.problems.sorted.filter { $0.severity == .error }.map(\.text) == [])
      #expect(outcome.error == nil, "\(outcome.error.map { "\($0)" } ?? "")")
      let ledger = try #require(outcome.result).ledger
      #expect(ledger.records.read == 0)
      #expect(ledger.stages.allSatisfy { $0.counts == StageCounts() })
      #expect(outcome.quarantine.isEmpty)
    }
  }

  @Test(arguments: runnable.map { "\($0.kind.section.singular) \($0.type)" })
  func `makes the same of the same, however it is cut`(title: String) async throws {
    let manual = try #require(Self.manual(title))
    let shards = (0..<3).map {
      ("data/\($0).jsonl", Self.records(manual, count: 150, seed: UInt64($0)))
    }
    var first: [String: [UInt8]]?
    for (workers, batchBytes) in [(1, 1 << 20), (2, 64), (4, 4_096)] {
      var runner = PipelineRunner(Self.spec(manual), shards: shards)
      runner.files += Self.files(manual)
      runner.workers = workers
      runner.batchBytes = batchBytes
      let outcome = try await runner.run()
      #expect(outcome.error == nil, "\(outcome.error.map { "\($0)" } ?? "")")
      #expect(outcome.result?.ledger.records.read == 450)
      if let first {
        #expect(outcome.everything == first, "\(workers) workers, batches of \(batchBytes)")
      } else {
        first = outcome.everything
      }
    }
  }

  /// The files that the example names.
  private static func files(_ manual: StageManual) -> [(path: String, bytes: [UInt8])] {
    manual.exampleFiles.map { ($0.name, Array($0.text.utf8)) }
  }

  private static func manual(_ title: String) -> StageManual? {
    manuals.first { "\($0.kind.section.singular) \($0.type)" == title }
  }
}
