import WeirData
import WeirEngine

/// One value of a table, and where it stands.
struct LookupCell {
  enum Value {
    /// Null, absent, or an empty cell of CSV.
    case null
    case text([UInt8])
    case int(Int64)
    case number(Double)
    case bool(Bool)
    /// An object or a list.
    case nested
  }
  var value: Value
  /// Bytes of the file.
  var range: Range<Int>
}

/// The rows of a file, as far as they are wanted.
struct LookupFile {
  /// Larger ones are refused, in bytes.
  static let bytesMax = 32 << 20
  /// The same for one JSON text, which is held as a tree while it is read.
  static let jsonBytesMax = 8 << 20
  /// More mistakes in one file are only counted.
  static let mistakesMax = 20

  /// The ending that says that a table is compressed; `nil` where it is not.
  static func packedEnding(of path: String) -> String? {
    [".zst", ".gz"].first { path.utf8.reversed().starts(with: $0.utf8.reversed()) }
  }

  /// What a table holds, unpacked where its name says that it is compressed.
  static func text(
    of bytes: [UInt8], _ path: String, at node: SpecNode, _ problems: inout Problems
  ) -> [UInt8]? {
    guard packedEnding(of: path) != nil else { return bytes }
    do throws(ShardError) {
      if let text = try ShardUnpacker.unpack(bytes, path: path, atMost: bytesMax) { return text }
      problems.add(
        "too_large", at: node,
        "\(path) has more than \(groupedDigits(bytesMax.magnitude)) bytes when it is unpacked, which are not read",
        fix: "leave out of it what no stage uses")
    } catch {
      problems.add(
        "damaged_table", at: node,
        "\(path) cannot be unpacked\(error.byte.map { " from its byte \($0) on" } ?? ""): \(error.message)",
        fix: "write the file again, or name it as what it is")
    }
    return nil
  }

  /// How the rows are written; the ending of the name says it.
  enum Form: Equatable {
    case csv, jsonLines, json

    init?(path: String) {
      var name = path.utf8[...]
      if let end = LookupFile.packedEnding(of: path) { name = name.dropLast(end.utf8.count) }
      let ends: [(String, Form)] = [
        (".csv", .csv), (".jsonl", .jsonLines), (".ndjson", .jsonLines), (".json", .json),
      ]
      guard let end = ends.first(where: { name.reversed().starts(with: $0.0.utf8.reversed()) })
      else { return nil }
      self = end.1
    }
  }

  let source: SpecSource
  /// For each row the cells of the wanted columns, in their order.
  private(set) var rows: [[LookupCell]] = []
  /// Names of all columns that there are.
  private(set) var columns: [String] = []

  /// - Parameters:
  ///   - wanted: names of columns.
  ///   - problems: gets what is wrong with the file, at its place; columns that are not there are not
  ///     among it.
  init(
    _ source: SpecSource, _ form: Form, delimiter: UInt8, wanted: [String],
    _ problems: inout Problems
  ) {
    self.source = source
    switch form {
    case .csv: readCSV(delimiter, wanted, &problems)
    case .jsonLines: readLines(wanted, &problems)
    case .json: readJSON(wanted, &problems)
    }
  }

  func hasColumn(_ name: String) -> Bool { columns.contains { same($0, name) } }

  /// A place in the file, to point at.
  func node(_ range: Range<Int>) -> SpecNode {
    SpecNode(kind: .null, range: range, pointer: .root, source: source)
  }

  // MARK: CSV

  private mutating func readCSV(
    _ delimiter: UInt8, _ wanted: [String], _ problems: inout Problems
  ) {
    if let place = source.bytes.withUnsafeBufferPointer({ firstInvalidUTF8($0) }) {
      problems.add(
        "not_utf8", at: node(place..<place + 1), "this byte is not UTF-8",
        fix: "save the file as UTF-8")
      return
    }
    var reading = CSVReading(source.bytes, delimiter: delimiter)
    do throws(CSVReading.Mistake) {
      guard let header = try reading.record() else {
        problems.add(
          "empty", at: node(0..<0), "there is nothing in this file",
          expected: "a line with the names of the columns, and a line for each row")
        return
      }
      guard takeHeader(header, delimiter, &problems) else { return }
      let places = wanted.map { name in columns.firstIndex { same($0, name) } }
      while let fields = try reading.record() {
        guard fields.count == columns.count else {
          let range = fields[0].range.lowerBound..<fields[fields.count - 1].range.upperBound
          let words = fields.count == 1 ? "1 cell" : "\(fields.count) cells"
          problems.add(
            "wrong_cell_count", at: node(range),
            "this row has \(words), and the first line \(columns.count)",
            expected: "a cell for each of \(alternatives(columns, limit: 8))",
            fix: "add what is missing, or put a cell that holds the delimiter in quotes")
          guard problems.errorCount < LookupFile.mistakesMax else { return }
          continue
        }
        rows.append(
          places.map { place in
            guard let place else { return LookupCell(value: .null, range: fields[0].range) }
            let field = fields[place]
            let isNull = field.text.isEmpty
            return LookupCell(value: isNull ? .null : .text(field.text), range: field.range)
          })
      }
    } catch {
      problems.add("bad_csv", at: node(error.range), error.message, fix: error.fix)
    }
  }

