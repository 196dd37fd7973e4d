import WeirData
import WeirEngine

/// Of the records with one key, keeps one.
public struct Dedupe: BarrierStage {
  public static let manual = StageManual(
    type: "dedupe", kind: .barrier,
    summary: "Of the records with the same key, keep one.",
    discussion: """
      Meant for events that were delivered twice, or again with a higher revision. It is exact over \
      all shards of the run, and which record stays does not depend on workers or on the order in \
      which shards are read: the one whose `order_by` fields are highest (`"keep": "last"`) or lowest \
      (`"first"`), null lowest, and of equal ones the one that stands last or first in the input, by \
      shard name and line.

      A later decision on the same item is **not** a duplicate: it is a re-review or an appeal. Use \
      the id of the event as the key, not the id of the content, and both stay.

      A record without a value in the key is quarantined as `missing_key`. The records that were \
      removed can be had as rows under `NAME.removed`: the key, the place of the removed record, and \
      the place of the one that stayed.
      """,
    accepts: [.records],
    outputs: [
      PortSpec(carries: .records, "The records that stay."),
      PortSpec(
        "removed", carries: .rows,
        "One row for each removed record: key, source, shard, line, and where the kept one stands."),
    ],
    options: [
      OptionSpec(
        "key", .list(.fieldPath), .required, "The fields whose values together name an event."),
      OptionSpec(
        "keep", .choice(["first", "last"]), .default("\"last\""),
        "Which record of a key stays, in the order of `order_by` and then of the input."),
      OptionSpec(
        "order_by", .list(.fieldPath), .default("[]"),
        "Fields that order the records of a key, the first one first."),
    ],
    example: """
      {"type": "dedupe", "inputs": ["clean"], "key": ["event_id"], "keep": "last", "order_by": ["revision"]}
      """,
    exampleFields: #"{"event_id": "string", "revision": "int"}"#,
    synonyms: ["deduplicate", "distinct", "unique", "uniq", "dropduplicates"])

  private let key: [OptionValue]
  private let orderBy: [OptionValue]
  private let keepsLast: Bool

  public init?(_ options: Options, _ problems: inout Problems) {
    key = options.list("key")
    orderBy = options.list("order_by")
    keepsLast = options.string("keep") == "last"
    if key.isEmpty {
      problems.add(
        "empty_key", at: options.node("key"), "\"key\" names no field: all records would be one",
        fix: "name the field with the id of the event, for example \"key\": [\"event_id\"]")
      return nil
    }
  }

  public func bind(
    _ scope: Scope, _ context: BindContext, _ problems: inout Problems
  ) -> BarrierRule? {
    let keyColumns = key.compactMap { scope.barrierColumn($0, &problems) }
    let orderColumns = orderBy.compactMap { value -> BarrierRule.Column? in
      guard let found = scope.barrierColumn(value, &problems) else { return nil }
      guard found.type.base == .any else { return found }
      problems.add(
        "untyped_order", at: value.node,
        "`\(found.field.text)` may be of any type, which has no order",
        expected: "a field that is declared as string, int, number, bool or timestamp",
        fix: "declare \"\(found.field.text)\": \"int?\" on the source, or normalize it before")
      return nil
    }
    guard keyColumns.count == key.count, orderColumns.count == orderBy.count else { return nil }
    return BarrierRule(key: keyColumns, order: orderColumns, keepsLast: keepsLast)
  }
}

extension Scope {
  /// A field that a barrier goes by.
  func barrierColumn(_ value: OptionValue, _ problems: inout Problems) -> BarrierRule.Column? {
    require(value.fieldPath, at: value.node, &problems).map {
      BarrierRule.Column(field: $0.path, type: $0.type, column: $0.column)
    }
  }
}
