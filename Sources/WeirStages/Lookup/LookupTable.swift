import Synchronization
import WeirData
import WeirEngine

/// The rows of a table by their keys. Never changed once it is made, and shared by all workers.
final class LookupTable: @unchecked Sendable {
  /// One column that records get.
  struct Column {
    var type: FieldType
    /// Of each row.
    var cells: [Cell]
    /// For a record without a row.
    var fallback: Cell
    /// Of its strings; they live as long as the table.
    let texts = ByteDictionary()
    let space = ColumnCodes.makeSpace()

    var codes: ColumnCodes {
      ColumnCodes(space: space, largest: UInt16(min(texts.count, Int(UInt16.max))))
    }

    /// A cell with these bytes, which stay with the table.
    func text(_ bytes: [UInt8]) -> Cell {
      bytes.withUnsafeBufferPointer { texts.cell(of: $0) }
    }
  }

  /// Keys in the order of the rows: the code of one is the number of its row.
  private let keys: ByteDictionary
  /// One string: its bytes are the key.
  let hasPlainKey: Bool
  let columns: [Column]

  init(keys: ByteDictionary, hasPlainKey: Bool, columns: [Column]) {
    self.keys = keys
    self.hasPlainKey = hasPlainKey
    self.columns = columns
  }

  /// The row with a key: the bytes of a plain one, else those of ``KeyBytes``.
  func row(_ key: UnsafeBufferPointer<UInt8>) -> Int? { keys.find(key) }
}

/// What a table must have, and what is made of it.
struct LookupDemand {
  struct Key {
    var column: String
    /// `string` or `int`: that of the field of the records.
    var type: FieldType.Base
    /// Where the column is named.
    var node: SpecNode
    /// The field, where it stands for the column too.
    var bareField: String?
  }
  struct Field {
    var column: String
    var node: SpecNode
    /// `nil`: what the values are.
    var type: FieldType?
    var fallback: OptionValue?
  }
  var keys: [Key]
  var fields: [Field]
  /// The stage, in messages.
  var tableNode: SpecNode
  var delimiter: UInt8

  private var wanted: [String] { keys.map(\.column) + fields.map(\.column) }

  /// Reads the table, checks that it is one to one, and brings its values into their types.
  func makeTable(
    _ source: SpecSource, _ form: LookupFile.Form, _ problems: inout Problems
  ) -> LookupTable? {
    var found = Problems()
    let file = LookupFile(source, form, delimiter: delimiter, wanted: wanted, &found)
    guard !found.hasErrors else {
      tell(found, of: source, &problems)
      return nil
    }
    checkColumns(of: file, &found)
    guard !found.hasErrors else {
      problems.add(contentsOf: found)
      return nil
    }
    let table = index(file, &found).flatMap { keys -> LookupTable? in
      let columns = fields.enumerated().compactMap { place, field in
        column(field, self.keys.count + place, file, &found)
      }
      return found.hasErrors
        ? nil : LookupTable(keys: keys, hasPlainKey: hasPlainKey, columns: columns)
    }
    tell(found, of: source, &problems)
    return table
  }

  /// Adds what is wrong with a table, with the place where it is named.
  private func tell(_ found: Problems, of source: SpecSource, _ problems: inout Problems) {
    for var problem in found.sorted {
      if problem.source === source {
        problem.related.append(.init("the table is named here", at: tableNode))
      }
      problems.add(problem)
    }
  }

  var hasPlainKey: Bool { keys.count == 1 && keys[0].type == .string }

  private func checkColumns(of file: LookupFile, _ problems: inout Problems) {
    if file.rows.isEmpty {
      problems.add(
        "empty_table", at: tableNode, "\(file.source.name) has no rows",
        fix: "name a table with rows")
      return
    }
    let named =
      keys.map { ($0.column, $0.node, $0.bareField) } + fields.map { ($0.column, $0.node, nil) }
    for (name, node, field) in named where !file.hasColumn(name) {
      problems.add(
        "unknown_column", at: node, "\(file.source.name) has no column \(shown(name))",
        expected: oneOf(file.columns),
        fix: likely(name, isKey: field != nil, file).map { column in
          field.map { "{\(quoted($0)): \(quoted(column))}" } ?? quoted(column)
        } ?? "name one of these columns, or add it to the table")
    }
  }

