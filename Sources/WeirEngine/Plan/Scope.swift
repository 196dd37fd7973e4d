import WeirData

/// The fields that records have on one edge of the plan, and the column that holds each.
///
/// A stage that edits a field defines it anew: the scope behind it names another column, the
/// columns themselves are written once. Branches therefore never disturb each other.
public struct Scope: Sendable {
  public struct Field: Sendable {
    public var path: FieldPath
    public var type: FieldType
    /// Column of the batch.
    public var column: Int
    /// Column with the value as it stands in the record, where it does.
    public var recordColumn: Int?
    /// A stage made it: no record has it.
    public internal(set) var isMade = false

    /// It comes from the path of the shard.
    var isOfPath: Bool { recordColumn == nil && !isMade }

    /// The value is no longer the one in the record.
    public var isEdited: Bool { recordColumn.map { $0 != column } ?? false }
  }

  public private(set) var fields: [Field] = []
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
    fields.append(
      Field(path: path, type: type, column: column, recordColumn: inRecord ? column : nil))
    return column
  }

  /// Gives a field a new value behind this stage, in a column of its own.
  public mutating func define(_ path: FieldPath, _ type: FieldType) -> Int {
    let column = columns.next()
    if let i = fields.firstIndex(where: { $0.path == path }) {
      fields[i].type = type
      fields[i].column = column
    } else {
      fields.append(
        Field(path: path, type: type, column: column, recordColumn: nil, isMade: true))
    }
    return column
  }

  /// Finds a field for a stage, or says which ones there are.
  ///
  /// - Parameter within: where in a string the name stands, such as a template; `nil`: it is all of it.
  public func require(
    _ path: FieldPath, at node: SpecNode, within place: Range<Int>? = nil,
    _ problems: inout Problems
  ) -> Field? {
    if let field = field(path) { return field }
    let names = names
    let near = nearest(to: path.text, among: names)
    let message = "no field `\(path.text)` reaches this stage"
    let expected = names.isEmpty ? nil : "one of \(alternatives(names, limit: 40))"
    var problem = node
    if let place { problem.range = node.sourceRange(place) }
    problems.add(
      missing: path.text, "unknown_field", at: problem, message, expected: expected,
      fix: near.map { place == nil ? quoted($0) : $0 }
        ?? "declare it under \"fields\" of the source: \(quoted(path.text)): \"string\"")
    return nil
  }

  /// The fields by their bytes.
  var names: [String] {
    fields.map(\.path.text).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// The fields of type timestamp, for a message.
  public var timestamps: [String] {
    fields.filter { $0.type.base == .timestamp }.map(\.path.text)
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
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
