import WeirData

/// The numbers of a ledger by the names that tests have for them.
enum TestLedger {
  static let runKeys = ["read", "written", "filtered", "deduplicated", "quarantined", "blank"]
  static let stageKeys = [
    "in", "out", "filtered", "deduplicated", "quarantined", "aggregated", "written",
  ]

  /// Objects in the numbers of a stage: records by output, and those that do not meet a rule.
  static let stageObjects = ["outputs", "failed"]

  /// The numbers of one of ``stageObjects`` by name.
  static func values(_ key: String, _ stage: Ledger.Stage) -> [(name: String, count: Int)] {
    same(key, "outputs")
      ? stage.ports.map { ($0.name, $0.records) } : stage.checks.map { ($0.name, $0.failed) }
  }

  static func value(_ key: String, _ r: RecordCounts) -> Int {
    switch key {
    case "read": r.read
    case "written": r.written
    case "filtered": r.filtered
    case "deduplicated": r.deduplicated
    case "quarantined": r.quarantined
    default: r.blank
    }
  }

  static func value(_ key: String, _ c: StageCounts) -> Int {
    switch key {
    case "in": c.in
    case "out": c.out
    case "filtered": c.filtered
    case "deduplicated": c.deduplicated
    case "quarantined": c.quarantined
    default: c.taken
    }
  }

  /// The numbers of a run that are not 0, and how many were read.
  static func json(_ r: RecordCounts) -> JSONValue {
    .object(
      runKeys.compactMap { key in
        let count = value(key, r)
        return count > 0 || key == "read" ? JSONMember(key, .int(count)) : nil
      })
  }
}
