import GRDB
import Glibc
import WeirData
import WeirEngine

/// `catalog.db`: opened, brought to the schema of this version, and made anew where it is damaged.
///
/// Rollback journal and `synchronous = EXTRA`: Debian's SQLite has a bug that can damage a database in
/// WAL mode. A commit costs some milliseconds, and there are two a run.
struct CatalogueFile {
  static let name = "catalog.db"
  /// How long another process may hold the database, in seconds.
  static let patience = 10.0

  let path: String
  private let lockPath: String

  init(_ workspace: Workspace) {
    path = joinPath(workspace.path, CatalogueFile.name)
    lockPath = joinPath(workspace.path, "catalog.lock")
  }

  enum Problem: Error {
    /// Not a catalogue, or one that was damaged.
    case damaged(String)
    /// It cannot be used now: the disk is full, somebody holds it, it may only be read.
    case unusable(String)
    /// A later version of Weir made it.
    case newer
  }

  // MARK: Opening

  /// One process at a time opens it: two that bring it to a new schema, or set a damaged one aside,
  /// would be in each other's way.
  func open() throws -> (queue: DatabaseQueue, notes: [String]) {
    try locked {
      do {
        return (try connect(), [])
      } catch Problem.damaged(let reason) {
        if let queue = try lookAgain() { return (queue, []) }
        let kept = try setAside()
        return (
          try connect(),
          [
            "the catalogue was damaged (\(reason)) and was made anew from the directories of the runs; what it knew of runs that were pruned is lost; the damaged file is \(kept)"
          ]
        )
      }
    }
  }

  /// Opens a catalogue that seemed damaged once more: to SQLite a read that failed (EIO) is damage too,
  /// and another process may have mended it.
  ///
  /// - Returns: `nil` where it is damaged.
  private func lookAgain() throws -> DatabaseQueue? {
    do {
      let queue = try connect()
      return try isSound(queue) ? queue : nil
    } catch Problem.damaged {
      return nil
    }
  }

  /// Sets a catalogue aside that turned out to be damaged after it was opened.
  ///
  /// - Returns: whether it had to be.
  func replace(_ old: DatabaseQueue) throws -> (queue: DatabaseQueue, isNew: Bool) {
    try old.close()
    return try locked {
      if let queue = try lookAgain() { return (queue, false) }
      _ = try setAside()
      return (try connect(), true)
    }
  }

  private func isSound(_ queue: DatabaseQueue) throws -> Bool {
    do {
      // Not the quick one, which passes indices by.
      return try queue.read { try String.fetchOne($0, sql: "PRAGMA integrity_check(1)") } == "ok"
    } catch let error as DatabaseError {
      throw CatalogueFile.problem(error)
    }
  }

  /// A database in memory, with the same schema: for when there can be none on the disk.
  static func inMemory() throws -> DatabaseQueue {
    let queue = try DatabaseQueue(configuration: configuration(isOnDisk: false))
    try CatalogueSchema.migrator.migrate(queue)
    return queue
  }

  private func connect() throws -> DatabaseQueue {
    do {
      let queue = try DatabaseQueue(
        path: path, configuration: CatalogueFile.configuration(isOnDisk: true))
      let (isEmpty, application, isNewer) = try queue.read { db in
        (
          // The table of migrations is there before the first of them says whose database it is.
          try Int.fetchOne(
            db, sql: "SELECT count(*) FROM sqlite_master WHERE tbl_name <> 'grdb_migrations'") == 0,
          try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0,
          try CatalogueSchema.migrator.hasBeenSuperseded(db)
        )
      }
      guard isEmpty || application == CatalogueSchema.applicationID else {
        throw Problem.damaged("it is the database of another program")
      }
      guard !isNewer else { throw Problem.newer }
      try CatalogueSchema.migrator.migrate(queue)
      return queue
    } catch let error as DatabaseError {
      throw CatalogueFile.problem(error)
    }
  }

  private static func configuration(isOnDisk: Bool) -> Configuration {
    var configuration = Configuration()
    configuration.label = "weir.catalogue"
    configuration.busyMode = .timeout(patience)
    guard isOnDisk else { return configuration }
    configuration.prepareDatabase { db in
      _ = try String.fetchOne(db, sql: "PRAGMA journal_mode = DELETE")
      try db.execute(sql: "PRAGMA synchronous = EXTRA")
    }
    return configuration
  }

  /// What a failure of SQLite means for the catalogue.
  static func problem(_ error: DatabaseError) -> Problem {
    let text = error.message ?? "\(error.resultCode)"
    return switch error.resultCode {
    case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_READONLY,
      .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH, .SQLITE_NOMEM, .SQLITE_NOLFS,
      .SQLITE_INTERRUPT:
      .unusable(text)
    default: .damaged(text)
    }
  }

  // MARK: Files

  /// Renames it, with the journal that belongs to it: that one must not be rolled into a new database.
  private func setAside() throws -> String {
    let kept = path + ".damaged"
    for suffix in ["-journal", "-wal", "-shm"] {
      rename(path + suffix, kept + suffix)
    }
    guard rename(path, kept) == 0 || errno == ENOENT else {
      throw Problem.unusable("\(path) cannot be renamed: \(String(cString: strerror(errno)))")
    }
    return kept
  }

  private func locked<Result>(_ body: () throws -> Result) throws -> Result {
    let descriptor = Glibc.open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else {
      throw Problem.unusable("\(lockPath): \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    let end = ContinuousClock.now + .seconds(CatalogueFile.patience)
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else {
        throw Problem.unusable("\(lockPath): \(String(cString: strerror(errno)))")
      }
      guard ContinuousClock.now < end else {
        throw Problem.unusable("another process has held it for \(Int(CatalogueFile.patience)) s")
      }
      usleep(2_000)
    }
    return try body()
  }
}
