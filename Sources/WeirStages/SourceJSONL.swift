import WeirData
import WeirEngine

/// Reads JSONL shards: plain, gzip or zstd.
public struct JSONLSource: SourceStage {
  public static let manual = StageManual(
    type: "jsonl", kind: .source,
    summary: "Read records from JSONL shards: plain, .gz or .zst.",
    discussion: """
      Each line is one JSON object. Every line is validated in full (RFC 8259, UTF-8); one that is \
      not a record that the pipeline can use goes to the quarantine with its shard, line, byte offset \
      and the reason, and the run goes on. A shard that is truncated or damaged fails the run: no \
      output is made from half of the input. With `"on_bad_shard": "quarantine"` it is set aside whole \
      instead: no record of it counts as read, and the result, the ledger and the report name it. \
      `"error_budget": {"shards": 2}` says how many may be. A shard that changes while it is read, and \
      a file system that does not answer, always fail the run, and so does a source of which no shard \
      is left.

      The format is seen by the first bytes of a shard, not by its name: frames one behind another, \
      skippable frames and several gzip members are read. The shards of all globs are read in the \
      order of their names (as bytes, below the literal part of the glob).

      A directory `key=value` in a glob becomes a field: with `date=*/*.jsonl.zst` each record has a \
      field `date`. It is a string unless "fields" declares another type, and hides a field of the \
      same name in the record.

      A field that is declared without `?` must be in every record with that type; a record without \
      it is quarantined as `missing_field` or `wrong_type`. Fields that are not declared are carried \
      along untouched.
      """,
    outputs: [PortSpec(carries: .records, "The records.")],
    options: [
      OptionSpec(
        "paths", .list(.pathGlob), .required,
        "Globs of the shards, from the folder of the spec: `*`, `?`, `[a-z]`, `**` for any folders."
      ),
      OptionSpec(
        "fields", .map(.fieldType), .required,
        "The fields that the pipeline uses, with their types: string, int, number, bool, timestamp, any; with ? where null or absent is allowed."
      ),
      OptionSpec(
        "allow_empty", .bool, .default("false"),
        "Whether it is fine that no shard matches; else that is an error."),
      OptionSpec(
        "on_bad_shard", .choice(["fail", "quarantine"]), .default("\"fail\""),
        "What becomes of a shard that is truncated, damaged, no JSONL file or not readable: it fails the run, or is set aside whole."
      ),
      OptionSpec(
        "record_bytes_max", .size, .default("\"8MiB\""),
        "The longest line that is taken as a record; longer ones are quarantined. At most 15MiB."),
      OptionSpec(
        "window_bytes_max", .size, .default("\"128MiB\""),
        "The largest window that a zstd frame may ask for: it is memory that each worker needs."),
    ],
    example: """
      {"type": "jsonl", "paths": ["data/date=*/*.jsonl.zst"],
       "fields": {"event_id": "string", "market": "string", "handle_ms": "int?"}}
      """,
    synonyms: [
      "json", "ndjson", "jsonlines", "file", "files", "zstd", "s3", "read", "input", "logs",
    ])

  public static let findingOptions = ["paths", "allow_empty"]

  private let globs: [Glob]
  private let fields: [PlannedField]
  private let pathKeys: [String]
  private let allowsEmpty: Bool
  private let setsBadShardsAside: Bool
  private let limits: ShardLimits
  private let fieldsNode: SpecNode