  /// The column that was meant: the nearest by its name, or the only one that no other part of the stage
  /// names.
  private func likely(_ name: String, isKey: Bool, _ file: LookupFile) -> String? {
    if let near = nearest(to: name, among: file.columns) { return near }
    let free = file.columns.filter { column in !wanted.contains { same($0, column) } }
    return isKey || free.count == 1 ? free.first ?? (isKey ? file.columns.first : nil) : nil
  }

  // MARK: Keys

  private func index(_ file: LookupFile, _ problems: inout Problems) -> ByteDictionary? {
    let dictionary = ByteDictionary()
    var key = KeyBytes()
    // Of each key the row that has it.
    var numbers: [Int] = []
    for (number, row) in file.rows.enumerated() {
      guard problems.errorCount < LookupFile.mistakesMax else { return nil }
      key.clear()
      var isRight = true
      for (place, demand) in keys.enumerated() {
        if !append(row[place], demand, to: &key, file, &problems) { isRight = false }
      }
      guard isRight else { continue }
      let known = dictionary.count
      let code = dictionary.code(of: key.bytes)
      guard dictionary.count == known else {
        numbers.append(number)
        continue
      }
      let first = file.rows[numbers[code]]
      let words = row.prefix(keys.count).map(\.value.described).joined(separator: ", ")
      problems.add(
        "duplicate_row", at: file.node(row[0].range),
        "two rows have the key \(words): a record could have only one of them",
        expected: "one row for each key",
        fix: "remove one of the two"
          + (file.columns.count > row.count
            ? ", or name another column under \"on\" that tells them apart" : ""),
        related: [.init("the first is here", at: file.node(first[0].range))])
    }
    return problems.hasErrors ? nil : dictionary
  }

  private func append(
    _ cell: LookupCell, _ demand: Key, to key: inout KeyBytes, _ file: LookupFile,
    _ problems: inout Problems
  ) -> Bool {
    switch (cell.value, demand.type) {
    case (.text(let text), .string):
      text.withUnsafeBufferPointer { text in
        if hasPlainKey { key.append(text) } else { key.append(.string(text)) }
      }
      return true
    case (.int(let value), .int):
      key.append(.int(value))
      return true
    case (.text(let text), .int):
      if let number = text.withUnsafeBufferPointer({ NumberText.read($0, asInt: true) }) {
        key.append(number)
        return true
      }
    default: break
    }
    let isEmpty = if case .null = cell.value { true } else { false }
    problems.add(
      isEmpty ? "empty_key" : "wrong_type", at: file.node(cell.range),
      isEmpty
        ? "this row has no \(shown(demand.column)), which is its key"
        : "\(shown(demand.column)) is \(cell.value.described), and the records have \(demand.type.rawValue) there",
      expected: demand.type == .int ? "an integer" : "a text",
      fix: isEmpty ? "fill it in, or remove the row" : nil)
    return false
  }

  // MARK: Values

  private func column(
    _ field: Field, _ place: Int, _ file: LookupFile, _ problems: inout Problems
  ) -> LookupTable.Column? {
    let values = file.rows.map { $0[place] }
    guard let base = field.type?.base ?? common(values, field, file, &problems) else { return nil }
    var column = LookupTable.Column(
      type: FieldType(base), cells: [], fallback: .null)
    column.cells.reserveCapacity(values.count)
    for value in values {
      guard problems.errorCount < LookupFile.mistakesMax else { return nil }
      if case .null = value.value {
        if let type = field.type, !type.isNullable {
          problems.add(
            "missing_value", at: file.node(value.range),
            "this row has no \(shown(field.column)), which is declared as \(type.text)",
            fix: "fill it in, or declare it as \"\(type.text)?\"")
        }
        column.type.isNullable = true
        column.cells.append(.null)
      } else if let cell = LookupDemand.cell(value.value, base, column) {
        column.cells.append(cell)
      } else {
        problems.add(
          "wrong_type", at: file.node(value.range),
          "\(shown(field.column)) is \(value.value.described), which is no \(base.rawValue)",
          expected: LookupDemand.sample(base), fix: "correct it, or give the field another type")
      }
    }
    guard let fallback = field.fallback else { return column }
    guard let cell = LookupDemand.cell(LookupDemand.value(of: fallback), base, column) else {
      problems.add(
        "wrong_type", at: fallback.node,
        "the default is \(fallback.node.described), and the field is \(base.rawValue)",
        expected: LookupDemand.sample(base))
      return nil
    }
    column.fallback = cell
    return column
  }

