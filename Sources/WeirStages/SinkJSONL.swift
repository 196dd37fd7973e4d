import WeirData
import WeirEngine

/// Writes records, rows or findings as JSONL.
public struct JSONLSink: SinkStage {
  public static let manual = StageManual(
    type: "jsonl", kind: .sink,
    summary: "Write records, rows or findings as JSONL, plain or zstd.",
    discussion: """
      A path that ends in `.zst` is compressed, in frames with a checksum each.

      Records leave as they came, byte for byte, with only the values changed that a stage edited; \
      a timestamp that was normalized is written as `...Z`. Their order is that of the input: shards \
      by name, then lines. `{field}` in the path writes a file for each value, percent-encoded \
      outside `[A-Za-z0-9._-]`, `__null__` where there is none; `{ts:%Y-%m-%d}` takes the day of a \
      timestamp in UTC. Fields that come from the path of a shard are not part of the record.

      Rows and findings are one object a line, with the columns in order.
      """,
    accepts: [.records, .rows, .findings], fanIn: true,
    options: [
      OptionSpec(
        "path", .pathTemplate, .required,
        "The file, below the output directory; with {fields} of the records if records are written."
      ),
      OptionSpec(
        "level", .int(1...19), .default("3"), "How hard zstd tries; higher is smaller and slower."),
      OptionSpec(
        "max_files", .int(1...1_000_000), .default("10000"),
        "More files than this are an error: the path has too many values."),
    ],
    example: """
      {"type": "jsonl", "inputs": ["unique"], "path": "decisions/market={market}/part.jsonl.zst"}
      """,
    exampleFields: #"{"market": "string"}"#)

  private let path: OptionValue
  private let level: Int
  private let maxFiles: Int

  public init?(_ options: Options, _ problems: inout Problems) {
    path = options.value("path")
    level = options.int("level")
    maxFiles = options.int("max_files")
  }

  public var staticPath: String? {
    path.string.utf8.contains(UInt8(ascii: "{")) ? nil : path.string
  }

  public func bindRecords(
    _ scope: Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundRecordSink)? {
    PathTemplate(path.string, scope: scope, at: path.node, &problems).map {
      BoundJSONLSink(
        template: $0, path: path.string, scope: scope, level: level, maxFiles: maxFiles)
    }
  }

  public func checkResultPath(_ problems: inout Problems) {
    _ = PathTemplate(path.string, scope: nil, at: path.node, &problems)
  }

  public func write(_ input: StageOutput, _ facts: RunFacts) throws -> [OutputFile] {
    var text: [UInt8] = []
    let rows: Int
    switch input {
    case .findings(let set):
      rows = set.findings.count
      for finding in set.findings { appendLine(finding, to: &text) }
    case .rows(let table):
      rows = table.rows.count
      for row in table.rows {
        appendLine(.object(zip(table.columns, row).map { JSONMember($0, $1) }), to: &text)
      }
    }
    let bytes = sinkEncoder(path: path.string, level: level)?.frame(text) ?? text
    return [OutputFile(path: path.string, bytes: bytes, rows: rows)]
  }

  private func appendLine(_ value: JSONValue, to out: inout [UInt8]) {
    value.write(to: &out)
    out.append(0x0A)
  }
}

private struct BoundJSONLSink: BoundRecordSink {
  let template: PathTemplate
  let path: String
  let scope: Scope
  let level: Int
  let maxFiles: Int

  var columnsRead: [Int] { template.columns + RecordSplicer.columnsRead(scope) }
  var fileHead: [UInt8] { [] }
  var emptyFile: (path: String, bytes: [UInt8])? {
    template.fixedPath.map { ($0, sinkEncoder(path: path, level: level)?.frame([]) ?? []) }
  }

  func makeWriter(_ scanner: any BatchScanner, beside sibling: (any RecordWriter)?)
    -> any RecordWriter
  {
    JSONLRecordWriter(self, scanner, beside: sibling as? JSONLRecordWriter)
  }
}

private final class JSONLRecordWriter: RecordWriter {
  private let template: PathTemplate
  private let scanner: any BatchScanner
  private let buffers: PathBuffers
  private var splicer: RecordSplicer
  private var path: [UInt8] = []
  private var line: [UInt8] = []

  init(
    _ sink: BoundJSONLSink, _ scanner: any BatchScanner, beside sibling: JSONLRecordWriter?
  ) {
    template = sink.template
    self.scanner = scanner
    buffers =
      sibling?.buffers ?? PathBuffers(encoder: sinkEncoder(path: sink.path, level: sink.level))
    splicer = RecordSplicer(scope: sink.scope)
    if let fixed = template.fixedPath { path = Array(fixed.utf8) }
  }

  func add(
    _ batch: borrowing Batch, _ selection: Selection, _ refusals: inout [Refusal],
    _ emit: (SinkPiece) -> Void
  ) {
    let isFixed = template.columns.isEmpty
    for row in selection.rows {
      if !isFixed {
        path.removeAll(keepingCapacity: true)
        template.append(row: Int(row), of: batch, to: &path)
      }
      line.removeAll(keepingCapacity: true)
      splicer.append(Int(row), of: batch, using: scanner, to: &line)
      line.append(0x0A)
      buffers.append(path: path, line: line, emit)
    }
  }

  func finish(_ emit: (SinkPiece) -> Void) { buffers.finish(emit) }
}
