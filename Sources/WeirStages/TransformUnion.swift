import WeirData
import WeirEngine

/// Makes one of records that come from several stages.
public struct Union: JoiningStage {
  public static let manual = StageManual(
    type: "union", kind: .map,
    summary: "Make one of the records of several stages, with the same fields and types.",
    discussion: """
      Every stage can have several inputs; this one makes sure that what comes from them fits together. \
      Behind it a field has one type: an `int` here and a `number` there become `number` (the records \
      keep what they have), `any` takes all but times, and null is allowed where it is on one way. Types \
      that do not go together are an error: bring them into one form with `normalize` before.

      A field that one input has and another has not is an error, or null for the records of the other \
      with `"missing": "null"`. `tag` names a new field with the name of the input by which a record came.

      The order is that of all input: by source, shard and line.
      """,
    accepts: [.records],
    outputs: [PortSpec(carries: .records, "The records of all inputs.")],
    options: [
      OptionSpec(
        "missing", .choice(["error", "null"]), .default("\"error\""),
        "What a field is where an input does not have it."),
      OptionSpec(
        "tag", .fieldPath, .optional, "A new field with the name of the input, as `inputs` has it."),
    ],
    example: """
      {"type": "union", "inputs": ["clean"], "missing": "null", "tag": "origin"}
      """,
    exampleFields: #"{"market": "string", "handle_ms": "int?"}"#,
    synonyms: ["concat", "merge", "unionall", "append", "combine"])

  private let allowsMissing: Bool
  private let tag: OptionValue?

  public init?(_ options: Options, _ problems: inout Problems) {
    allowsMissing = same(options.string("missing"), "null")
    tag = options["tag"]
    if let tag, tag.fieldPath.components.count > 1 {
      problems.add(
        "nested_field", at: tag.node, "new fields are added to the record itself",
        fix: "write a plain name: \"origin\"")
      return nil
    }
  }

  public var newFields: [String] { tag.map { [$0.fieldPath.text] } ?? [] }

  public func bind(
    _ scope: inout Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundMap)? {
    preconditionFailure("a joining stage is told of all its ways")
  }

  public func bind(
    _ scope: inout Scope, _ way: JoinedWay, among ways: [JoinedWay], _ context: BindContext,
    _ problems: inout Problems
  ) -> (any BoundMap)? {
    let errors = problems.errorCount
    var paths: [FieldPath] = []
    for path in ways.flatMap(\.scope.fields).map(\.path) where !paths.contains(path) {
      paths.append(path)
    }
    var bound = BoundUnion(widened: [], tag: nil)
    for path in paths {
      guard let type = reconcile(path, ways, context, &problems) else { continue }
      guard let field = scope.field(path) else {
        if scope.isFree(path, at: way.node, &problems) { _ = scope.reread(path, as: type) }
        continue
      }
      if field.type.base == .int, type.base == .number {
        bound.widened.append((field.column, scope.reread(path, as: type)))
      } else {
        scope.retype(path, type)
      }
    }
    if let tag, scope.isFree(tag.fieldPath, at: tag.node, &problems) {
      bound.tag = (scope.define(tag.fieldPath, FieldType(.string)), Array(way.input.utf8))
    }
    return problems.errorCount == errors ? bound : nil
  }

  /// The type that a field has behind the stage.
  private func reconcile(
    _ path: FieldPath, _ ways: [JoinedWay], _ context: BindContext, _ problems: inout Problems
  ) -> FieldType? {
    let found = ways.compactMap { way in way.scope.field(path).map { (way: way, type: $0.type) } }
    let lacking = ways.first { $0.scope.field(path) == nil }
    if let lacking, !allowsMissing {
      problems.add(
        "missing_field", at: lacking.node,
        "`\(lacking.input)` has no field `\(path.text)`, and `\(found[0].way.input)` has",
        expected: "the same fields from all inputs of a union",
        fix:
          "add \"missing\": \"null\" to `\(context.stageName)`: the field is null in records from `\(lacking.input)`; or give `\(lacking.input)` the field; or take it out behind `\(found[0].way.input)` with a stage of type drop"
      )
      return nil
    }
    var type = found[0].type
    for (way, other) in found.dropFirst() {
      guard let base = Union.common(type.base, other.base) else {
        problems.add(
          "types_differ", at: way.node,
          "`\(path.text)` is \(other.text) from `\(way.input)` and \(found[0].type.text) from `\(found[0].way.input)`",
          expected: "one type of it from all inputs of a union",
          fix: Union.agree(found[0].type, found[0].way.input, other, way.input)
            + "; or give it another name behind `\(way.input)` with a stage of type rename (\"fields\": { \(quoted(path.text)): \"NEW\" }), read that stage in `\(context.stageName)`"
            + (allowsMissing
              ? ""
              : ", and add \"missing\": \"null\" to `\(context.stageName)`: each field is null where the other is")
        )
        return nil
      }
      type = FieldType(base, nullable: type.isNullable || other.isNullable)
    }
    return FieldType(type.base, nullable: type.isNullable || lacking != nil)
  }

  /// How two inputs come to one type: what is no text can become one.
  private static func agree(
    _ a: FieldType, _ first: String, _ b: FieldType, _ second: String
  ) -> String {
    if a.base == .string || b.base == .string {
      return
        "let `\(a.base == .string ? second : first)` make a string of it too, with `string(...)` around its expression"
    }
    return "let `\(second)` make \(a.base == .int ? "an" : "a") \(a.base.rawValue) of it too"
  }

  private static func common(_ a: FieldType.Base, _ b: FieldType.Base) -> FieldType.Base? {
    if a == b { return a }
    if Set([a, b]) == [.int, .number] { return .number }
    return [a, b].contains(.any) && ![a, b].contains(.timestamp) ? .any : nil
  }
}

private struct BoundUnion: BoundMap {
  /// Columns of integers, and those that get them as numbers.
  var widened: [(from: Int, to: Int)]
  var tag: (column: Int, text: [UInt8])?

  var columnsRead: [Int] { widened.map(\.from) }
  var filters: Bool { false }
  func makeWorker() -> any MapWorker { UnionWorker(self) }
}

private final class UnionWorker: MapWorker {
  private let union: BoundUnion
  private let text = ByteDictionary()
  private let space = ColumnCodes.makeSpace()

  init(_ union: BoundUnion) { self.union = union }

  func apply(
    _ batch: inout Batch, _ selection: inout Selection, _ refusals: inout [Refusal]
  ) -> Int {
    for (from, to) in union.widened {
      let (from, to) = (batch.column(from), batch.column(to))
      for row in selection.rows {
        let cell = from[Int(row)]
        to[Int(row)] = cell.kind == .int ? .number(Double(cell.intValue)) : cell
      }
    }
    if let tag = union.tag {
      let cell = tag.text.withUnsafeBufferPointer { text.cell(of: $0) }
      let to = batch.column(tag.column)
      for row in selection.rows { to[Int(row)] = cell }
      batch.setCodes(ColumnCodes(space: space, largest: 1), ofColumn: tag.column)
    }
    return 0
  }
}
