import GRDB
import WeirData
import WeirEngine

/// All there is to say about one run.
public struct RunDetails: Sendable {
  public struct Shard: Sendable {
    public let source: String
    public let shard: String
    public let bytes: Int
    public let content: String
    public let records: RecordCounts
  }
  public struct Output: Sendable {
    public let sink: String
    public let path: String
    public let rows: Int
    public let bytes: Int
    public let sha256: String
  }

  public let summary: RunSummary
  /// `run.json` without outputs and tasks.
  public let record: JSONValue
  /// `ledger.json` without shards.
  public let ledger: JSONValue?
  public let shards: [Shard]
  public let outputs: [Output]
  public let tasks: [TaskRecord]
  /// What it changed: with all details while its directory is there.
  public let changes: JSONValue?
  /// What became of each finding, as `changes.json` has it.
  public let findings: [JSONValue]
  public let place: OutputPlace

  public var changesSummary: ChangesSummary? { changes.map { ChangesSummary($0) } }

  public var json: JSONValue {
    guard case .object(var members) = record else { return record }
    func set(_ key: String, _ value: JSONValue) {
      members.removeAll { same($0.key, key) }
      members.append(JSONMember(key, value))
    }
    // What became of a run whose process is gone is not in its record.
    if let at = members.firstIndex(where: { same($0.key, "status") }) {
      members[at].value = .text(summary.status.rawValue)
    }
    set("pruned", .bool(!summary.isPresent))
    set("outputs_state", .text(place.rawValue))
    set("outputs", .array(outputs.map(\.json)))
    var ledgerMembers = ledger?.asMembers ?? []
    ledgerMembers.append(JSONMember("shards", .array(shards.map(\.json))))
    set("ledger", .object(ledgerMembers))
    set("tasks", .array(tasks.map(\.json)))
    set("changes", changes?.without("run", "pipeline", "out") ?? .null)
    return .object(members)
  }
}

extension RunDetails.Shard {
  var json: JSONValue {
    [
      "source": .text(source), "shard": .text(shard), "bytes": .int(bytes),
      "content": .text(content), "records": records.json, "blank": .int(records.blank),
    ]
  }
}

extension RunDetails.Output {
  var json: JSONValue {
    [
      "sink": .text(sink), "path": .text(path), "rows": .int(rows), "bytes": .int(bytes),
      "sha256": .text(sha256),
    ]
  }
}

extension Catalogue {
  public func details(_ run: RunSummary) throws(CatalogueError) -> RunDetails {
    let id = run.id
    let details = try asking { db -> RunDetails in
      let row = try Row.fetchOne(db, sql: "SELECT * FROM runs WHERE id = ?", arguments: [id])
      let changes = JSONValue.stored(row?["changes"])
      return RunDetails(
        summary: row.map { RunSummary($0) } ?? run, record: JSONValue.stored(row?["record"]) ?? [:],
        ledger: JSONValue.stored(row?["ledger"]), shards: try shards(of: id, db),
        outputs: try outputs(of: id, db), tasks: try tasks(of: id, db), changes: changes,
        findings: try findings(of: id, db), place: OutputPlace(run))
    }
    guard details.summary.isPresent, details.changes != nil else { return details }
    let path = joinPath(joinPath(workspace.runsPath, id), RunRecordFile.changes)
    do {
      let whole = try JSONValue(reading: readWholeFile(path, limit: 1 << 30))
      return RunDetails(
        summary: details.summary, record: details.record, ledger: details.ledger,
        shards: details.shards, outputs: details.outputs, tasks: details.tasks, changes: whole,
        findings: details.findings, place: details.place)
    } catch {
      // The numbers are in the catalogue; the rows were in that file only.
      return details
    }
  }

  func outputs(of run: String) throws(CatalogueError) -> [RunDetails.Output] {
    try asking { db in try outputs(of: run, db) }
  }

  private func outputs(of run: String, _ db: Database) throws -> [RunDetails.Output] {
    try Row.fetchAll(
      db, sql: "SELECT * FROM artefacts WHERE run = ? ORDER BY path", arguments: [run]
    ).map {
      RunDetails.Output(
        sink: $0["sink"], path: $0["path"], rows: $0["rows"], bytes: $0["bytes"],
        sha256: $0["sha256"])
    }
  }

  private func shards(of run: String, _ db: Database) throws -> [RunDetails.Shard] {
    try Row.fetchAll(
      db, sql: "SELECT * FROM inputs WHERE run = ? ORDER BY ordinal", arguments: [run]
    ).map { row in
      var records = RecordCounts()
      records.read = row["read"]
      records.written = row["written"]
      records.filtered = row["filtered"]
      records.deduplicated = row["deduplicated"]
      records.quarantined = row["quarantined"]
      records.blank = row["blank"]
      return RunDetails.Shard(
        source: row["source"], shard: row["shard"], bytes: row["bytes"], content: row["content"],
        records: records)
    }
  }

  private func tasks(of run: String, _ db: Database) throws -> [TaskRecord] {
    try Row.fetchAll(
      db, sql: "SELECT * FROM tasks WHERE run = ? ORDER BY ordinal", arguments: [run]
    ).map {
      TaskRecord(
        pass: $0["pass"], source: $0["source"], shard: $0["shard"], key: $0["key"],
        isReused: $0["reused"], seconds: $0["seconds"])
    }
  }

  private func findings(of run: String, _ db: Database) throws -> [JSONValue] {
    try String.fetchAll(
      db, sql: "SELECT entry FROM lifecycle WHERE run = ? ORDER BY ordinal", arguments: [run]
    ).compactMap { JSONValue.stored($0) }
  }
}