  public init?(_ options: Options, _ problems: inout Problems) {
    let before = problems.errorCount
    globs = options.list("paths").compactMap { value in
      let glob = Glob(value.string)
      if glob == nil {
        problems.add(
          "bad_glob", at: value.node, "\(value.string) is not a path with wildcards",
          fix: "write for example \"data/date=*/*.jsonl.zst\"")
      }
      return glob
    }
    if globs.isEmpty, options.list("paths").isEmpty {
      problems.add(
        "no_paths", at: options.node("paths"), "\"paths\" is empty",
        fix: "name at least one shard or glob")
    }
    var fields: [PlannedField] = []
    for entry in options.map("fields") {
      guard let path = FieldPath(text: entry.key) else {
        problems.add(
          "bad_field_path", at: entry.keyNode, "`\(entry.key)` is not a field path",
          expected: "names with dots between, such as model.score",
          fix: "quote a name that has a dot in it: \"model.\\\"v1.2\\\"\"")
        continue
      }
      if fields.contains(where: { $0.path == path }) {
        problems.add(
          "duplicate_field", at: entry.keyNode, "`\(path.text)` is declared twice",
          fix: "keep one of the two")
        continue
      }
      fields.append(PlannedField(path: path, type: entry.value.fieldType))
    }
    if fields.isEmpty, problems.errorCount == before {
      problems.add(
        "no_fields", at: options.node("fields"), "\"fields\" is empty",
        fix: "declare the fields that the stages use, for example \"market\": \"string\"")
    }
    self.fields = fields
    fieldsNode = options.node("fields")
    var keys: [String] = []
    for key in globs.flatMap(\.keys) where !keys.contains(key) { keys.append(key) }
    pathKeys = keys
    allowsEmpty = options.bool("allow_empty")
    setsBadShardsAside = options.string("on_bad_shard").utf8.elementsEqual("quarantine".utf8)
    var limits = ShardLimits()
    limits.recordBytesMax = options.int("record_bytes_max")
    if !(1...(15 << 20)).contains(limits.recordBytesMax) {
      problems.add(
        "out_of_range", at: options.node("record_bytes_max"),
        "\"record_bytes_max\" is \(groupedDigits(limits.recordBytesMax.magnitude)) bytes",
        expected: "1 byte to 15MiB",
        fix: limits.recordBytesMax > 0 ? "\"15MiB\"" : "\"8MiB\"")
    }
    let window = options.int("window_bytes_max")
    let log = max(10, Int.bitWidth - 1 - max(1, window).leadingZeroBitCount)
    if log > 31 {
      problems.add(
        "out_of_range", at: options.node("window_bytes_max"), "\"window_bytes_max\" is too large",
        expected: "up to 2GiB")
    }
    limits.windowLogMax = min(31, log)
    self.limits = limits
    guard problems.errorCount == before else { return nil }
  }

  public func bind(_ context: BindContext, _ problems: inout Problems) -> (any BoundSource)? {
    var scope = Scope()
    var inRecord: [PlannedField] = []
    var inPath: [(key: String, type: FieldType)] = []
    for field in fields {
      if pathKeys.contains(field.path.text) {
        inPath.append((field.path.text, field.type))
      } else {
        inRecord.append(field)
        scope.addSource(field.path, field.type, inRecord: true)
      }
    }
    for key in pathKeys where !inPath.contains(where: { $0.key == key }) {
      inPath.append((key, FieldType(.string)))
    }
    for (key, type) in inPath {
      if ![.string, .int].contains(type.base) {
        problems.add(
          "bad_path_field", at: fieldsNode,
          "`\(key)` comes from the path of the shard and cannot be \(type.text)",
          expected: "string or int", fix: "declare \"\(key)\": \"string\" and normalize it")
      }
      scope.addSource(FieldPath(components: [Array(key.utf8)]), type, inRecord: false)
    }
    return BoundJSONL(
      name: context.stageName, scope: scope,
      globs: globs.map { $0.below(context.resolve("")) }, fields: inRecord, pathFields: inPath,
      allowsEmpty: allowsEmpty, setsBadShardsAside: setsBadShardsAside, limits: limits)
  }
}

private struct BoundJSONL: BoundSource {
  let name: String
  let scope: Scope
  let globs: [Glob]
  let fields: [PlannedField]
  let pathFields: [(key: String, type: FieldType)]
  let allowsEmpty: Bool
  let setsBadShardsAside: Bool
  let limits: ShardLimits