  private mutating func takeHeader(
    _ header: [CSVReading.Field], _ delimiter: UInt8, _ problems: inout Problems
  ) -> Bool {
    let others: [(byte: UInt8, name: String)] = [
      (UInt8(ascii: ","), ","), (UInt8(ascii: ";"), ";"), (0x09, "\\t"),
    ]
    if header.count == 1,
      let other = others.first(where: { $0.byte != delimiter && header[0].text.contains($0.byte) })
    {
      problems.add(
        "wrong_delimiter", at: node(header[0].range),
        "the columns of this file are separated by \(other.name), not by \(others.first { $0.byte == delimiter }?.name ?? "the delimiter")",
        fix: "write \"delimiter\": \"\(other.name)\" in the stage")
      return false
    }
    let before = problems.errorCount
    for field in header {
      let name = String(decoding: field.text, as: UTF8.self)
      if columns.contains(where: { same($0, name) }) {
        problems.add(
          "duplicate_column", at: node(field.range), "two columns are called \(shown(name))",
          fix: "give one of them another name")
      }
      columns.append(name)
    }
    return problems.errorCount == before
  }

  // MARK: JSON

  private mutating func readJSON(_ wanted: [String], _ problems: inout Problems) {
    let limits = SpecLimits(bytes: LookupFile.jsonBytesMax)
    guard let root = SpecJSON.parse(source, limits: limits, problems: &problems) else { return }
    guard let items = root.array else {
      problems.add(
        "wrong_type", at: root, "a table is a list of objects, and this is \(root.kindText)",
        expected: #"[{"id": "m1", "team": "north"}, ...]"#,
        fix: "put the rows in [ ], or write one a line in a file that ends in .jsonl")
      return
    }
    for item in items where problems.errorCount < LookupFile.mistakesMax {
      take(item, at: 0, wanted, &problems)
    }
  }

  private mutating func readLines(_ wanted: [String], _ problems: inout Problems) {
    let bytes = source.bytes
    var start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    while start < bytes.count, problems.errorCount < LookupFile.mistakesMax {
      let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
      let line = Array(bytes[start..<end])
      if !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
        var found = Problems()
        let part = SpecSource(name: source.name, bytes: line)
        let item = SpecJSON.parse(part, problems: &found)
        for var problem in found.sorted {
          problem.source = source
          problem.range =
            start + problem.range.lowerBound..<start + problem.range.upperBound
          problem.related = []
          problems.add(problem)
        }
        if let item, !found.hasErrors { take(item, at: start, wanted, &problems) }
      }
      start = end + 1
    }
  }

  /// - Parameter start: where the text of the node begins in the file.
  private mutating func take(
    _ item: SpecNode, at start: Int, _ wanted: [String], _ problems: inout Problems
  ) {
    func place(_ range: Range<Int>) -> Range<Int> {
      start + range.lowerBound..<start + range.upperBound
    }
    guard let members = item.object else {
      problems.add(
        "wrong_type", at: node(place(item.range)), "a row is \(item.kindText)",
        expected: "an object: a value for each column")
      return
    }
    for member in members where !hasColumn(member.key) { columns.append(member.key) }
    rows.append(
      wanted.map { name in
        guard let value = item.member(name)?.value else {
          let end = place(item.range).lowerBound + 1
          return LookupCell(value: .null, range: end - 1..<end)
        }
        return LookupCell(value: LookupFile.value(of: value), range: place(value.range))
      })
  }

  private static func value(of node: SpecNode) -> LookupCell.Value {
    switch node.kind {
    case .null: .null
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .number(let value): .number(value)
    case .string(let text): .text(Array(text.utf8))
    case .array, .object: .nested
    }
  }
}

extension LookupCell.Value {
  /// What a message calls it.
  var described: String {
    switch self {
    case .null: "empty"
    case .text(let bytes): shown(String(decoding: bytes, as: UTF8.self))
    case .int(let value): "\(value)"
    case .number(let value): canonicalNumber(value)
    case .bool(let value): "\(value)"
    case .nested: "an object or a list"
    }
  }
}
