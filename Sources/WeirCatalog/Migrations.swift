import GRDB

/// The schema of `catalog.db`, as the steps that lead to it. Steps are only ever added: a database of
/// any earlier version becomes one of this by those that it lacks.
enum CatalogueSchema {
  /// "Weir" in SQLite's header: tells the catalogue from any other database of that name.
  static let applicationID = 0x5765_6972

  static let migrator: DatabaseMigrator = {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("create runs and what they wrote and read") { db in
      try db.execute(sql: "PRAGMA application_id = \(applicationID)")
      try db.execute(sql: runs)
    }
    migrator.registerMigration("create the lifecycle of findings") { db in
      try db.execute(sql: lifecycle)
    }
    return migrator
  }()

  /// Times are microseconds since 1970 in UTC. `record`, `ledger` and `changes` are the JSON of the
  /// files of a run without what has a table of its own: what stays when its directory is pruned.
  private static let runs = """
    CREATE TABLE runs (
      id TEXT NOT NULL PRIMARY KEY,
      pipeline TEXT NOT NULL,
      status TEXT NOT NULL,
      started INTEGER NOT NULL,
      ended INTEGER,
      seconds REAL,
      exit INTEGER,
      out TEXT,
      directory TEXT,
      run_key TEXT,
      plan_sha256 TEXT,
      read INTEGER,
      quarantined INTEGER,
      is_unchanged INTEGER NOT NULL,
      record TEXT NOT NULL,
      ledger TEXT,
      changes TEXT,
      stamp TEXT NOT NULL,
      is_present INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX runs_by_start ON runs (started);
    CREATE INDEX runs_by_out ON runs (out, started);
    CREATE TABLE artefacts (
      run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
      path TEXT NOT NULL,
      sink TEXT NOT NULL,
      rows INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      sha256 TEXT NOT NULL,
      plan_sha256 TEXT NOT NULL,
      inputs TEXT NOT NULL,
      PRIMARY KEY (run, path)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE inputs (
      run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
      ordinal INTEGER NOT NULL,
      source TEXT NOT NULL,
      shard TEXT NOT NULL,
      bytes INTEGER NOT NULL,
      content TEXT NOT NULL,
      read INTEGER NOT NULL,
      written INTEGER NOT NULL,
      filtered INTEGER NOT NULL,
      deduplicated INTEGER NOT NULL,
      quarantined INTEGER NOT NULL,
      blank INTEGER NOT NULL,
      PRIMARY KEY (run, ordinal)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX inputs_by_content ON inputs (content);
    CREATE TABLE tasks (
      run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
      ordinal INTEGER NOT NULL,
      pass INTEGER NOT NULL,
      source TEXT NOT NULL,
      shard TEXT NOT NULL,
      key TEXT NOT NULL,
      reused INTEGER NOT NULL,
      seconds REAL NOT NULL,
      PRIMARY KEY (run, ordinal)
    ) STRICT, WITHOUT ROWID;
    """

  /// What became of each finding in each run; the state that a lifecycle has is that of its last run.
  private static let lifecycle = """
    CREATE TABLE lifecycle (
      run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
      ordinal INTEGER NOT NULL,
      lifecycle TEXT NOT NULL,
      state TEXT NOT NULL,
      entry TEXT NOT NULL,
      PRIMARY KEY (run, ordinal)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX lifecycle_by_identity ON lifecycle (lifecycle, run);
    """
}
