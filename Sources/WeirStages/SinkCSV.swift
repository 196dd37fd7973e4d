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
      compressed, in frames with a checksum each: about 1 MiB of text, or as far as `long` looks.

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
      SinkPacking.level, SinkPacking.long,
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
      """,
    synonyms: ["table", "excel", "xlsx", "tsv", "spreadsheet"])

  /// Rows that become text together.
  private static let runRows = 1_024

  private let path: OptionValue
  /// Empty: all there are.
  private let columns: [OptionValue]
  private let format: CSVFormat
  private let encoding: PieceEncoding
  private let maxFiles: Int
  private let node: SpecNode

  public init?(_ options: Options, _ problems: inout Problems) {
    path = options.value("path")
    columns = options["columns"]?.list ?? []
    format = CSVFormat(
      isForExcel: options.string("for").utf8.elementsEqual("excel".utf8),
      guardsFormulas: options.bool("formula_guard"))
    encoding = SinkPacking.encoding(path.string, options, &problems)
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
      template: template, encoding: encoding, fields: fields, format: format, maxFiles: maxFiles)
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
    var head = TextBuffer()
    format.appendHead(places.map { table.columns[$0] }, to: &head)
    let (rows, format, runRows) = (table.rows, format, CSVSink.runRows)
    // Rows that are made when they are asked for are made where they are written.
    let runs = onAllProcessors((rows.count + runRows - 1) / runRows, piece: 1) { run -> [UInt8] in
      var text = TextBuffer()
      for place in (run * runRows)..<min(rows.count, (run + 1) * runRows) {
        format.appendLine(rows[place], places, to: &text)
      }
      return Array(text.view)
    }
    var text = Array(head.view)
    text.reserveCapacity(runs.reduce(text.count) { $0 + $1.count })
    for run in runs { text += run }
    return [
      OutputFile(
        path: path.string, bytes: encoding.encode(text), rows: rows.count,
        identity: table.identity?.cut(to: places.map { table.columns[$0] }))
    ]
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
  let encoding: PieceEncoding
  let fields: [Scope.Field]
  let format: CSVFormat
  let maxFiles: Int

  var columnsRead: [Int] { Set(template.columns + fields.map(\.column)).sorted() }

  var fileHead: [UInt8] {
    var head = TextBuffer()
    format.appendHead(fields.map(\.path.text), to: &head)
    return encoding.encode(Array(head.view))
  }

  var emptyFile: (path: String, bytes: [UInt8])? { template.fixedPath.map { ($0, fileHead) } }

  var needsPlaces: Bool { false }

  func makeWriter(beside sibling: (any RecordWriter)?) -> any RecordWriter {
    CSVRecordWriter(self, beside: sibling as? CSVRecordWriter)
  }
}

private final class CSVRecordWriter: RecordWriter {
  private let format: CSVFormat
  private let fields: [Scope.Field]
  private let buffers: PathBuffers
  private let files: RowFiles
  private let cells: UnsafeMutableBufferPointer<UnsafeMutablePointer<Cell>>
  private let line: UnsafeMutablePointer<TextBuffer>

  init(_ sink: BoundCSVSink, beside sibling: CSVRecordWriter?) {
    format = sink.format
    fields = sink.fields
    buffers =
      sibling?.buffers ?? PathBuffers(encoding: sink.encoding, maxFiles: sink.maxFiles)
    files = RowFiles(sink.template, buffers)
    cells = .allocate(capacity: sink.fields.count)
    line = .allocate(capacity: 1)
    line.initialize(to: TextBuffer())
  }

  deinit {
    cells.deallocate()
    line.deinitialize(count: 1)
    line.deallocate()
  }

  func add(
    _ batch: borrowing Batch, _ selection: Selection, _ refusals: inout [Refusal],
    _ emit: (SinkPiece) -> Void
  ) throws(TooManyFiles) {
    files.begin(batch)
    for (i, field) in fields.enumerated() {
      (cells.baseAddress! + i).initialize(to: batch.column(field.column))
    }
    for row in selection.rows {
      let row = Int(row)
      line.pointee.clear()
      if let field = writeLine(row) {
        let path = fields[field].path
        refusals.append(
          Refusal(
            row: row, of: batch, code: "not_scalar", field: path,
            message: "`\(path.text)` is an array or object, which a CSV column cannot hold"))
        continue
      }
      let file = try files.file(of: row, batch)
      buffers.append(file, line.pointee.base, line.pointee.count, rows: 1, emit)
    }
  }

  /// The number of the field that cannot be written, if there is one.
  private func writeLine(_ row: Int) -> Int? {
    for i in cells.indices {
      if i > 0 { format.appendComma(to: &line.pointee) }
      guard format.append(cells[i][row], to: &line.pointee) else { return i }
    }
    format.endLine(from: 0, to: &line.pointee)
    return nil
  }

  func finish(_ emit: (SinkPiece) -> Void) { buffers.finish(emit) }
}
