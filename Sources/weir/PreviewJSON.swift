import WeirData
import WeirEngine

/// A preview for programs.
enum PreviewJSON {
  /// Records that a barrier lets pass are only counted beyond these.
  private static let keptShown = 10

  static func value(_ preview: Preview) -> JSONValue {
    var members: [JSONMember] = [
      JSONMember("pipeline", .text(preview.pipeline)), JSONMember("stage", .text(preview.stage)),
      JSONMember("type", .text(preview.type)), JSONMember("kind", .text(preview.kind.rawValue)),
      JSONMember("complete", .bool(preview.isComplete)),
      JSONMember("cut_short", .bool(preview.isCutShort)),
      JSONMember(
        "read",
        .array(
          preview.shards.map {
            [
              "source": .text($0.source), "shard": .text($0.shard), "lines": .int($0.lines),
              "whole": .bool($0.isWhole),
            ]
          })),
      JSONMember("shards_in_all", .int(preview.shardsInAll)),
      JSONMember("shards_set_aside", .array(preview.shardsSetAside.map { .text($0) })),
      JSONMember(
        "on_the_way",
        .array(
          preview.way.filter(\.takesRecords).map {
            .object([JSONMember("stage", .text($0.name))] + counts($0.counts))
          })),
      JSONMember("counts", .object(counts(preview.counts))),
      JSONMember("refused_before", .array(preview.refusedBefore.map { refused($0) })),
      JSONMember("reached", .int(preview.reached)),
    ]
    if let field = preview.groupField {
      members.append(
        JSONMember(
          "groups",
          .array(
            preview.groups.map {
              .object([JSONMember(field, $0.value), JSONMember("records", .int($0.count))])
            })))
    }
    var kept = 0
    let records = preview.records.filter { record in
      guard preview.kind == .barrier, record.outcome == .unchanged else { return true }
      kept += 1
      return kept <= keptShown
    }
    if preview.kind != .reduce {
      members.append(JSONMember("records", .array(records.map { self.record($0) })))
    }
    if !preview.tables.isEmpty {
      members.append(
        JSONMember(
          "rows",
          .object(
            preview.tables.map { table in
              JSONMember(
                table.name.utf8.isEmpty ? preview.stage : "\(preview.stage).\(table.name)",
                .array(table.rows.objects))
            })))
    }
    if let findings = preview.findings {
      members.append(JSONMember("findings", .array(findings)))
    }
    if preview.kind == .sink {
      members.append(
        JSONMember(
          "files",
          .array(
            preview.files.map {
              [
                "path": .text($0.path), "bytes": .int($0.bytes),
                "lines": .array(
                  $0.lines.prefix(1_000).map { .text(String(decoding: $0, as: UTF8.self)) }),
              ]
            })))
    }
    return .object(members)
  }

  private static func counts(_ c: StageCounts) -> [JSONMember] {
    [
      JSONMember("in", .int(c.in)), JSONMember("out", .int(c.out)),
      JSONMember("filtered", .int(c.filtered)), JSONMember("deduplicated", .int(c.deduplicated)),
      JSONMember("quarantined", .int(c.quarantined)), JSONMember("taken", .int(c.taken)),
    ]
  }

  private static func refused(_ refusal: Preview.Refused) -> JSONValue {
    [
      "source": .text(refusal.source), "shard": .text(refusal.shard), "line": .int(refusal.line),
      "stage": .text(refusal.stage),
      "code": .text(refusal.code), "field": refusal.field.map { .text($0) } ?? .null,
      "message": .text(refusal.message), "raw": .text(refusal.raw),
    ]
  }

  private static func record(_ record: Preview.Record) -> JSONValue {
    var members: [JSONMember] = [
      JSONMember("source", .text(record.source)), JSONMember("shard", .text(record.shard)),
      JSONMember("line", .int(record.line)), JSONMember("outcome", .text(record.outcome.rawValue)),
      JSONMember("before", content(record.before)),
      JSONMember("after", record.after.map { content($0) } ?? .null),
      JSONMember(
        "changed",
        .array(
          record.outcome == .changed
            ? record.changes.filter { $0.kind != .same }.map { .text($0.field) } : [])),
    ]
    if let group = record.group { members.append(JSONMember("group", group)) }
    if let way = record.way { members.append(JSONMember("to", .text(way))) }
    if let refusal = record.refusal { members.append(JSONMember("refused", refused(refusal))) }
    if let winner = record.winner {
      members.append(
        JSONMember(
          "stays",
          [
            "shard": .text(winner.shard), "line": .int(winner.line),
            "record": winner.text.map { content($0) } ?? .null,
          ]))
    }
    return .object(members)
  }

  /// JSON as it is where a value can hold it, else as text.
  static func content(_ text: [UInt8]) -> JSONValue {
    if let value = try? JSONValue(reading: text) { return value }
    return .text(String(decoding: text, as: UTF8.self))
  }
}
