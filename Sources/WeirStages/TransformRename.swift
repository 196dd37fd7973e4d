import WeirData
import WeirEngine

/// Gives fields other names.
public struct Rename: MapStage {
  public static let manual = StageManual(
    type: "rename", kind: .map,
    summary: "Give fields other names.",
    discussion: """
      `"queue": "team_queue"` makes `team_queue` of `queue`: the old name stands first. All names change \
      at once, so that two fields can swap theirs. The stages behind know the new names only. In the \
      records that a sink writes the key changes in its place, and all else leaves byte for byte.

      A field stays in its object: `model.score` can become `model.points`, not `score`. Where a record \
      has a key of the new name that the source does not declare, that one makes way. A field that comes \
      from the path of a shard becomes part of the record with its new name, at the end.

      From `{"id": "e1", "queue": "spam"}` the names `{"queue": "topic"}` make \
      `{"id": "e1", "topic": "spam"}`.
      """,
    accepts: [.records],
    outputs: [PortSpec(carries: .records, "The records with the new names.")],
    options: [
      OptionSpec("fields", .map(.fieldPath), .required, "The new name for each old one.")
    ],
    example: """
      {"type": "rename", "inputs": ["clean"], "fields": {"queue": "topic", "model.score": "model.points"}}
      """,
    exampleFields: #"{"queue": "string", "model.score": "number?", "market": "string"}"#,
    synonyms: ["alias", "renamefields", "as", "move"])

  private let names: [(from: FieldPath, to: FieldPath, keyNode: SpecNode, node: SpecNode)]

  public init?(_ options: Options, _ problems: inout Problems) {
    var names: [(from: FieldPath, to: FieldPath, keyNode: SpecNode, node: SpecNode)] = []
    let before = problems.errorCount
    for entry in options.map("fields") {
      guard
        let from = entry.keyPath(
          fix: "write a name, with dots between where it lies in an object: \"model.score\"",
          &problems)
      else { continue }
      let (to, node) = (entry.value.fieldPath, entry.value.node)
      if to.components.dropLast() != from.components.dropLast() {
        let here = FieldPath(components: from.components.dropLast() + [to.components.last!])
        problems.add(
          "moved_field", at: node,
          "`\(to.text)` does not lie where `\(from.text)` does: a field stays in its object",
          fix: "write \"\(here.text)\", or add a field with derive and drop this one")
      } else if to == from {
        problems.add(
          "nothing_to_do", at: node, "`\(from.text)` has that name already", fix: "remove it")
      } else if names.contains(where: { $0.to == to }) {
        problems.add(
          "duplicate_field", at: node, "two fields would be called `\(to.text)`",
          fix: "give one of them another name")
      }
      names.append((from, to, entry.keyNode, node))
    }
    if names.isEmpty, problems.errorCount == before {
      problems.add(
        "nothing_to_do", at: options.node("fields"), "\"fields\" names no field",
        fix: "\"fields\": {\"queue\": \"topic\"}")
    }
    self.names = names
    if problems.errorCount > before { return nil }
  }

  public var newFields: [String] { names.map(\.to.text) }

  public func bind(
    _ scope: inout Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundMap)? {
    let leaving = names.map(\.from)
    var isRight = true
    for name in names {
      if scope.field(name.from) == nil, scope.field(name.to) != nil,
        !names.contains(where: { $0.from == name.to })
      {
        problems.add(
          "unknown_field", at: name.keyNode, "no field `\(name.from.text)` reaches this stage",
          expected: "the old name, then the new one",
          fix: "turn them round: \(quoted(name.to.text)): \(quoted(name.from.text))")
        isRight = false
        continue
      }
      guard scope.require(name.from, at: name.keyNode, &problems) != nil,
        scope.isAlone(name.from, at: name.keyNode, &problems),
        scope.isFree(name.to, at: name.node, leaving: leaving, &problems)
      else {
        isRight = false
        continue
      }
      if let below = scope.fields.first(where: { name.from.contains($0.path) }) {
        problems.add(
          "held_field", at: name.keyNode,
          "`\(below.path.text)` lies in `\(name.from.text)` and is a field too",
          fix: "take one of them out of \"fields\" of the source")
        isRight = false
      }
    }
    guard isRight else { return nil }
    scope.rename(names.map { ($0.from, $0.to) })
    return PassingMap()
  }
}
