import Testing
import WeirData
import WeirEngine
import WeirTesting

@testable import WeirStages

@Suite struct `The jsonl sink` {
  @Test func `leaves untouched records byte for byte as they came`() async throws {
    let records = [
      #"  { "id" : "\u0061\/b" , "big": 123456789012345678901234567890, "x":1.0e+0 }  "#,
      #"{"id":"é","id2":"e\u0301","nested":{"a":[1,{"b":null}]},"dup":1,"dup":2}"#,
      "\t{\"id\":\"\\ud83d\\ude00\"}",
    ]
    let spec = pipeline(fields: #"{"id": "string"}"#, sinks: jsonlSink("out", "s"))
    let outcome = try await run(spec, [("a.jsonl", records)])
    #expect(outcome.quarantine.isEmpty)
    let written = try outcome.records("out.jsonl")
    #expect(written.map { Array($0.utf8) } == records.map { Array($0.utf8) })
  }

  @Test func `drops the carriage return of a line end with it`() async throws {
    let spec = pipeline(fields: #"{"id": "string"}"#, sinks: jsonlSink("out", "s"))
    let text = SampleShard.text(
      [#"{"id":"a"}"#, #"{"id":"b"}"#], lineEnd: "\r\n", endsLastLine: false, byteOrderMark: true)
    let outcome = try await PipelineRunner(spec, files: [("data/a.jsonl", text)]).run()
    #expect(try outcome.records("out.jsonl") == [#"{"id":"a"}"#, #"{"id":"b"}"#])
  }

  @Test func `writes a file for each value of its path, in the order of the input`() async throws {
    let spec = pipeline(
      fields: #"{"m": "string?", "n": "int"}"#,
      sinks: jsonlSink("out", "s", path: "m={m}/part.jsonl.zst"))
    let outcome = try await run(
      spec,
      [
        ("a.jsonl", [#"{"m":"../x","n":1}"#, #"{"m":"","n":2}"#, #"{"m":"DE","n":3}"#]),
        ("b.jsonl", [#"{"n":4}"#, #"{"m":"DE","n":5}"#, #"{"m":"__null__","n":6}"#]),
      ])
    #expect(
      outcome.outputs.keys.sorted() == [
        "m=%5F_null__/part.jsonl.zst", "m=..%2Fx/part.jsonl.zst", "m=DE/part.jsonl.zst",
        "m=__empty__/part.jsonl.zst", "m=__null__/part.jsonl.zst", "manifest.json",
      ])
    #expect(
      try outcome.records("m=DE/part.jsonl.zst") == [#"{"m":"DE","n":3}"#, #"{"m":"DE","n":5}"#])
  }

  @Test func `makes its file even where no record came`() async throws {
    let spec = pipeline(
      fields: #"{"n": "int"}"#,
      transforms: #""f": { "type": "filter", "inputs": ["s"], "where": "n < 0" }"#,
      sinks: jsonlSink("plain", "f") + "," + jsonlSink("packed", "f", path: "packed.jsonl.zst"))
    let outcome = try await run(spec, [("a.jsonl", [#"{"n":1}"#])])
    #expect(outcome.outputs["plain.jsonl"] == [])
    #expect(try outcome.records("packed.jsonl.zst").isEmpty)
  }

  @Test func `refuses more files than it may make`() async throws {
    let spec = pipeline(
      fields: #"{"n": "int"}"#,
      sinks: #""o": { "type": "jsonl", "inputs": ["s"], "path": "{n}.jsonl", "max_files": 3 }"#)
    let outcome = try await run(spec, [("a.jsonl", (0..<4).map { #"{"n":\#($0)}"# })])
    #expect(outcome.code == "too_many_files" && outcome.outputs.isEmpty)
    let enough = try await run(spec, [("a.jsonl", (0..<9).map { #"{"n":\#($0 % 3)}"# })])
    #expect(enough.error == nil && enough.outputs.count == 4)
  }

  @Test func `refuses a file that another sink makes`() async throws {
    let spec = pipeline(
      fields: #"{"m": "string"}"#,
      sinks: jsonlSink("a", "s", path: "{m}.jsonl") + "," + jsonlSink("b", "s", path: "x.jsonl"))
    let outcome = try await run(spec, [("a.jsonl", [#"{"m":"x"}"#])])
    #expect(outcome.code == "sink_collision" && outcome.outputs.isEmpty)
  }

  @Test(arguments: ["manifest.json", "../x", "/tmp/x", "a/../../x", ""])
  func `refuses a path that is not its own before it runs`(path: String) async throws {
    let spec = pipeline(fields: #"{"m": "string"}"#, sinks: jsonlSink("a", "s", path: path))
    let outcome = try await run(spec, [("a.jsonl", [#"{"m":"x"}"#])])
    #expect(outcome.problems.hasErrors && outcome.error == nil && outcome.result == nil)
  }

  @Test(arguments: [("{m}.json", "%6Danifest.json"), ("{m}.json/x", "%6Danifest.json/x")])
  func `writes records whose value would take the place of the manifest`(
    path: String, written: String
  ) async throws {
    let spec = pipeline(fields: #"{"m": "string"}"#, sinks: jsonlSink("a", "s", path: path))
    let record = #"{"m":"manifest"}"#
    let outcome = try await run(spec, [("a.jsonl", [record])])
    #expect(try outcome.records(written) == [record])
    #expect(outcome.outputs.keys.sorted() == [written, "manifest.json"].sorted())
  }

  @Test func `refuses more files than it may make within one shard too`() throws {
    let buffers = PathBuffers(encoding: .plain, maxFiles: 2)
    func file(_ path: String) throws(TooManyFiles) -> Int {
      try Array(path.utf8).withUnsafeBufferPointer { path throws(TooManyFiles) in
        try buffers.file(path)
      }
    }
    #expect(try file("a") == 0 && file("b") == 1 && file("a") == 0)
    #expect(throws: TooManyFiles.self) { try file("c") }
  }

  @Test(arguments: [1, 2, 3])
  func `writes many files side by side, the same for any workers`(workers: Int) async throws {
    // More files than are open at once, each from every shard.
    let spec = pipeline(
      fields: #"{"m": "int", "n": "int"}"#, sinks: jsonlSink("a", "s", path: "{m}.jsonl"))
    let shards = (0..<5).map { shard in
      ("\(shard).jsonl", (0..<400).map { #"{"m":\#($0 % 130),"n":\#(shard * 1_000 + $0)}"# })
    }
    let outcome = try await run(spec, shards, workers: workers)
    #expect(outcome.outputs.count == 131)
    for m in [0, 7, 129] {
      #expect(
        try outcome.records("\(m).jsonl")
          == shards.flatMap(\.1).filter { $0.hasPrefix(#"{"m":\#(m),"#) })
    }
  }

  @Test func `looks as far back as it is told`() async throws {
    var random = SeededRandom(seed: 11)
    let block = (0..<3_000).map { _ in
      let noise = (0..<20).map { _ in String(random.next(), radix: 36) }.joined()
      return #"{"id":"\#(noise)"}"#
    }
    // The same lines again 1.2 MB later.
    let records = block + block.reversed() + block
    let zstd = jsonlSink("near", "s", path: "near.jsonl.zst")
    let long =
      #""far": { "type": "jsonl", "inputs": ["s"], "path": "far.jsonl.zst", "long": 23 }"#
    let spec = pipeline(fields: #"{"id": "string"}"#, sinks: zstd + "," + long)
    let outcome = try await run(spec, [("a.jsonl", records)])
    #expect(try outcome.records("far.jsonl.zst") == records)
    #expect(try outcome.records("near.jsonl.zst") == records)
    let (near, far) = (outcome.outputs["near.jsonl.zst"]!, outcome.outputs["far.jsonl.zst"]!)
    #expect(far.count * 3 < near.count * 2)
    // Frames that several workers make come out in their order.
    var wide = PipelineRunner(spec, shards: [("data/a.jsonl", records)])
    wide.workers = 3
    wide.wideShardBytes = 1
    #expect(try await wide.run().outputs == outcome.outputs)
    // Its own source reads it.
    let again = PipelineRunner(
      pipeline(fields: #"{"id": "string"}"#, sinks: jsonlSink("out", "s")),
      files: [("data/far.jsonl", far)])
    #expect(try await again.run().records("out.jsonl") == records)
  }

  @Test func `refuses to look far back in text that is not compressed`() async throws {
    for (path, long, code) in [
      ("x.jsonl", "20", "unused_option"), ("x.jsonl.zst", "28", "out_of_range"),
      ("x.jsonl.zst", "19", "out_of_range"),
    ] {
      let spec = pipeline(
        fields: #"{"id": "string"}"#,
        sinks:
          #""o": { "type": "jsonl", "inputs": ["s"], "path": "\#(path)", "long": \#(long) }"#)
      let outcome = try await run(spec, [("a.jsonl", [#"{"id":"a"}"#])])
      #expect(outcome.code == code, "\(long)")
    }
  }

  @Test func `names every file with its rows, bytes and hash in the manifest`() async throws {
    let spec = pipeline(
      fields: #"{"m": "string"}"#, sinks: jsonlSink("a", "s", path: "{m}.jsonl.zst"))
    let outcome = try await run(
      spec, [("a.jsonl", (0..<30).map { #"{"m":"\#($0 % 3)","n":\#($0)}"# })])
    let manifestText = try #require(outcome.outputs["manifest.json"])
    let manifest = try #require(JSONValue(parsing: manifestText))
    let files = try #require(manifest["files"]).elements
    #expect(files.map { $0["path"]?.string } == ["0.jsonl.zst", "1.jsonl.zst", "2.jsonl.zst"])
    for file in files {
      let bytes = try #require(outcome.outputs[file["path"]!.string!])
      #expect(file["bytes"]?.integer == bytes.count && file["rows"]?.integer == 10)
      #expect(file["sha256"]?.string == hexText(sha256(bytes)))
    }
  }

  // MARK: Splicing

  /// A map that takes fields and puts other values in their place.
  private struct Edit: MapStage {
    static let manual = StageManual(
      type: "edit", kind: .map, summary: "Edits.", accepts: [.records],
      outputs: [PortSpec(carries: .records, "The records.")], example: "{}")
    init?(_ options: Options, _ problems: inout Problems) {}

    func bind(
      _ scope: inout Scope, _ context: BindContext, _ problems: inout Problems
    ) -> (any BoundMap)? {
      let fields = scope.fields
      return Bound(
        edits: fields.map { ($0.column, scope.define($0.path, FieldType(.any, nullable: true))) })
    }

    struct Bound: BoundMap {
      let edits: [(from: Int, to: Int)]
      var columnsRead: [Int] { edits.map(\.from) }
      var filters: Bool { false }
      func makeWorker() -> any MapWorker { Worker(edits) }
    }

    final class Worker: MapWorker {
      let edits: [(from: Int, to: Int)]
      init(_ edits: [(from: Int, to: Int)]) { self.edits = edits }
      func apply(
        _ batch: inout Batch, _ selection: inout Selection, _ refusals: inout [Refusal]
      ) -> Int {
        for (from, to) in edits {
          for row in selection.rows.map(Int.init) {
            let cell = batch.column(from)[row]
            switch cell.kind {
            case .string:
              let text =
                Array(cell.stringBytes) == Array("keep".utf8)
                ? Array("keep".utf8) : Array("\"é\n".utf8)
              batch.column(to)[row] = text.withUnsafeBufferPointer {
                .string(batch.arena.store($0))
              }
            case .int: batch.column(to)[row] = .int(cell.intValue &+ 1)
            case .number: batch.column(to)[row] = .timestamp(microseconds: 1_500_000)
            case .bool: batch.column(to)[row] = .null
            default: batch.column(to)[row] = cell
            }
          }
        }
        return 0
      }
    }
  }

  @Test func `changes the edited values and nothing else`() async throws {
    let spec = pipeline(
      fields:
        #"{"s": "string?", "n": "int?", "a.b": "number?", "a.c": "bool?", "\"x.y\"": "int?"}"#,
      transforms: #""e": { "type": "edit", "inputs": ["s"] }"#, sinks: jsonlSink("out", "e"))
    var runner = PipelineRunner(
      spec,
      shards: [
        (
          "data/a.jsonl",
          [
            #" {"z" : [ "s" ], "s" : "a\tb" , "n": 9 } "#,
            #"{"a":{"c":true, "q":{"b":1}, "b" : 1.50},"x.y":0,"x":{"y":5}}"#,
            #"{"s":"ke\u0065p","n":-1,"other":"n"}"#, #"{"s":null,"a":null}"#, #"{}"#,
            #"{"\u0073":"esc","a":{"b":2},"a2":{"b":2}}"#,
          ]
        ), ("data/blank.jsonl", ["", " ", ""]), ("data/empty.jsonl", []),
      ])
    runner.registry = StageRegistry(StageRegistry.standard.types + [Edit.self])
    let outcome = try await runner.run()
    #expect(outcome.problems.sorted.map(\.text) == [])
    #expect(
      try outcome.records("out.jsonl") == [
        #" {"z" : [ "s" ], "s" : "\"é\n" , "n": 10 } "#,
        #"{"a":{"c":null, "q":{"b":1}, "b" : "1970-01-01T00:00:01.500Z"},"x.y":1,"x":{"y":5}}"#,
        #"{"s":"ke\u0065p","n":0,"other":"n"}"#, #"{"s":null,"a":null}"#, #"{}"#,
        #"{"\u0073":"\"é\n","a":{"b":"1970-01-01T00:00:01.500Z"},"a2":{"b":2}}"#,
      ])
  }
}

@Suite struct `A filter` {
  @Test func `keeps what is true, counts what is false, refuses what has no answer`() async throws {
    let spec = pipeline(
      fields: #"{"n": "int?", "m": "string?"}"#,
      transforms: #""f": { "type": "filter", "inputs": ["s"], "where": "n + 1 > 1 || m == 'x'" }"#,
      sinks: jsonlSink("out", "f"))
    let outcome = try await run(
      spec,
      [
        (
          "a.jsonl",
          [
            #"{"n":1}"#, #"{"n":0}"#, #"{"m":"y"}"#, #"{"m":"x"}"#,
            #"{"n":9223372036854775807,"m":"y"}"#,
          ]
        )
      ])
    #expect(try outcome.records("out.jsonl") == [#"{"n":1}"#, #"{"m":"x"}"#])
    #expect(outcome.quarantine.map { $0["line"]?.integer } == [3, 5])
    let records = try #require(outcome.result).ledger.records
    #expect(records.written == 2 && records.filtered == 1 && records.quarantined == 2)
  }

  @Test(arguments: [("true", 2, 0), ("1 > 2", 0, 2)])
  func `that never changes its mind`(condition: String, written: Int, filtered: Int) async throws {
    let spec = pipeline(
      fields: #"{"n": "int"}"#,
      transforms: #""f": { "type": "filter", "inputs": ["s"], "where": "\#(condition)" }"#,
      sinks: jsonlSink("out", "f"))
    let outcome = try await run(spec, [("a.jsonl", [#"{"n":1}"#, #"{"n":2}"#])])
    let records = try #require(outcome.result).ledger.records
    #expect(records.written == written && records.filtered == filtered)
  }
}
