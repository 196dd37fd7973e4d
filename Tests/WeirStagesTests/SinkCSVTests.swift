import Testing
import WeirData
import WeirTesting

@testable import WeirEngine
@testable import WeirStages

private func sink(_ options: String, fields: String) throws -> PlannedPipeline {
  var problems = Problems()
  let planned = PlannedPipeline(
    fields: fields, sink: #"{"type": "csv", "inputs": ["in"], \#(options)}"#, &problems)
  return try #require(planned, "\(problems.sorted.map(\.text))")
}

/// Files by path: head, then pieces.
private func write(
  _ planned: PlannedPipeline, _ lines: [String], batchBytes: Int = 1 << 20
) throws -> (files: [(path: String, bytes: [UInt8])], refusals: [Refusal]) {
  let writer = planned.recordSink.makeWriter(beside: nil)
  var refusals: [Refusal] = []
  var files: [String: [UInt8]] = [:]
  func take(_ piece: SinkPiece) {
    files[piece.path, default: planned.recordSink.fileHead] += piece.encoding.encode(
      Array(piece.text.view))
  }
  var failure: TooManyFiles?
  try planned.read(lines, batchBytes: batchBytes) { batch, selection in
    do throws(TooManyFiles) {
      try writer.add(batch, selection, &refusals, take)
    } catch {
      failure = error
    }
  }
  if let failure { throw failure }
  writer.finish(take)
  let ordered = files.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
  return (ordered.map { ($0.key, $0.value) }, refusals)
}

private func rowsFile(_ table: RowTable, _ options: String = "") throws -> OutputFile {
  try resultFile(.rows(table), options)
}

private func resultFile(_ output: StageOutput, _ options: String = "") throws -> OutputFile {
  var problems = Problems()
  let planned = try #require(
    PlannedPipeline(
      fields: #"{"a": "string"}"#,
      transform: #"{"type": "aggregate", "inputs": ["in"], "metrics": {"n": {"count": true}}}"#,
      sink: #"{"type": "csv", "inputs": ["stage"], \#(options) "path": "out.csv"}"#, &problems),
    "\(problems.sorted.map(\.text))")
  let stage = try #require(planned.stage("out") as? CSVSink)
  let facts = RunFacts(
    pipeline: "test", description: "", params: [], input: "stage", ledger: Ledger(),
    quarantine: QuarantineSummary(), uncheckedShards: 0, specHash: "", planHash: "", runKey: "",
    outputs: [])
  return try #require(try stage.write(output, facts).first)
}

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

@Suite struct SinkCSVTests {
  @Test func `writes each kind of value`() throws {
    let table = RowTable(
      columns: ["a", "b,c"],
      rows: [
        [.null, .text("")], [.bool(true), .int(-5)], [.number(0.1), .number(-3)],
        [.text("x,\"y\""), .text("line\nend")], [.text(" lead"), .text("trail ")],
        [.array([1, 2]), .object([JSONMember("k", .null)])], [.text("plain"), .text("naïve")],
      ])
    #expect(
      text(try rowsFile(table).bytes)
        == """
        a,"b,c"
        ,""
        true,-5
        0.1,-3
        "x,""y""\","line
        end"
        " lead","trail "
        "[1,2]","{""k"":null}"
        plain,naïve

        """.replacing("\\", with: ""))
  }

  @Test func `a null alone in its line is not an empty line`() throws {
    let table = RowTable(columns: ["a"], rows: [[.null], [.text("x")]])
    #expect(text(try rowsFile(table).bytes) == "a\n\"\"\nx\n")
  }

  @Test func `Excel gets a byte order mark and CRLF`() throws {
    let file = try rowsFile(RowTable(columns: ["a"], rows: [[.int(1)]]), #""for": "excel","#)
    #expect(file.bytes == [0xEF, 0xBB, 0xBF] + Array("a\r\n1\r\n".utf8))
    #expect(file.rows == 1)
  }

  @Test(arguments: ["=", "+", "-", "@", "\t", "\r", "\n", "\u{0}", "＝", "＋", "－", "＠"])
  func `text that could be a formula is made harmless`(_ start: String) throws {
    let table = RowTable(columns: ["a"], rows: [[.text(start + "1+1")], [.int(-1)]])
    #expect(Array(try rowsFile(table).bytes) == Array("a\n\"'\(start)1+1\"\n-1\n".utf8))
    let bare = text(try rowsFile(table, #""formula_guard": false,"#).bytes)
    #expect(!bare.utf8.contains(UInt8(ascii: "'")))
  }

  @Test func `picks and orders the columns of rows`() throws {
    let table = RowTable(columns: ["a", "b", "c"], rows: [[1, 2, 3]])
    #expect(text(try rowsFile(table, #""columns": ["c", "a"],"#).bytes) == "c,a\n3,1\n")
    let error = #expect(throws: RunError.self) { try rowsFile(table, #""columns": ["d"],"#) }
    #expect(error?.code == "unknown_column")
  }

  @Test func `findings have a column for each key`() throws {
    let findings: [JSONValue] = [["id": 1, "x": "a"], ["id": 2, "y": ["z": .number(1.5)]]]
    let file = try resultFile(.findings(FindingSet(findings: findings, levels: [])))
    #expect(text(file.bytes) == "id,x,y\n1,a,\n2,,\"{\"\"z\"\":1.5}\"\n")
  }

  @Test func `records are written by path, the same for any batches`() throws {
    let planned = try sink(
      #""path": "m={m}/part.csv", "columns": ["id", "t", "x.y"]"#,
      fields: #"{"id": "int", "m": "string?", "t": "timestamp?", "x.y": "any?"}"#)
    let lines = [
      #"{"id":1,"m":"DE","t":"2026-10-04T09:00:00+02:00","x":{"y":"=1"}}"#,
      #"{"id":2,"m":"a/b","t":null,"x":{"y":1.50}}"#, #"{"id":3,"x":{"y":false}}"#,
      #"{"id":4,"m":"DE","x":{"y":[1]}}"#, #"{"id":5,"m":"DE","x":null}"#,
    ]
    for batchBytes in [1, 1 << 20] {
      let (files, refusals) = try write(planned, lines, batchBytes: batchBytes)
      #expect(files.map(\.path) == ["m=DE/part.csv", "m=__null__/part.csv", "m=a%2Fb/part.csv"])
      #expect(
        files.map { text($0.bytes) } == [
          "id,t,x.y\n1,2026-10-04T07:00:00Z,\"'=1\"\n5,,\n", "id,t,x.y\n3,,false\n",
          "id,t,x.y\n2,,1.5\n",
        ])
      #expect(refusals.map(\.code) == ["not_scalar"])
      #expect(refusals.map(\.line) == [4])
    }
    #expect(planned.recordSink.emptyFile == nil)
  }

  @Test func `a fixed path has a file with a header where no record came`() throws {
    let planned = try sink(#""path": "r.csv", "columns": ["id"]"#, fields: #"{"id": "int"}"#)
    #expect(planned.recordSink.emptyFile?.path == "r.csv")
    #expect(planned.recordSink.emptyFile.map { text($0.bytes) } == "id\n")
    let packed = try sink(#""path": "r.csv.zst", "columns": ["id"]"#, fields: #"{"id": "int"}"#)
    #expect(packed.recordSink.emptyFile?.bytes == ZstdEncoder(level: 3).frame(Array("id\n".utf8)))
    let (files, _) = try write(packed, [#"{"id":7}"#])
    let encoder = ZstdEncoder(level: 3)
    #expect(
      files[0].bytes == encoder.frame(Array("id\n".utf8)) + encoder.frame(Array("7\n".utf8)))
  }

  @Test(arguments: [
    (#""path": "a.csv""#, "missing_columns"), (#""path": "a.csv", "columns": []"#, "no_columns"),
    (#""path": "a.csv", "columns": ["b"]"#, "unknown_field"),
    (#""path": "a.csv", "columns": ["a", "a"]"#, "duplicate_column"),
    (#""path": "../a.csv", "columns": ["a"]"#, "bad_path"),
  ])
  func `a mistake is said before the run`(_ options: String, _ code: String) {
    var problems = Problems()
    let planned = PlannedPipeline(
      fields: #"{"a": "string"}"#, sink: #"{"type": "csv", "inputs": ["in"], \#(options)}"#,
      &problems)
    #expect(planned == nil)
    #expect(problems.sorted.map(\.code) == [code])
  }
}
