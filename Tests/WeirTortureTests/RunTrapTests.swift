import Glibc
import Testing
import WeirData
import WeirTesting

/// Ways in which other pipelines lose or double records when a run is not the only one, or not the
/// first. The list of traps, and which test is for which, is in Tests/Torture/README.md.
@Suite(.enabled(if: FaultShim.isThere, "\(FaultShim.obstacle)"))
struct `The trap of runs` {
  private let scenario: Scenario

  init() throws { scenario = try Scenario.named("next") }

  /// dolma keeps the outputs that are there and starts with an empty filter: duplicates across the
  /// crash are not seen.
  @Test func `a crash between the swap of the outputs and the record of the run`() throws {
    let swap = try #require(
      scenario.points.firstIndex { $0.call == "rename" && $0.name.contains("-> \(Scenario.out) ") })
    for point in scenario.points[swap...].filter({ $0.changesTheDisk }) {
      let folder = try scenario.folder()
      defer { folder.remove() }
      let outcome = folder.weir(
        scenario.arguments, faults: Faults(point: point, action: .killAfter))
      #expect(outcome.signal == SIGKILL)
      #expect(scenario.version(in: folder).version == .new, "\(point.name)")
      #expect(scenario.recovered(folder) == [], "\(point.name)")
    }
  }

  /// dolma again: with the filter kept and the outputs gone every record is a duplicate.
  @Test(arguments: ["out", ".weir"])
  func `one of outputs and state is gone, the other is there`(gone: String) throws {
    let folder = try scenario.folder()
    defer { folder.remove() }
    #expect(folder.weir(scenario.arguments).exit == 0)
    removeAll(folder.path + "/" + gone)
    let outcome = folder.weir(scenario.arguments)
    #expect(outcome.json?["unchanged"] == .bool(gone == ".weir"))
    #expect(scenario.version(in: folder).version == .new)
    // With the workspace the books are gone.
    if gone == "out" { #expect(scenario.recovered(folder, outcome) == []) }
  }

  /// datatrove counts what the last attempt did only; Benthos reads all files again and doubles them.
  @Test func `totals and records after a run that was killed halfway`() throws {
    let written = scenario.points.filter { $0.call == "write" && $0.path.contains("part.jsonl") }
    let point = try #require(written.dropFirst(written.count / 2).first)
    let folder = try scenario.folder()
    defer { folder.remove() }
    let killed = folder.weir(
      scenario.arguments, faults: Faults(point: point, action: .killAfter))
    #expect(killed.signal == SIGKILL)
    let outcome = folder.weir(scenario.arguments)
    let truth = scenario.truth
    #expect(
      outcome.json?["records"]?.text
        == #"{"read":\#(truth.read),"written":\#(truth.written),"filtered":\#(truth.filtered),"deduplicated":\#(truth.deduplicated),"quarantined":\#(truth.quarantined)}"#
    )
    #expect(scenario.recovered(folder, outcome) == [])
    // The numbers of the report come from the same counts: its bytes are compared above.
    #expect(scenario.new["report.html"] != nil)
  }

  /// Data-Juicer could not go on where blocks were cut otherwise.
  @Test func `going on with other workers, batches and memory`() throws {
    let point = try #require(
      scenario.points.last { $0.call == "close" && $0.path.contains("part") })
    for arguments in [
      ["--workers", "1", "--batch-kib", "1"], ["--workers", "7", "--batch-kib", "4096"],
      ["--workers", "1", "--batch-kib", "4", "--memory", "\(Scenario.tightMemory)b"],
    ] {
      let folder = try scenario.folder()
      defer { folder.remove() }
      #expect(
        folder.weir(scenario.arguments, faults: Faults(point: point, action: .killAfter)).signal
          == SIGKILL)
      let outcome = folder.weir(["--keep", "1"] + arguments)
      #expect(scenario.recovered(folder, outcome) == [])
    }
  }

  /// SQLMesh doubles the rows of an interval that two runs fill at once.
  @Test func `the same pipeline started many times at once`() throws {
    let folder = try scenario.folder()
    defer { folder.remove() }
    let children = (0..<5).map { _ in folder.start(scenario.arguments) }
    let exits = children.map { $0.wait().exit }
    #expect(exits.contains(0) && exits.allSatisfy { $0 == 0 || $0 == 75 }, "\(exits)")
    #expect(scenario.version(in: folder).version == .new)
    #expect(scenario.recovered(folder) == [])
  }

  /// Beam YAML took a parameter called `project` for a flag of its engine.
  @Test(arguments: ["engine", "project", "out", "workspace", "param", "json", "workers", "help"])
  func `a parameter called as an option of the engine is`(name: String) throws {
    let folder = try CaseFolder()
    defer { folder.remove() }
    let spec = #"""
      { "name": "night",
        "params": { "\#(name)": { "type": "string" } },
        "sources": { "s": { "type": "jsonl", "paths": ["data/*"], "fields": { "id": "string" } } },
        "transforms": { "f": { "type": "filter", "inputs": ["s"],
                               "where": "id == params.\#(name)" } },
        "sinks": { "o": { "type": "jsonl", "inputs": ["f"], "path": "${param.\#(name)}.jsonl" } } }
      """#
    try writeFile(Array(spec.utf8), to: folder.path + "/p.json")
    try makeFolder(folder.path + "/data")
    try writeFile(
      SampleShard.text([#"{"id":"1"}"#, #"{"id":"it"}"#]), to: folder.path + "/data/a.jsonl")
    let outcome = folder.weir(["--param", "\(name)=it"])
    #expect(outcome.exit == 0, "\(outcome.errors)")
    #expect(try folder.outputs()?["it.jsonl"] == SampleShard.text([#"{"id":"it"}"#]))
    #expect(outcome.json?["params"]?[name] == "it")
  }

  /// Beam YAML lost the errors of a pipeline within a pipeline. Weir has no such thing; what comes
  /// nearest is a stage that is reached in two ways.
  @Test func `what a stage refuses that is reached in two ways`() throws {
    let folder = try CaseFolder()
    defer { folder.remove() }
    let spec = #"""
      { "name": "night",
        "sources": { "s": { "type": "jsonl", "paths": ["data/*"],
                            "fields": { "id": "string", "n": "int" } } },
        "transforms": {
          "left":  { "type": "filter", "inputs": ["s"], "where": "n > 0" },
          "right": { "type": "filter", "inputs": ["s"], "where": "n <= 0" },
          "both":  { "type": "filter", "inputs": ["left", "right"], "where": "100 / n > 0" } },
        "sinks": { "o": { "type": "jsonl", "inputs": ["both"], "path": "o.jsonl" } } }
      """#
    try writeFile(Array(spec.utf8), to: folder.path + "/p.json")
    try makeFolder(folder.path + "/data")
    try writeFile(
      SampleShard.text([0, 5, -5, 0].map { #"{"id":"x","n":\#($0)}"# }),
      to: folder.path + "/data/a.jsonl")
    let outcome = folder.weir([])
    #expect(outcome.exit == 0, "\(outcome.errors)")
    #expect(
      outcome.json?["records"]?.text
        == #"{"read":4,"written":1,"filtered":1,"deduplicated":0,"quarantined":2}"#)
    #expect(outcome.json?["quarantine"]?.text == #"{"expression_error":2}"#)
  }
}
