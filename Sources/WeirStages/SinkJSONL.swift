import WeirData
import WeirEngine

/// Writes records, rows or findings as JSONL.
public struct JSONLSink: SinkStage {
  public static let manual = StageManual(
    type: "jsonl", kind: .sink,
    summary: "Write records, rows or findings as JSONL, plain or zstd.",
    discussion: """
      A path that ends in `.zst` is compressed, in frames with a checksum each: about 1 MiB of text, or \
      as far as `long` looks. Frames are what several workers read at the same time.

      Records leave as they came, byte for byte, with only the values changed that a stage edited; \
      a timestamp that was normalized is written as `...Z`. Their order is that of the input: shards \
      by name, then lines. `{field}` in the path writes a file for each value, percent-encoded \
      outside `[A-Za-z0-9._-]`, `__null__` where there is none; `{ts:%Y-%m-%d}` takes the day of a \
      timestamp in UTC. A value that would take the place of `manifest.json` is encoded too. Fields that come from the path of a shard are not part of the record.

      Rows and findings are one object a line, with the columns in order.
      """,
    accepts: [.records, .rows, .findings], fanIn: true,
    options: [
      OptionSpec(
        "path", .pathTemplate, .required,
        "The file, below the output directory; with {fields} of the records if records are written."
      ),
      SinkPacking.level, SinkPacking.long,
      OptionSpec(
        "max_files", .int(1...1_000_000), .default("10000"),
        "More files than this are an error: the path has too many values."),
    ],
    example: """
      {"type": "jsonl", "inputs": ["unique"], "path": "decisions/market={market}/part.jsonl.zst"}
      """,
    exampleFields: #"{"market": "string"}"#,
    synonyms: ["json", "ndjson", "jsonlines", "file", "write", "output", "parquet"])

  private let path: OptionValue
  private let encoding: PieceEncoding
  private let maxFiles: Int

  public init?(_ options: Options, _ problems: inout Problems) {
    path = options.value("path")
    encoding = SinkPacking.encoding(path.string, options, &problems)
    maxFiles = options.int("max_files")
  }

  public var staticPath: String? {
    path.string.utf8.contains(UInt8(ascii: "{")) ? nil : path.string
  }

  public func bindRecords(
    _ scope: Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundRecordSink)? {
    PathTemplate(path.string, scope: scope, at: path.node, &problems).map {
      BoundJSONLSink(template: $0, encoding: encoding, scope: scope, maxFiles: maxFiles)
    }
  }

  public func checkResultPath(_ problems: inout Problems) {
    _ = PathTemplate(path.string, scope: nil, at: path.node, &problems)
  }

  public func write(_ input: StageOutput, _ facts: RunFacts) throws -> [OutputFile] {
    var text: [UInt8] = []
    var file = OutputFile(path: path.string, bytes: [], rows: 0)
    switch input {
    case .findings(let set):
      file.rows = set.findings.count
      for finding in set.findings { appendLine(finding, to: &text) }
    case .rows(let table):
      file.rows = table.rows.count
      file.identity = table.identity
      for row in table.rows {
        appendLine(.object(zip(table.columns, row).map { JSONMember($0, $1) }), to: &text)
      }
    }
    file.bytes = encoding.encode(text)
    return [file]
  }

  private func appendLine(_ value: JSONValue, to out: inout [UInt8]) {
    value.write(to: &out)
    out.append(0x0A)
  }
}

struct BoundJSONLSink: BoundRecordSink {
  let template: PathTemplate
  let encoding: PieceEncoding
  let scope: Scope
  let maxFiles: Int

  var columnsRead: [Int] { template.columns + RecordSplicer.columnsRead(scope) }
  var fileHead: [UInt8] { [] }
  var emptyFile: (path: String, bytes: [UInt8])? {
    template.fixedPath.map { ($0, encoding.encode([])) }
  }

  var needsPlaces: Bool { RecordSplicer.needsPlaces(scope) }

  func makeWriter(beside sibling: (any RecordWriter)?) -> any RecordWriter {
    JSONLRecordWriter(self, beside: sibling as? JSONLRecordWriter)
  }
}

/// Splices the records of one shard into its files.
final class JSONLRecordWriter: RecordWriter {
  private let buffers: PathBuffers
  private let files: RowFiles
  private let splicer: RecordSplicer

  /// - Parameter buffers: other than those of the sink only in tests.
  init(
    _ sink: BoundJSONLSink, beside sibling: JSONLRecordWriter?, buffers: PathBuffers? = nil
  ) {
    self.buffers =
      buffers ?? sibling?.buffers
      ?? PathBuffers(encoding: sink.encoding, maxFiles: sink.maxFiles)
    files = RowFiles(sink.template, self.buffers)
    splicer = RecordSplicer(sink.scope)
  }

  /// Lines of the batch that lie behind each other and go to one file as they are.
  private struct Run {
    var file = 0
    /// Bytes of the batch's text.
    var start = 0
    var end = 0
    var rows = 0
    /// How long it may become.
    var room = (whole: 0, before: 0)
  }

  func add(
    _ batch: borrowing Batch, _ selection: Selection, _ refusals: inout [Refusal],
    _ emit: (SinkPiece) -> Void
  ) throws(TooManyFiles) {
    guard !selection.isEmpty else { return }
    files.begin(batch)
    splicer.begin(batch)
    let text = batch.bytes.base
    let textBytes = batch.bytes.count
    let lines = batch.lines
    var run = Run()
    for row in selection.rows {
      let row = Int(row)
      let start = Int(lines[row].start)
      let length = Int(lines[row].length)
      let end = start &+ length
      let file = try files.file(of: row, batch)
      let changes = splicer.findChanges(of: row, in: text + start, length)
      if changes.count == 0, end < textBytes, text[end] == 0x0A {
        let bytes = run.end &- run.start
        if start == run.end, file == run.file, run.rows > 0, bytes <= run.room.before,
          bytes &+ length < run.room.whole
        {
          run.end = end &+ 1
          run.rows &+= 1
        } else {
          write(run, text, emit)
          run = Run(file: file, start: start, end: end &+ 1, rows: 1, room: buffers.room(file))
        }
        continue
      }
      write(run, text, emit)
      run.rows = 0
      let bytes = length &+ changes.growth &+ 1
      let to = buffers.open(file, bytes, emit)
      splicer.write(text + start, length, changes: changes.count, to: to)
      to[bytes &- 1] = 0x0A
      buffers.close(file, bytes, rows: 1, emit)
    }
    write(run, text, emit)
  }

  @inline(__always)
  private func write(
    _ run: Run, _ text: UnsafeMutablePointer<UInt8>, _ emit: (SinkPiece) -> Void
  ) {
    guard run.rows > 0 else { return }
    buffers.append(run.file, text + run.start, run.end &- run.start, rows: run.rows, emit)
  }

  func finish(_ emit: (SinkPiece) -> Void) { buffers.finish(emit) }
}