  func findShards() throws -> [Shard] {
    var shards: [Shard] = []
    // By bytes: Swift takes two spellings of `é` for one path, the disk does not.
    var seen: Set<[UInt8]> = []
    let findsTwice = globs.count > 1 || globs.contains(where: \.findsTwice)
    for glob in globs {
      var folder = (number: -1, values: [[UInt8]?]())
      for match in try glob.matches() {
        if findsTwice, !seen.insert(Array(match.path.utf8)).inserted { continue }
        if folder.number != match.folder {
          folder = (match.folder, pathFields.map { match.value(of: $0.key) })
        }
        let values = folder.values
        for (field, value) in zip(pathFields, values) where field.type.base == .int {
          guard let value, Int64(String(decoding: value, as: UTF8.self)) == nil else { continue }
          throw RunError(
            code: "bad_path_value",
            message: "\(match.path): `\(field.key)` is not an integer",
            fix: "declare \"\(field.key)\": \"string\", or rename that folder")
        }
        shards.append(
          Shard(path: match.path, name: match.name, size: match.size, pathValues: values))
      }
    }
    guard !shards.isEmpty || allowsEmpty else {
      throw RunError(
        code: "no_files",
        message: "`\(name)`: 0 files match \(globs.map(\.text).joined(separator: ", "))",
        fix: "correct \"paths\", or say \"allow_empty\": true where that can be right")
    }
    return shards.sorted { a, b in
      if a.name != b.name { return a.name.lexicographicallyPrecedes(b.name) }
      return a.path.utf8.lexicographicallyPrecedes(b.path.utf8)
    }
  }

  func makeScanner() -> any BatchScanner { JSONLScanner(self) }
}

private final class JSONLScanner: BatchScanner, @unchecked Sendable {
  private let source: BoundJSONL
  private let scanner: RecordScanner
  /// The values that stood in paths, and the space of their codes.
  private let pathStrings = ByteDictionary()
  private let pathSpace = ColumnCodes.makeSpace()
  private static let mostPathStrings = 4095

  init(_ source: BoundJSONL) {
    self.source = source
    scanner = RecordScanner(fields: source.fields)
  }

  var keepsPlaces: Bool {
    get { scanner.keepsPlaces }
    set { scanner.keepsPlaces = newValue }
  }

  func scan(_ block: consuming LineBlock, of shard: Shard) -> ScannedBatch {
    let blank = block.blank
    let oversized = block.oversized
    var batch = Batch(block, columnCount: source.scope.columnCount)
    var lineRefusals: [LineRefusal] = []
    let selection = scanner.scan(&batch, refusals: &lineRefusals)
    fillPathFields(&batch, shard)
    var refusals: [Refusal] = []
    for refusal in lineRefusals {
      refusals.append(
        Refusal(
          row: refusal.row, of: batch, code: refusal.code.rawValue,
          field: refusal.field.map { source.fields[$0].path }, message: refusal.message))
    }
    for line in oversized { refusals.append(tooLong(line)) }
    return ScannedBatch(batch: batch, selection: selection, refusals: refusals, blank: blank)
  }

  private func tooLong(_ line: OversizedLine) -> Refusal {
    Refusal(
      line: line.number, byteOffset: line.byteOffset, code: RefusalCode.recordTooLong.rawValue,
      message:
        "the line has \(line.length) bytes, \"record_bytes_max\" is \(source.limits.recordBytesMax)",
      raw: line.head,
      cut: line.length > line.head.count ? (line.length, line.sha256) : nil)
  }

  /// Every record of the shard has the values of its path.
  private func fillPathFields(_ batch: inout Batch, _ shard: Shard) {
    for (i, field) in source.pathFields.enumerated() {
      guard let value = shard.pathValues[i] else { continue }
      let column = source.fields.count + i
      let cell: Cell
      if field.type.base == .int {
        cell = Int64(String(decoding: value, as: UTF8.self)).map { .int($0) } ?? .missing
      } else {
        cell = value.withUnsafeBufferPointer { pathString($0, &batch) }
      }
      if cell.code > 0 {
        let codes = ColumnCodes(space: pathSpace, largest: UInt16(pathStrings.count))
        batch.setCodes(codes, ofColumn: column)
      }
      batch.column(column).update(repeating: cell, count: batch.rowCount)
    }
  }

  /// The same bytes from shard to shard, so that stages work once for each value.
  private func pathString(
    _ value: UnsafeBufferPointer<UInt8>, _ batch: inout Batch
  ) -> Cell {
    guard pathStrings.count < JSONLScanner.mostPathStrings else {
      return .string(batch.arena.store(value))
    }
    return pathStrings.cell(of: value)
  }
}
