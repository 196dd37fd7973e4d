import WeirData

/// The fields that records have on one edge of the plan, and the column that holds each.
///
/// A stage that edits a field defines it anew: the scope behind it names another column, the
/// columns themselves are written once. Branches therefore never disturb each other. The scope also
/// says what of a record leaves: a field that was dropped is cut from its text, one that was renamed
/// has another key there.
public struct Scope: Sendable {
  public struct Field: Sendable {
    public var path: FieldPath
    public var type: FieldType
    /// Column of the batch.
    public var column: Int
    /// Column with the value as it is written: another than ``column`` where that only reads it as
    /// another type.
    public internal(set) var writtenColumn: Int
    /// Column with the value as it stands in the record, where it does.
    public var recordColumn: Int?
    /// Where it stands in the record, where it does.
    public internal(set) var recordPath: FieldPath?
    /// A stage made it: no record has it.
    public internal(set) var isMade = false
    /// Records that come by this way do not have it: it is null, and only others of its stage have it.
    public internal(set) var isAbsent = false

    /// It comes from the path of the shard.
    var isOfPath: Bool { recordColumn == nil && !isMade && !isAbsent }

    init(
      _ path: FieldPath, _ type: FieldType, column: Int, inRecord: Bool = false,
      isMade: Bool = false
    ) {
      self.path = path
      self.type = type
      self.column = column
      writtenColumn = column
      recordColumn = inRecord ? column : nil
      recordPath = inRecord ? path : nil
      self.isMade = isMade
    }

    /// The value is no longer the one in the record.
    public var isEdited: Bool { recordColumn.map { $0 != writtenColumn } ?? false }
    /// Its key in the record is no longer its name.
    public var isRenamed: Bool { recordPath.map { $0 != path } ?? false }
  }

  /// A value of the record that is not to leave.
  public struct Cut: Sendable {
    public var path: FieldPath
    /// Column with the value as it stands in the record.
    public var recordColumn: Int
  }

  public private(set) var fields: [Field] = []
  /// Empty where only ``fields`` leave.
  public private(set) var cuts: [Cut] = []
  /// The record that leaves has nothing but the fields, in their order: else it has all that the
  /// stages do not know as well.
  public private(set) var hasOnlyFields = false
  /// Paths of the record that the source reads: each stands there once at most.
  public private(set) var recordPaths: [FieldPath] = []
  /// Columns given out in this lane, shared by all its scopes.
  private let columns: ColumnCounter

  public init() { columns = ColumnCounter() }

  /// Columns that a batch of the lane needs so far.
  public var columnCount: Int { columns.count }

  public func field(_ path: FieldPath) -> Field? { fields.first { $0.path == path } }

  /// Adds a field as it stands in the record, or in the path of its shard.
  @discardableResult
  public mutating func addSource(_ path: FieldPath, _ type: FieldType, inRecord: Bool) -> Int {
    let column = columns.next()
    fields.append(Field(path, type, column: column, inRecord: inRecord))
    if inRecord { recordPaths.append(path) }
    return column
  }

  /// Gives a field a new value behind this stage, in a column of its own.
  public mutating func define(_ path: FieldPath, _ type: FieldType) -> Int {
    let column = columns.next()
    if let i = fields.firstIndex(where: { $0.path == path }) {
      fields[i].type = type
      fields[i].column = column
      fields[i].writtenColumn = column
      if fields[i].isAbsent {
        fields[i].isAbsent = false
        fields[i].isMade = true
      }
    } else {
      fields.append(Field(path, type, column: column, isMade: true))
    }
    return column
  }

  /// Lets the stages behind read a field as another type: the record keeps what it has. One that there
  /// is not becomes null for them.
  ///
  /// - Returns: a column of its own for the values of that type.
  public mutating func reread(_ path: FieldPath, as type: FieldType) -> Int {
    let column = columns.next()
    if let i = fields.firstIndex(where: { $0.path == path }) {
      fields[i].type = type
      fields[i].column = column
    } else {
      var field = Field(path, type, column: column)
      field.isAbsent = true
      fields.append(field)
    }
    return column
  }

  /// Gives a field another type without another column: for types that hold the same values.
  public mutating func retype(_ path: FieldPath, _ type: FieldType) {
    if let i = fields.firstIndex(where: { $0.path == path }) { fields[i].type = type }
  }

  /// Takes a field, and all below it, from the stages behind and from the record.
  public mutating func drop(_ path: FieldPath) {
    if let field = field(path), let column = field.recordColumn, let place = field.recordPath,
      !hasOnlyFields
    {
      // What lies in it goes with it: cuts are apart from each other.
      cuts.removeAll { place.contains($0.path) }
      cuts.append(Cut(path: place, recordColumn: column))
    }
    fields.removeAll { $0.path == path || path.contains($0.path) }
  }

