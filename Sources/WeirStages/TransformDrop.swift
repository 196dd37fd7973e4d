import WeirData
import WeirEngine

/// Takes fields out of records.
public struct Drop: MapStage {
  public static let manual = StageManual(
    type: "drop", kind: .map,
    summary: "Take fields out of records.",
    discussion: """
      The stages behind do not see these fields, and the records that a sink writes do not have them; \
      all else of a record leaves byte for byte. What lies below a dropped field goes with it. An \
      object that loses its last field stays as `{}`.

      A field must be declared by the source to be dropped (`"note": "any?"`): so a record in which its \
      key stands twice is quarantined, and does not leave with the second one. Where `user` is declared, \
      `user.name` cannot be dropped alone.

      From `{"id": "e1", "note": "x", "user": {"name": "Ada"}}` the fields `["note", "user.name"]` \
      leave `{"id": "e1", "user": {}}`. To name what stays, take `select`; lines in the quarantine are \
      as they came.
      """,
    accepts: [.records],
    outputs: [PortSpec(carries: .records, "The records without these fields.")],
    options: [OptionSpec("fields", .list(.fieldPath), .required, "The fields to take out.")],
    example: """
      {"type": "drop", "inputs": ["clean"], "fields": ["note", "user.name"]}
      """,
    exampleFields: #"{"market": "string", "note": "any?", "user.name": "string?"}"#,
    synonyms: ["remove", "delete", "exclude", "omit", "removefields", "dropfields", "without"])

  private let fields: [OptionValue]

  public init?(_ options: Options, _ problems: inout Problems) {
    fields = options.list("fields")
    guard uniquePaths(fields, options, sample: "\"fields\": [\"note\"]", &problems) else {
      return nil
    }
  }

  public func bind(
    _ scope: inout Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundMap)? {
    let before = scope
    var isRight = true
    for value in fields {
      guard let field = before.require(value.fieldPath, at: value.node, &problems) else {
        isRight = false
        continue
      }
      let isDroppedWith = fields.contains { $0.fieldPath.contains(field.path) }
      guard isDroppedWith || before.isAlone(field.path, at: value.node, &problems) else {
        isRight = false
        continue
      }
      scope.drop(field.path)
    }
    if isRight, scope.fields.isEmpty {
      problems.add(
        "nothing_left", at: fields[0].node, "no field is left for the stages behind",
        fix: "keep at least one")
      return nil
    }
    return isRight ? PassingMap() : nil
  }
}
