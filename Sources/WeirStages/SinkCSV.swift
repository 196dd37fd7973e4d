import WeirData
import WeirEngine

/// Writes rows, findings or fields of records as CSV.
public struct CSVSink: SinkStage {
  public static let manual = StageManual(
    type: "csv", kind: .sink,
    summary: "Write rows, findings or fields of records as CSV, plain or zstd.",
    discussion: """
      The format is RFC 4180 in UTF-8 with a header: values with a comma, a quote, a line end or a \
      blank at either end are in double quotes. Null is nothing between two commas, the empty string \
      is `""` (and so is a null that is alone in its line). Numbers have the shortest form that reads back the same, times are RFC 3339 in UTC, \
      arrays and objects of rows and findings are JSON text. A path that ends in `.zst` is \
      compressed, in frames with a checksum each.

      `"for": "excel"` adds what Excel needs to read UTF-8 by a double click: a byte order mark and \
      CRLF.

      Text that a spreadsheet could take for a formula gets a `'` in front, and quotes: text that \
      starts with `=`, `+`, `-`, `@`, their full-width forms, a tab, CR, LF or NUL. Numbers are never \
      changed. Programs that read the file back see the `'`; where no spreadsheet will open it, \
      `"formula_guard": false` leaves it out.

      Records need `columns`. A record with an array or object in one of them is quarantined as \
      `not_scalar`. `{field}` in the path writes a file for each value, as in `jsonl`. Of rows and \
      findings `columns` picks some and orders them; findings otherwise have a column for each key, \
      in the order in which keys are met.
      """,
    accepts: [.records, .rows, .findings],
    options: [
      OptionSpec(
        "path", .pathTemplate, .required,
        "The file, below the output directory; with {fields} of the records if records are written."
      ),
      OptionSpec(
        "columns", .list(.fieldPath), .optional,
        "The fields or columns to write, in order; required for records."),
      OptionSpec("for", .choice(["standard", "excel"]), .default("\"standard\""), "Who reads it."),
      OptionSpec(
        "formula_guard", .bool, .default("true"),
        "Whether text that a spreadsheet could run as a formula gets a ' in front."),
      OptionSpec(
        "level", .int(1...19), .default("3"), "How hard zstd tries; higher is smaller and slower."),
      OptionSpec(
        "max_files", .int(1...1_000_000), .default("10000"),
        "More files than this are an error: the path has too many values."),
    ],
    example: """
      {"type": "csv", "inputs": ["unique"], "path": "decisions/{market}.csv",
       "columns": ["event_id", "ts", "market", "handle_ms"], "for": "excel"}
      """,
    exampleFields: """
      {"event_id": "string", "ts": "timestamp", "market": "string", "handle_ms": "int?"}
      """)

  private let path: OptionValue
  /// Empty: all there are.
  private let columns: [OptionValue]
  private let format: CSVFormat
  private let level: Int
  private let maxFiles: Int
  private let node: SpecNode

  public init?(_ options: Options, _ problems: inout Problems) {
    path = options.value("path")
    columns = options["columns"]?.list ?? []
    format = CSVFormat(
      isForExcel: options.string("for").utf8.elementsEqual("excel".utf8),
      guardsFormulas: options.bool("formula_guard"))
    level = options.int("level")
    maxFiles = options.int("max_files")
    node = options.node
    if let value = options["columns"], value.list.isEmpty {
      problems.add(
        "no_columns", at: value.node, "\"columns\" names nothing to write",
        fix: "name at least one, or take \"columns\" out to write all columns of rows")
      return nil
    }
    guard checkNames(&problems) else { return nil }
  }

  private func checkNames(_ problems: inout Problems) -> Bool {
    var seen: Set<FieldPath> = []
    var isRight = true
    for value in columns where !seen.insert(value.fieldPath).inserted {
      problems.add(
        "duplicate_column", at: value.node,
        "the column `\(value.fieldPath.text)` is named twice",
        fix: "take one of them out")
      isRight = false
    }
    return isRight
  }

  public var staticPath: String? {
    path.string.utf8.contains(UInt8(ascii: "{")) ? nil : path.string
  }

  // MARK: Records

  public func bindRecords(
    _ scope: Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundRecordSink)? {
    let template = PathTemplate(path.string, scope: scope, at: path.node, &problems)
    if columns.isEmpty {
      problems.add(
        "missing_columns", at: node,
        "records have no columns of their own: say which fields to write",
        fix: "add for example \"columns\": [\"\(scope.fields.first?.path.text ?? "event_id")\"]")
    }
    let fields = columns.compactMap {
      scope.require($0.fieldPath, at: $0.node, &problems)
    }
    guard let template, !columns.isEmpty, fields.count == columns.count else { return nil }
    return BoundCSVSink(
      template: template, path: path.string, fields: fields, format: format, level: level,
      maxFiles: maxFiles)
  }

