import GRDB
import WeirData
import WeirEngine

/// Brings the catalogue in line with the directories of the runs, which are the truth: a run that
/// crashed before it was noted, one whose process is gone, a catalogue that is new.
struct Reconciliation {
  let workspace: Workspace

  struct Outcome {
    var added = 0
    var changed = 0
  }

  func run(_ queue: DatabaseQueue) throws -> Outcome {
    let (entries, gone, added) = try difference(queue)
    guard !entries.isEmpty || !gone.isEmpty else { return Outcome() }
    try queue.inDatabase { db in
      try db.inTransaction(.immediate) {
        for entry in entries { try entry.save(db) }
        for id in gone {
          try db.execute(sql: "UPDATE runs SET is_present = 0 WHERE id = ?", arguments: [id])
        }
        return .commit
      }
    }
    return Outcome(added: added, changed: entries.count - added + gone.count)
  }

  private struct Known {
    var stamp: String
    var isRunning: Bool
    var isPresent: Bool
  }

  /// What the directories say and the catalogue does not yet; and the runs whose directory is gone.
  private func difference(
    _ queue: DatabaseQueue
  ) throws -> (entries: [RunEntry], gone: [String], added: Int) {
    var known: [[UInt8]: Known] = [:]
    try queue.read { db in
      let rows = try Row.fetchCursor(
        db, sql: "SELECT id, stamp, status = 'running' AS running, is_present FROM runs")
      while let row = try rows.next() {
        let id: String = row["id"]
        known[Array(id.utf8)] = Known(
          stamp: row["stamp"], isRunning: row["running"], isPresent: row["is_present"])
      }
    }
    var entries: [RunEntry] = []
    var added = 0
    for name in try Reconciliation.runNames(workspace) {
      let before = known.removeValue(forKey: name)
      let id = String(decoding: name, as: UTF8.self)
      let directory = joinPath(workspace.runsPath, id)
      if let before, before.isPresent, !before.isRunning,
        same(before.stamp, RunEntry.stamp(directory))
      {
        continue
      }
      guard let entry = RunEntry(id, directory: directory) else { continue }
      if before == nil { added += 1 }
      // One that still runs as it did is no news.
      if let before, before.isPresent, before.isRunning, entry.status == .running,
        same(before.stamp, entry.stamp)
      {
        continue
      }
      entries.append(entry)
    }
    let gone = known.filter { $0.value.isPresent }.map { String(decoding: $0.key, as: UTF8.self) }
    return (entries, gone.sorted(), added)
  }

  /// Names of the directories of runs; none where there is no workspace yet. A name that begins with a
  /// point is of one that is being removed.
  static func runNames(_ workspace: Workspace) throws(FileError) -> [[UInt8]] {
    do throws(FileError) {
      return try directoryEntries(workspace.runsPath).filter { $0.first != UInt8(ascii: ".") }
    } catch {
      guard error.isNotThere else { throw error }
      return []
    }
  }
}
