import GRDB
import WeirData
import WeirEngine

extension Catalogue {
  /// What the last run of an output that knew of each finding said of it.
  func knownFindings(out: String, before run: String) throws -> [Lifecycle.Known] {
    try retrying { queue in
      try queue.read { db in
        // Of the columns beside max() SQLite takes those of the row with the maximum.
        let rows = try Row.fetchCursor(
          db,
          sql: """
            SELECT lifecycle, state, entry, max(coalesce(ended, started)) FROM lifecycle
              JOIN runs ON runs.id = lifecycle.run
              WHERE runs.out = ? AND runs.id <> ? AND runs.status = 'done'
              GROUP BY lifecycle ORDER BY lifecycle
            """, arguments: [out, run])
        var known: [Lifecycle.Known] = []
        while let row = try rows.next() {
          guard let entry = JSONValue.stored(row["entry"]), let finding = SeenFinding(entry: entry)
          else { continue }
          let state: String = row["state"]
          known.append(
            Lifecycle.Known(
              lifecycle: row["lifecycle"], isOpen: !same(state, Lifecycle.State.resolved.rawValue),
              finding: finding, firstRun: entry.text("first_run") ?? "",
              firstSeen: entry.text("first_seen") ?? ""))
        }
        return known
      }
    }
  }

  /// The run whose outputs stand in a directory: the last that put them there, not one that found them
  /// in place.
  func run(withOutputs directory: String, of out: String) throws -> String? {
    try retrying { queue in
      try queue.read { db in
        try String.fetchOne(
          db,
          sql: """
            SELECT id FROM runs WHERE out = ? AND directory = ? AND status = 'done' AND NOT is_unchanged
              ORDER BY coalesce(ended, started) DESC LIMIT 1
            """, arguments: [out, directory])
      }
    }
  }
}