  // MARK: Rows and findings

  public func checkResultPath(_ problems: inout Problems) {
    _ = PathTemplate(path.string, scope: nil, at: path.node, &problems)
  }

  public func write(_ input: StageOutput, _ facts: RunFacts) throws -> [OutputFile] {
    let table =
      switch input {
      case .rows(let table): table
      case .findings(let set): CSVSink.table(of: set.findings)
      }
    let places = try places(in: table, facts)
    var text = format.head(places.map { table.columns[$0] })
    for row in table.rows { format.appendLine(places.map { row[$0] }, to: &text) }
    let bytes = sinkEncoder(path: path.string, level: level)?.frame(text) ?? text
    return [OutputFile(path: path.string, bytes: bytes, rows: table.rows.count)]
  }

  /// Where the chosen columns stand in the table.
  private func places(in table: RowTable, _ facts: RunFacts) throws(RunError) -> [Int] {
    if columns.isEmpty { return Array(table.columns.indices) }
    var places: [Int] = []
    for value in columns {
      let name = value.fieldPath.text
      guard let place = table.columns.firstIndex(where: { $0.utf8.elementsEqual(name.utf8) }) else {
        throw RunError(
          code: "unknown_column", message: "`\(facts.input)` makes no column `\(name)`",
          fix: "write one of \(table.columns.joined(separator: ", "))")
      }
      places.append(place)
    }
    return places
  }

  /// Objects as rows, with a column for each key that one of them has.
  private static func table(of objects: [JSONValue]) -> RowTable {
    var names: [String] = []
    var places: [[UInt8]: Int] = [:]
    for case .object(let members) in objects {
      for member in members where places[Array(member.key.utf8)] == nil {
        places[Array(member.key.utf8)] = names.count
        names.append(member.key)
      }
    }
    var table = RowTable(columns: names)
    for case .object(let members) in objects {
      var row = [JSONValue](repeating: .null, count: names.count)
      for member in members { row[places[Array(member.key.utf8)]!] = member.value }
      table.rows.append(row)
    }
    return table
  }
}

private struct BoundCSVSink: BoundRecordSink {
  let template: PathTemplate
  let path: String
  let fields: [Scope.Field]
  let format: CSVFormat
  let level: Int
  let maxFiles: Int

  var columnsRead: [Int] { Set(template.columns + fields.map(\.column)).sorted() }

  var fileHead: [UInt8] {
    let head = format.head(fields.map(\.path.text))
    return sinkEncoder(path: path, level: level)?.frame(head) ?? head
  }

  var emptyFile: (path: String, bytes: [UInt8])? { template.fixedPath.map { ($0, fileHead) } }

  func makeWriter(_ scanner: any BatchScanner, beside sibling: (any RecordWriter)?)
    -> any RecordWriter
  {
    CSVRecordWriter(self, beside: sibling as? CSVRecordWriter)
  }
}

private final class CSVRecordWriter: RecordWriter {
  private let sink: BoundCSVSink
  private let buffers: PathBuffers
  private let hasFixedPath: Bool
  private var path: [UInt8] = []
  private var line: [UInt8] = []

  init(_ sink: BoundCSVSink, beside sibling: CSVRecordWriter?) {
    self.sink = sink
    buffers =
      sibling?.buffers ?? PathBuffers(encoder: sinkEncoder(path: sink.path, level: sink.level))
    let fixed = sink.template.fixedPath
    hasFixedPath = fixed != nil
    path = Array((fixed ?? "").utf8)
  }

  func add(
    _ batch: borrowing Batch, _ selection: Selection, _ refusals: inout [Refusal],
    _ emit: (SinkPiece) -> Void
  ) {
    for row in selection.rows {
      line.removeAll(keepingCapacity: true)
      if let field = writeLine(Int(row), of: batch) {
        refusals.append(
          Refusal(
            row: Int(row), of: batch, code: "not_scalar", field: field,
            message: "`\(field.text)` is an array or object, which a CSV column cannot hold"))
        continue
      }
      if !hasFixedPath {
        path.removeAll(keepingCapacity: true)
        sink.template.append(row: Int(row), of: batch, to: &path)
      }
      buffers.append(path: path, line: line, emit)
    }
  }

  /// The field that cannot be written, if there is one.
  private func writeLine(_ row: Int, of batch: borrowing Batch) -> FieldPath? {
    for (i, field) in sink.fields.enumerated() {
      if i > 0 { sink.format.appendComma(to: &line) }
      guard sink.format.append(batch.column(field.column)[row], to: &line) else {
        return field.path
      }
    }
    sink.format.endLine(from: 0, to: &line)
    return nil
  }

  func finish(_ emit: (SinkPiece) -> Void) { buffers.finish(emit) }
}
