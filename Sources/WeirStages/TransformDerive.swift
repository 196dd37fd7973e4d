import WeirData
import WeirEngine
import WeirExpressions

/// Adds fields that are computed from others.
public struct Derive: MapStage {
  public static let manual = StageManual(
    type: "derive", kind: .map,
    summary: "Add fields that are computed from others.",
    discussion: """
      Each entry of `fields` names a new field and gives its value, an expression in CEL \
      (docs/expressions.md). All are computed from the fields that reach the stage: one does not see \
      another of the same stage. The type of a new field is the one that the expression has, and the \
      stages behind can use it like any other.

      A record for which an expression has no value (a null in arithmetic, an overflow, a number \
      that is not finite) is quarantined as `expression_error`. Say what a null becomes: \
      `has(handle_ms) ? double(handle_ms) / 3600000.0 : 0.0`.

      A name that a field has already is refused. In the records that a sink writes the new fields \
      stand at the end, in the order in which they are declared; where a record has a key of that \
      name that the source does not declare, its value is replaced. Lists and maps are written as \
      arrays and objects, durations as text such as `"90s"`.
      """,
    accepts: [.records],
    outputs: [PortSpec(carries: .records, "The records with the new fields.")],
    options: [
      OptionSpec(
        "fields", .map(.expression), .required, "The name of each new field and its value.")
    ],
    example: """
      {
        "type": "derive",
        "inputs": ["clean"],
        "fields": {
          "hours": "double(handle_ms) / 3600000.0",
          "segment": "market + '/' + queue",
          "weekday": "ts.getDayOfWeek('Europe/Berlin')"
        }
      }
      """,
    exampleFields: """
      {"market": "string", "queue": "string", "handle_ms": "int", "ts": "timestamp"}
      """,
    synonyms: [
      "map", "compute", "computed", "add", "addfields", "mutate", "assign", "eval", "column",
      "columns", "withcolumn", "expression", "set", "calculate",
    ])

  private let fields: [OptionEntry]

  public init?(_ options: Options, _ problems: inout Problems) {
    fields = options.map("fields")
    var hasFaults = false
    if fields.isEmpty {
      problems.add(
        "nothing_to_do", at: options.node("fields"), "\"fields\" names no field",
        fix: "\"hours\": \"double(handle_ms) / 3600000.0\"")
      hasFaults = true
    }
    for entry in fields {
      guard let path = entry.keyPath(fix: "write a plain name: \"hours\"", &problems) else {
        hasFaults = true
        continue
      }
      if path.components.count > 1 {
        problems.add(
          "nested_field", at: entry.keyNode,
          "`\(entry.key)` lies inside another field: new fields are added to the record itself",
          fix:
            "write \"\(path.components.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "_"))\""
        )
        hasFaults = true
      }
    }
    if hasFaults { return nil }
  }

  public var newFields: [String] { fields.map(\.key) }

  public func bind(
    _ scope: inout Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundMap)? {
    let before = scope
    var bound: [BoundDerive.Field] = []
    for entry in fields {
      guard let path = FieldPath(text: entry.key) else { return nil }
      guard before.isFree(path, at: entry.keyNode, &problems) else { continue }
      let node = entry.value.node
      guard
        let expression = context.compile(entry.value.string, in: before, at: node, &problems)
      else { continue }
      let column = scope.define(path, expression.resultType)
      bound.append(BoundDerive.Field(path: path, column: column, expression: expression))
    }
    return bound.count == fields.count ? BoundDerive(fields: bound) : nil
  }
}

private struct BoundDerive: BoundMap {
  struct Field: Sendable {
    var path: FieldPath
    var column: Int
    var expression: CompiledExpression
  }
  let fields: [Field]

  var columnsRead: [Int] { Set(fields.flatMap(\.expression.columnsRead)).sorted() }
  /// What has no value goes to the quarantine; it decides nothing.
  var filters: Bool { false }
  func makeWorker() -> any MapWorker { DeriveWorker(fields) }
}

/// Goes field by field over the batch: a row has at most one refusal, of the first field that fails.
private final class DeriveWorker: MapWorker {
  private let columns: [DerivedColumn]

  init(_ fields: [BoundDerive.Field]) { columns = fields.map(DerivedColumn.init) }

  func apply(
    _ batch: inout Batch, _ selection: inout Selection, _ refusals: inout [Refusal]
  ) -> Int {
    for column in columns { column.apply(&batch, &selection, &refusals) }
    return 0
  }
}

private final class DerivedColumn {
  private let field: BoundDerive.Field
  private var evaluator: ExpressionEvaluator
  private var cells: [Cell] = []

  init(_ field: BoundDerive.Field) {
    self.field = field
    evaluator = field.expression.makeEvaluator()
  }

  func apply(
    _ batch: inout Batch, _ selection: inout Selection, _ refusals: inout [Refusal]
  ) {
    evaluator.evaluateValues(batch, selection, into: &cells)
    let column = batch.column(field.column)
    let copies = evaluator.hasMadeText
    var failed: [(position: Int, message: String)] = evaluator.failures.map {
      ($0.position, $0.message)
    }
    for (position, row) in selection.rows.enumerated() {
      var cell = cells[position]
      if cell.kind == .number, !cell.numberValue.isFinite {
        failed.append((position, "it is not a finite number"))
        continue
      }
      // Text that was made is the evaluator's, and lasts until it makes more.
      if copies, cell.length > 0 {
        if cell.kind == .string {
          cell = .string(batch.arena.store(cell.stringBytes))
        } else if let json = cell.jsonText {
          cell = .other(json: batch.arena.store(json))
        }
      }
      // The codes of another column mean nothing here.
      cell.code = 0
      column[Int(row)] = cell
    }
    refuse(failed, batch, &selection, &refusals)
  }

  private func refuse(
    _ failed: [(position: Int, message: String)], _ batch: borrowing Batch,
    _ selection: inout Selection, _ refusals: inout [Refusal]
  ) {
    guard !failed.isEmpty else { return }
    let failed = failed.sorted { $0.position < $1.position }
    var kept: [UInt32] = []
    var next = 0
    for (position, row) in selection.rows.enumerated() {
      guard next < failed.count, failed[next].position == position else {
        kept.append(row)
        continue
      }
      refusals.append(
        Refusal(
          row: Int(row), of: batch, code: "expression_error", field: field.path,
          message: "`\(field.path.text)` has no value: \(failed[next].message)"))
      next += 1
    }
    selection.rows = kept
  }
}
