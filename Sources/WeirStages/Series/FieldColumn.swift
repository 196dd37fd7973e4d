import WeirData
import WeirEngine

extension Scope {
  /// The column of a field, where its declared type will do.
  ///
  /// - Parameters:
  ///   - wanted: the types that will do, in words.
  ///   - isFit: the same of a type.
  /// - Returns: `nil` where `problems` says why.
  func column(
    _ path: FieldPath, at node: SpecNode, _ wanted: String, fix: String? = nil,
    _ problems: inout Problems, where isFit: (FieldType.Base) -> Bool
  ) -> BoundTrend.Column? {
    guard let field = require(path, at: node, &problems) else { return nil }
    guard isFit(field.type.base) else {
      problems.add(
        "wrong_type", at: node, "`\(path.text)` is declared as \(field.type.text)",
        expected: wanted, fix: fix)
      return nil
    }
    return BoundTrend.Column(index: field.column, name: path.text)
  }
}
