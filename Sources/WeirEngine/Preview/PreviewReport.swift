import WeirData

/// Puts together what is to be shown of a try.
struct PreviewReport {
  let plan: Plan
  let request: Preview.Request
  let wanted: Int
  let found: PreviewMaker.Try

  private struct Position: Hashable {
    var source: [UInt8]
    var shard: [UInt8]
    var line: Int
  }
  private var stage: CheckedStage { plan.stage(request.stage.stage) }

  func make(isComplete: Bool, isCutShort: Bool) -> Preview {
    let refusals = self.refusals
    let mine = refusals.filter { same($0.stage, stage.name) }
    let ledger = found.result.ledger
    let way = ledger.stages.prefix { !same($0.name, stage.name) }
    return Preview(
      pipeline: plan.spec.name, stage: stage.name, type: stage.type, kind: stage.kind,
      wanted: wanted, groupField: request.groupBy?.text, shards: shardsRead,
      shardsInAll: found.parts.reduce(0) { $0 + $1.sample.shards.count },
      shardsSetAside: found.parts.flatMap { $0.sample.setAside.map { "\($0.error)" } },
      isCutShort: isCutShort, isComplete: isComplete, way: Array(way),
      counts: ledger.stages.first { same($0.name, stage.name) }?.counts ?? StageCounts(),
      refusedBefore: refusals.filter { !same($0.stage, stage.name) },
      records: stage.kind == .source ? sourceRecords(mine) : records(mine),
      reached: found.seen.count, groups: found.seen.groups, tables: tables, findings: findings,
      files: files)
  }

  private var shardsRead: [Preview.ShardRead] {
    found.parts.flatMap { sample, parts in
      parts.map {
        Preview.ShardRead(
          source: sample.source, shard: $0.shard.nameText, lines: $0.lines, isWhole: $0.isWhole)
      }
    }
  }

  private var refusals: [Preview.Refused] {
    found.result.quarantine.compactMap { line in
      guard let value = try? JSONValue(reading: line) else { return nil }
      func text(_ key: String) -> String? {
        if case .string(let bytes) = value[key] {
          String(decoding: bytes, as: UTF8.self)
        } else {
          nil
        }
      }
      var number = 0
      if case .int(let value) = value["line"] { number = Int(value) }
      return Preview.Refused(
        source: text("source") ?? "", shard: text("shard") ?? "", line: number,
        stage: text("stage") ?? "",
        code: text("code") ?? "", field: text("field"), message: text("message") ?? "",
        raw: text("raw") ?? text("raw_base64").map { "base64 \($0)" } ?? "")
    }
  }

  // MARK: Records

  /// Those of each source or group that are wanted, in the order of the input.
  private var chosen: [CapturedRecord] {
    var counts: [[UInt8]: Int] = [:]
    return found.seen.records.filter { record in
      let key = record.group?.bytes() ?? Array(found.shards[record.shard].source.utf8)
      counts[key, default: 0] += 1
      return counts[key]! <= wanted
    }
  }

  private func sourceRecords(_ refused: [Preview.Refused]) -> [Preview.Record] {
    var records = chosen.map { record in
      var shown = self.record(record, .unchanged, after: record.text)
      shown.changes += record.pathFields.map {
        FieldChange(field: $0.key, before: nil, after: $0.value.bytes(), isRead: true)
      }
      return (record.shard, shown)
    }
    let last = records.last.map { ($0.0, $0.1.line) } ?? (0, .max)
    for refusal in refused {
      guard
        let shard = found.shards.firstIndex(where: {
          same($0.source, refusal.source) && same($0.shard.nameText, refusal.shard)
        })
      else { continue }
      if request.groupBy != nil, (shard, refusal.line) > last { continue }
      records.append(
        (
          shard,
          Preview.Record(
            source: stage.name, shard: refusal.shard, line: refusal.line, group: nil,
            outcome: .refused, before: Array(refusal.raw.utf8), after: nil, way: nil, changes: [],
            refusal: refusal, winner: nil)
        ))
    }
    return records.sorted { ($0.0, $0.1.line) < ($1.0, $1.1.line) }.map(\.1)
  }