  /// The type that all values have; CSV has texts only.
  private func common(
    _ values: [LookupCell], _ field: Field, _ file: LookupFile, _ problems: inout Problems
  ) -> FieldType.Base? {
    var base: FieldType.Base?
    for cell in values {
      let next: FieldType.Base
      switch cell.value {
      case .null: continue
      case .text: next = .string
      case .int: next = base == .number ? .number : .int
      case .number: next = .number
      case .bool: next = .bool
      case .nested:
        problems.add(
          "wrong_type", at: file.node(cell.range),
          "\(shown(field.column)) is an object or a list",
          expected: "a text, a number, true or false",
          fix: "put what is wanted of it into a column of its own")
        return nil
      }
      if let known = base, known != next, !(known == .int && next == .number) {
        problems.add(
          "types_differ", at: file.node(cell.range),
          "\(shown(field.column)) is \(cell.value.described) here, and \(known.rawValue) in the rows above",
          expected: "one type in all rows", fix: "write it as \(LookupDemand.sample(known))")
        return nil
      }
      base = next
    }
    return base ?? .string
  }

  private static func value(of option: OptionValue) -> LookupCell.Value {
    switch option.content {
    case .string(let text): .text(Array(text.utf8))
    case .int(let value): .int(Int64(value))
    case .number(let value): .number(value)
    case .bool(let value): .bool(value)
    default: .nested
    }
  }

  private static func cell(
    _ value: LookupCell.Value, _ base: FieldType.Base, _ column: LookupTable.Column
  ) -> Cell? {
    switch (value, base) {
    case (.text(let text), .string): column.text(text)
    case (.text(let text), .int):
      text.withUnsafeBufferPointer { NumberText.read($0, asInt: true) }
    case (.text(let text), .number):
      text.withUnsafeBufferPointer { NumberText.read($0, asInt: false) }
    case (.text(let text), .bool):
      text.elementsEqual("true".utf8)
        ? .bool(true) : text.elementsEqual("false".utf8) ? .bool(false) : nil
    case (.text(let text), .timestamp):
      text.withUnsafeBufferPointer { Timestamp(rfc3339: $0) }
        .map { .timestamp(microseconds: $0.microseconds) }
    case (.int(let value), .int): .int(value)
    case (.int(let value), .number): .number(Double(value))
    case (.number(let value), .number): value.isFinite ? .number(value) : nil
    case (.number(let value), .int): NumberText.whole(value)
    case (.bool(let value), .bool): .bool(value)
    default: nil
    }
  }

  private static func sample(_ base: FieldType.Base) -> String {
    switch base {
    case .string, .any: "a text"
    case .int: "an integer such as 12"
    case .number: "a number such as 0.5"
    case .bool: "true or false"
    case .timestamp: "a time such as 2026-10-04T07:00:00Z"
    }
  }
}

/// Tables that were made, for the many times that a stage is bound.
final class LookupTables: Sendable {
  private let made = Mutex<[(identity: [UInt8], table: LookupTable)]>([])

  func find(_ identity: [UInt8]) -> LookupTable? {
    made.withLock { $0.first { $0.identity == identity }?.table }
  }

  func keep(_ table: LookupTable, _ identity: [UInt8]) {
    made.withLock { $0.append((identity, table)) }
  }
}
