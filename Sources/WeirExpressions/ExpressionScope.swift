import WeirData

/// A value that is known before any record is read: a parameter, or a constant part of an
/// expression.
public enum ConstantValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case int(Int64)
  case number(Double)
  /// UTF-8.
  case string([UInt8])
  /// Microseconds since 1970 in UTC.
  case timestamp(Int64)
  case list([ConstantValue])
}

/// What an expression may name.
public struct ExpressionScope: Sendable {
  /// A field that stages before this one provide.
  public struct Field: Sendable, Hashable {
    public var path: FieldPath
    public var type: FieldType
    /// Its column in the batches that will be evaluated.
    public var column: Int

    public init(path: FieldPath, type: FieldType, column: Int) {
      self.path = path
      self.type = type
      self.column = column
    }
  }

  /// Sorted by path.
  public let fields: [Field]
  /// `params.NAME`.
  public let params: [String: ConstantValue]

  /// - Parameter fields: in any order; of two with one path the later counts.
  public init(fields: [Field] = [], params: [String: ConstantValue] = [:]) {
    var byPath: [FieldPath: Field] = [:]
    for field in fields { byPath[field.path] = field }
    self.fields = byPath.values.sorted { $0.path < $1.path }
    self.params = params
  }

  /// The field whose path is the longest that begins `names`.
  func longestField(_ names: ArraySlice<[UInt8]>) -> Field? {
    var best: Field?
    for field in fields where names.starts(with: field.path.components) {
      if field.path.components.count > (best?.path.components.count ?? 0) { best = field }
    }
    return best
  }
}