  private func records(_ refused: [Preview.Refused]) -> [Preview.Record] {
    var left: [Position: (port: String, text: [UInt8])] = [:]
    for (port, capture) in found.after {
      for record in capture.records { left[position(record)] = (port, record.text) }
    }
    let refused = Dictionary(
      refused.map {
        (
          Position(source: Array($0.source.utf8), shard: Array($0.shard.utf8), line: $0.line), $0
        )
      },
      uniquingKeysWith: { first, _ in first })
    var chosen = chosen
    if stage.kind == .map, let port = request.stage.port {
      chosen = Array(
        found.seen.records.filter { left[position($0)].map { same($0.port, port) } ?? false }
          .prefix(wanted))
    }
    let removed = self.removed
    let texts = stage.kind == .barrier ? self.texts : [:]
    return chosen.map { record in
      let position = position(record)
      if let refusal = refused[position] {
        var shown = self.record(record, .refused, after: nil)
        shown.refusal = refusal
        return shown
      }
      if stage.kind == .sink {
        var shown = self.record(record, .written, after: record.written?.text)
        shown.way = record.written?.path
        return shown
      }
      if let winner = removed[position] {
        var shown = self.record(record, .deduplicated, after: nil)
        let text = texts[winner]
        shown.winner = (String(decoding: winner.shard, as: UTF8.self), winner.line, text)
        if let text {
          shown.changes = FieldChange.all(before: record.text, after: text, read: read)
        }
        return shown
      }
      guard let after = left[position] else {
        return self.record(
          record, stage.kind == .reduce ? .unchanged : .filtered, after: nil)
      }
      var shown = self.record(
        record, after.text == record.text ? .unchanged : .changed, after: after.text)
      shown.way = after.port.utf8.isEmpty ? nil : after.port
      return shown
    }
  }

  private var read: Set<FieldPath> { plan.fieldsRead(by: request.stage.stage) }

  private func record(
    _ record: CapturedRecord, _ outcome: Preview.Outcome, after: [UInt8]?
  ) -> Preview.Record {
    let (source, shard, _) = found.shards[record.shard]
    return Preview.Record(
      source: source, shard: shard.nameText, line: record.line, group: record.group,
      outcome: outcome, before: record.text, after: after, way: nil,
      changes: FieldChange.all(before: record.text, after: after ?? record.text, read: read),
      refusal: nil, winner: nil)
  }

  private func position(_ record: CapturedRecord) -> Position {
    let (source, shard, _) = found.shards[record.shard]
    return Position(source: Array(source.utf8), shard: shard.name, line: record.line)
  }

  private var texts: [Position: [UInt8]] {
    Dictionary(
      found.seen.records.map { (position($0), $0.text) }, uniquingKeysWith: { first, _ in first })
  }

  /// What a barrier removed, and what stays instead.
  private var removed: [Position: Position] {
    guard stage.kind == .barrier,
      case .rows(let table) = found.result.made[found.target]?["removed"]
    else { return [:] }
    func column(_ name: String) -> Int { table.columns.lastIndex(of: name) ?? 0 }
    let columns = ["source", "shard", "line", "kept_source", "kept_shard", "kept_line"].map(column)
    func position(_ row: [JSONValue], _ at: Int) -> Position {
      guard case .string(let source) = row[columns[at]],
        case .string(let shard) = row[columns[at + 1]], case .int(let line) = row[columns[at + 2]]
      else { return Position(source: [], shard: [], line: 0) }
      return Position(source: source, shard: shard, line: Int(line))
    }
    return Dictionary(
      table.rows.map { (position($0, 0), position($0, 3)) }, uniquingKeysWith: { first, _ in first }
    )
  }

  // MARK: Rows and files

  private var outputs: [(port: String, output: StageOutput)] {
    guard stage.kind == .reduce else { return [] }
    let made = found.result.made[found.target] ?? [:]
    return made.keys.sorted().filter { port in
      request.stage.port.map { same($0, port) } ?? true
    }.map { ($0, made[$0]!) }
  }

  private var tables: [Preview.Table] {
    outputs.compactMap { port, output in
      guard case .rows(let rows) = output else { return nil }
      return Preview.Table(name: port, rows: rows)
    }
  }

  private var findings: [JSONValue]? {
    let sets = outputs.compactMap { _, output -> [JSONValue]? in
      if case .findings(let set) = output { set.findings } else { nil }
    }
    return sets.isEmpty ? nil : sets.flatMap { $0 }
  }

  /// What a sink would write: of records their number says how much.
  private var files: [Preview.File] {
    guard stage.kind == .sink else { return [] }
    return found.result.files.filter { same($0.sink, stage.name) }.map { file in
      // Weir has written it a moment ago.
      Preview.File(path: file.path, lines: (try? file.lines()) ?? [], bytes: file.bytes.count)
    }
  }
}
