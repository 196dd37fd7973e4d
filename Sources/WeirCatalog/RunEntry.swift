import GRDB
import Glibc
import WeirData
import WeirEngine

/// A run as it stands in its directory, ready to be put into the catalogue.
struct RunEntry {
  var id: String
  var status: RunStatus
  var json: JSONValue
  /// Without the shards.
  var ledger: JSONValue?
  var shards: [JSONValue] = []
  /// Without rows.
  var changes: JSONValue?
  var findings: [JSONValue] = []
  var stamp: String

  /// A run whose record was looked for this long, in seconds, and is not there, has none.
  private static let patience = 60
  private static let fileBytesMax = 1 << 30

  /// Size, time and inode of the files that it is read from: equal where none was changed.
  static func stamp(_ directory: String) -> String {
    [RunRecordFile.record, RunRecordFile.ledger, RunRecordFile.changes].map { file in
      var status = stat()
      guard stat(joinPath(directory, file), &status) == 0 else { return "-" }
      return
        "\(status.st_size).\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec).\(status.st_ino)"
    }.joined(separator: " ")
  }

  /// - Returns: `nil` where the directory is that of a run that is just beginning, or no run's.
  init?(_ id: String, directory: String) {
    self.id = id
    // Before the files: what changes meanwhile is read again the next time.
    stamp = RunEntry.stamp(directory)
    do throws(UnreadableRecord) {
      guard let record = try RunRecordFile(directory: directory) else {
        guard RunEntry.isOld(directory) else { return nil }
        throw UnreadableRecord(
          path: joinPath(directory, RunRecordFile.record),
          reason: "not there: the run died before it could write it")
      }
      json = record.json
      status = record.seenStatus
    } catch {
      status = .damaged
      json = [
        "run": .text(id), "pipeline": "", "status": .text(RunStatus.damaged.rawValue),
        "notes": [.text("the record of the run cannot be read: \(error)")],
      ]
      return
    }
    if let ledger = RunEntry.read(joinPath(directory, RunRecordFile.ledger)) {
      shards = ledger["shards"]?.asArray ?? []
      self.ledger = ledger.without("shards")
    }
    if status == .done, let changes = RunEntry.read(joinPath(directory, RunRecordFile.changes)) {
      findings = changes["findings"]?["list"]?.asArray ?? []
      self.changes = Restatement.summarized(changes)
    }
  }

  private static func isOld(_ directory: String) -> Bool {
    var status = stat()
    guard stat(directory, &status) == 0 else { return false }
    return time(nil) - status.st_mtim.tv_sec > patience
  }

  /// `nil` where the file is not there or not whole: a run has it or has it not, and the record says
  /// how it ended.
  private static func read(_ path: String) -> JSONValue? {
    do {
      return try JSONValue(reading: readWholeFile(path, limit: fileBytesMax))
    } catch {
      return nil
    }
  }

  /// When it began: as its record says, else as its id does (`20261127T223537Z-0a1b2c3d`).
  private var started: Int64 {
    if let time = json.time("started") { return time }
    let d = Array(id.utf8)
    guard d.count >= 16 else { return 0 }
    func part(_ range: Range<Int>) -> String { String(decoding: d[range], as: UTF8.self) }
    let text =
      "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<15))Z"
    return Timestamp(rfc3339: text)?.microseconds ?? 0
  }

  // MARK: Into the catalogue

  func save(_ db: Database) throws {
    try db.execute(sql: "DELETE FROM runs WHERE id = ?", arguments: [id])
    let records = json["records"]
    try db.execute(
      sql: """
        INSERT INTO runs (id, pipeline, status, started, ended, seconds, exit, out, directory,
          run_key, plan_sha256, read, quarantined, is_unchanged, record, ledger, changes, stamp,
          is_present)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
        """,
      arguments: [
        id, json.text("pipeline") ?? "", status.rawValue, started, json.time("ended"),
        json["seconds"]?.asDouble, json.int("exit"), json.text("out"), json.text("directory"),
        json.text("run_key"), json.text("plan_sha256"), records?.int("read"),
        records?.int("quarantined"), json["unchanged"] == .bool(true),
        json.without("outputs", "tasks").text, ledger?.text, changes?.text, stamp,
      ])
    try saveArtefacts(db)
    try saveInputs(db)
    try saveTasks(db)
    let insert = try db.makeStatement(sql: "INSERT INTO lifecycle VALUES (?, ?, ?, ?, ?)")
    for (i, finding) in findings.enumerated() {
      guard let lifecycle = finding.text("lifecycle"), let state = finding.text("state")
      else { continue }
      try insert.execute(arguments: [id, i, lifecycle, state, finding.text])
    }
  }

  private func saveArtefacts(_ db: Database) throws {
    guard status == .done else { return }
    let insert = try db.makeStatement(
      sql: "INSERT OR REPLACE INTO artefacts VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
    let inputs = inputsHash
    for file in json["outputs"]?.asArray ?? [] {
      guard let path = file.text("path") else { continue }
      try insert.execute(arguments: [
        id, path, file.text("sink") ?? "", file.int("rows") ?? 0, file.int("bytes") ?? 0,
        file.text("sha256") ?? "", json.text("plan_sha256") ?? "", inputs,
      ])
    }
  }

  /// SHA-256 over source, name and content of all shards: equal inputs, equal text.
  private var inputsHash: String {
    let hasher = SHA256Hasher()
    for shard in shards {
      for key in ["source", "shard", "content"] {
        hasher.update(sha256(Array((shard.text(key) ?? "").utf8)))
      }
    }
    return hexText(hasher.finish())
  }

  private func saveInputs(_ db: Database) throws {
    let insert = try db.makeStatement(
      sql: "INSERT INTO inputs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    for (i, shard) in shards.enumerated() {
      func count(_ key: String) -> Int { shard["records"]?.int(key) ?? 0 }
      try insert.execute(arguments: [
        id, i, shard.text("source") ?? "", shard.text("shard") ?? "", shard.int("bytes") ?? 0,
        shard.text("content") ?? "", count("read"), count("written"), count("filtered"),
        count("deduplicated"), count("quarantined"), shard.int("blank") ?? 0,
      ])
    }
  }

  private func saveTasks(_ db: Database) throws {
    let insert = try db.makeStatement(sql: "INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
    for (i, task) in (json["tasks"]?.asArray ?? []).enumerated() {
      try insert.execute(arguments: [
        id, i, task.int("pass") ?? 0, task.text("source") ?? "", task.text("shard") ?? "",
        task.text("key") ?? "", task["reused"] == .bool(true), task["seconds"]?.asDouble ?? 0,
      ])
    }
  }
}
