import GRDB
import WeirData
import WeirEngine

/// Which runs to list.
public struct RunFilter: Sendable {
  public var pipeline: String?
  /// Those that began then or later.
  public var since: Timestamp?
  public var status: RunStatus?
  public var limit: Int?

  public init(
    pipeline: String? = nil, since: Timestamp? = nil, status: RunStatus? = nil, limit: Int? = nil
  ) {
    self.pipeline = pipeline
    self.since = since
    self.status = status
    self.limit = limit
  }
}

/// A run in one line.
public struct RunSummary: Sendable {
  public let id: String
  public let pipeline: String
  public let status: RunStatus
  public let started: Timestamp
  /// Time that it took, in seconds.
  public let seconds: Double?
  public let exit: Int?
  public let out: String
  /// Where its outputs stand: the directory that the link led to when it ended.
  public let directory: String?
  public let read: Int?
  public let quarantined: Int?
  /// Whether there was nothing to do: the outputs in place were those that it would have made.
  public let isUnchanged: Bool
  /// Whether its directory is still there.
  public let isPresent: Bool

  init(_ row: Row) {
    id = row["id"]
    pipeline = row["pipeline"]
    let text: String = row["status"]
    status = RunStatus(rawValue: text) ?? .damaged
    let begun: Int64 = row["started"]
    started = Timestamp(microseconds: begun)
    let ended: Int64? = row["ended"]
    let seconds: Double? = row["seconds"]
    self.seconds = seconds ?? ended.map { Double($0 - begun) / 1e6 }
    exit = row["exit"]
    out = row["out"] ?? ""
    directory = row["directory"]
    read = row["read"]
    quarantined = row["quarantined"]
    isUnchanged = row["is_unchanged"]
    isPresent = row["is_present"]
  }

  public var json: JSONValue {
    func number(_ value: Int?) -> JSONValue { value.map { .int($0) } ?? .null }
    return [
      "run": .text(id), "pipeline": .text(pipeline), "status": .text(status.rawValue),
      "started": .text(started.rfc3339), "seconds": seconds.map { .number($0) } ?? .null,
      "exit": number(exit), "out": .text(out), "read": number(read),
      "quarantined": number(quarantined), "unchanged": .bool(isUnchanged),
      "pruned": .bool(!isPresent),
    ]
  }
}

extension Catalogue {
  /// Runs, the newest first.
  public func runs(_ filter: RunFilter = RunFilter()) throws(CatalogueError) -> [RunSummary] {
    var conditions = ["1"]
    var arguments: [(any DatabaseValueConvertible)?] = []
    if let pipeline = filter.pipeline {
      conditions.append("pipeline = ?")
      arguments.append(pipeline)
    }
    if let since = filter.since {
      conditions.append("started >= ?")
      arguments.append(since.microseconds)
    }
    if let status = filter.status {
      conditions.append("status = ?")
      arguments.append(status.rawValue)
    }
    let sql = """
      SELECT * FROM runs WHERE \(conditions.joined(separator: " AND "))
        ORDER BY started DESC, id DESC LIMIT ?
      """
    arguments.append(filter.limit ?? -1)
    let given = StatementArguments(arguments)
    return try asking { db in
      try Row.fetchAll(db, sql: sql, arguments: given).map { RunSummary($0) }
    }
  }

  /// The names of all pipelines that ran.
  public func pipelines() throws(CatalogueError) -> [String] {
    try asking { db in
      try String.fetchAll(
        db, sql: "SELECT DISTINCT pipeline FROM runs WHERE pipeline <> '' ORDER BY pipeline")
    }
  }

  /// The run with this id, or the only one whose id begins so; `last` is the newest.
  ///
  /// - Throws: where there is none, or more than one.
  public func run(_ name: String) throws(CatalogueError) -> RunSummary {
    if same(name, "last") {
      guard let newest = try runs(RunFilter(limit: 1)).first else { throw noRuns }
      return newest
    }
    let found = try asking { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT * FROM runs WHERE substr(id, 1, length(?1)) = ?1
            ORDER BY id = ?1 DESC, started DESC LIMIT 6
          """, arguments: [name]
      ).map { RunSummary($0) }
    }
    guard let first = found.first, !name.utf8.isEmpty else {
      guard try runs(RunFilter(limit: 1)).first != nil else { throw noRuns }
      throw CatalogueError(
        code: "unknown_run", message: "there is no run \(name) in \(workspace.path)",
        fix: "`weir runs` lists them; another workspace is named with --workspace")
    }
    guard found.count == 1 || same(first.id, name) else {
      let ids = found.prefix(5).map(\.id).joined(separator: ", ")
      throw CatalogueError(
        code: "ambiguous_run",
        message: "more than one run begins with \(name): \(ids)\(found.count > 5 ? ", ..." : "")",
        fix: "write more of the id")
    }
    return first
  }

  private var noRuns: CatalogueError {
    CatalogueError(
      code: "no_runs", message: "nothing ran in \(workspace.path) yet",
      fix: "`weir run SPEC`, or name the folder of another workspace with --workspace")
  }
}
