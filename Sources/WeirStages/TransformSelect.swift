import WeirData
import WeirEngine

/// Leaves nothing of a record but some fields.
public struct Select: MapStage {
  public static let manual = StageManual(
    type: "select", kind: .map,
    summary: "Leave nothing of a record but some fields, in the order that you name.",
    discussion: """
      The stages behind see these fields and no others, and the records that a sink writes have these \
      keys and no others, in this order. Values that no stage changed leave byte for byte; a field that \
      a record does not have is left out of it.

      `model.score` leaves as `{"model":{"score":0.9}}`: what is named from one object stays in one. A \
      field that comes from the path of a shard becomes part of the record here.

      From `{"id": "e1", "user": {"name": "Ada", "age": 36}, "note": "x"}` the fields \
      `["user.age", "id"]` make `{"user":{"age":36},"id":"e1"}`.
      """,
    accepts: [.records],
    outputs: [PortSpec(carries: .records, "The records with these fields.")],
    options: [
      OptionSpec("fields", .list(.fieldPath), .required, "The fields to keep, in order.")
    ],
    example: """
      {"type": "select", "inputs": ["clean"], "fields": ["event_id", "market", "handle_ms"]}
      """,
    exampleFields: #"{"market": "string", "event_id": "string", "handle_ms": "int?"}"#,
    synonyms: ["keep", "project", "pick", "columns", "fields", "only", "keepfields"])

  private let fields: [OptionValue]

  public init?(_ options: Options, _ problems: inout Problems) {
    fields = options.list("fields")
    guard uniquePaths(fields, options, sample: "\"fields\": [\"event_id\"]", &problems) else {
      return nil
    }
    for (i, value) in fields.enumerated() {
      guard
        let other = fields[..<i].first(where: {
          $0.fieldPath.contains(value.fieldPath) || value.fieldPath.contains($0.fieldPath)
        })
      else { continue }
      problems.add(
        "duplicate_field", at: value.node,
        "`\(value.fieldPath.text)` and `\(other.fieldPath.text)`: one is part of the other",
        fix: "keep one of the two")
      return nil
    }
  }

  public func bind(
    _ scope: inout Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundMap)? {
    let found = fields.compactMap { scope.require($0.fieldPath, at: $0.node, &problems) }
    guard found.count == fields.count else { return nil }
    scope.select(found.map(\.path))
    return PassingMap()
  }
}