  /// Gives fields other names, all at once.
  public mutating func rename(_ names: [(from: FieldPath, to: FieldPath)]) {
    for i in fields.indices {
      guard let name = names.first(where: { $0.from == fields[i].path }) else { continue }
      // One that comes from the path of a shard becomes part of the record with that.
      if fields[i].isOfPath { fields[i].isMade = true }
      fields[i].path = name.to
    }
  }

  /// Leaves only these fields, in this order, and those below them.
  public mutating func select(_ paths: [FieldPath]) {
    let before = fields
    fields = []
    for path in paths {
      for var field in before where field.path == path || path.contains(field.path) {
        if field.path == path, field.isOfPath { field.isMade = true }
        fields.append(field)
      }
    }
    hasOnlyFields = true
    cuts = []
  }

  // MARK: Finding fields

  /// Finds a field for a stage, or says which ones there are.
  ///
  /// - Parameter within: where in a string the name stands, such as a template; `nil`: it is all of it.
  public func require(
    _ path: FieldPath, at node: SpecNode, within place: Range<Int>? = nil,
    _ problems: inout Problems
  ) -> Field? {
    if let field = field(path) { return field }
    let near = nearest(to: path.text, among: names)
    let message = "no field `\(path.text)` reaches this stage"
    var problem = node
    if let place { problem.range = node.sourceRange(place) }
    problems.add(
      missing: path.text, "unknown_field", at: problem, message, expected: expectation,
      fix: entries(of: path.text, place == nil) ?? near.map { place == nil ? quoted($0) : $0 }
        ?? "declare it under \"fields\" of the source: \(quoted(path.text)): \"string\"")
    return nil
  }

  /// `"market", "queue"` for `"market, queue"`: several fields in one text.
  private func entries(of text: String, _ isAlone: Bool) -> String? {
    let parts = text.utf8.split { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") }
      .map { String(decoding: Array($0.drop { $0 == 0x20 }), as: UTF8.self) }
      .filter { !$0.utf8.allSatisfy { $0 == 0x20 } }
    guard isAlone, parts.count > 1, parts.allSatisfy({ part in names.contains { same($0, part) } })
    else { return nil }
    return "write an entry for each: \(parts.map { quoted($0) }.joined(separator: ", "))"
  }

  /// What a message says of the fields that there are.
  var expectation: String? { names.isEmpty ? nil : oneOf(names, limit: 40) }

  /// The fields by their bytes.
  var names: [String] {
    fields.map(\.path.text).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// The fields of type timestamp, for a message.
  public var timestamps: [String] {
    fields.filter { $0.type.base == .timestamp }.map(\.path.text)
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// The field of type timestamp that was most likely meant: the only one, or the nearest by its name.
  public func likelyTimestamp(for path: FieldPath) -> String? {
    timestamps.count == 1 ? timestamps[0] : nearest(to: path.text, among: timestamps)
  }

  /// Says that a field is no timestamp, and which one is.
  public func refuseTime(
    _ field: Field, _ code: String = "not_a_timestamp", at node: SpecNode,
    _ problems: inout Problems
  ) {
    problems.add(
      code, at: node,
      "`\(field.path.text)` is of type \(field.type.text), and not a timestamp",
      expected: timestamps.isEmpty
        ? "a field of type timestamp; there is none"
        : "a field of type timestamp: \(alternatives(timestamps))",
      fix: likelyTimestamp(for: field.path).map { quoted($0) }
        ?? "declare \(quoted(field.path.text)): \"timestamp\" on the source where its texts are such as 2026-10-04T12:00:00Z; a stage of type normalize reads other forms"
    )
  }

  /// The field that holds this one, where it is a field too.
  public func holder(of path: FieldPath) -> Field? { fields.first { $0.path.contains(path) } }

  /// Whether a field of this name can be added; says so where it cannot.
  ///
  /// - Parameter leaving: fields that go at the same time.
  public func isFree(
    _ path: FieldPath, at node: SpecNode, leaving: [FieldPath] = [], _ problems: inout Problems
  ) -> Bool {
    let rest = fields.filter { field in !leaving.contains(field.path) }
    if rest.contains(where: { $0.path == path }) {
      problems.add(
        "field_exists", at: node, "there is a field `\(path.text)` already",
        fix: "give the new field another name, and write that name where it is used")
      return false
    }
    let near = rest.map(\.path).first { $0.contains(path) || path.contains($0) }
    if let near = near ?? cuts.map(\.path).first(where: { path.contains($0) }) {
      problems.add(
        "field_exists", at: node,
        "`\(path.text)` and `\(near.text)` cannot both be: one lies inside the other",
        fix: "give the new field another name")
      return false
    }
    return true
  }
}

extension FieldPath {
  /// Whether `other` lies inside the object at this path.
  public func contains(_ other: FieldPath) -> Bool {
    components.count < other.components.count
      && other.components.starts(with: components)
  }
}

/// Counts the columns of one lane while it is planned, on one thread.
private final class ColumnCounter: @unchecked Sendable {
  private(set) var count = 0
  func next() -> Int {
    defer { count += 1 }
    return count
  }
}
