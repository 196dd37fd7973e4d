import WeirData

/// What a stage makes of the first records that reach it.
public struct Preview: Sendable {
  public struct Request: Sendable {
    public var stage: StageReference
    /// Records that are to reach the stage, of each group and source; `nil`: as many as are good for it.
    public var records: Int?
    /// A field of the records in front of the stage: of each of its values there are to be so many.
    public var groupBy: FieldPath?
    /// Lines read of a source at most.
    public var linesMax = 1_000_000

    public init(_ stage: StageReference) { self.stage = stage }
  }

  /// Records that are enough to see what a stage does to each, and what it makes of many.
  static func records(for kind: StageKind, _ stage: CheckedStage) -> Int {
    switch kind {
    case .source, .map: 10
    case .barrier, .reduce: 10_000
    case .sink: stage.inputs.contains { $0.carries != .records } ? 10_000 : 10
    }
  }

  public struct ShardRead: Sendable {
    public var source: String
    public var shard: String
    public var lines: Int
    public var isWhole: Bool
  }

  public enum Outcome: String, Sendable {
    case changed, unchanged, filtered, refused, deduplicated, written
  }

  public struct Record: Sendable {
    public var source: String
    public var shard: String
    public var line: Int
    public var group: JSONValue?
    public var outcome: Outcome
    /// As it would be written in front of the stage.
    public var before: [UInt8]
    /// Behind it; of a sink what it writes. `nil` where it goes no further.
    public var after: [UInt8]?
    /// Output that it leaves by, or the file that it goes to.
    public var way: String?
    public var changes: [FieldChange]
    public var refusal: Refused?
    /// Of a record that a barrier removed: the one that stays.
    public var winner: (shard: String, line: Int, text: [UInt8]?)?
  }

  public struct Refused: Sendable {
    public var source: String
    public var shard: String
    public var line: Int
    public var stage: String
    public var code: String
    public var field: String?
    public var message: String
    /// As far as the quarantine keeps it; repaired where it is not UTF-8.
    public var raw: String
  }

  public struct Table: Sendable {
    /// Of a stage an output, of a sink a file.
    public var name: String
    public var rows: RowTable
  }
  public struct File: Sendable {
    public var path: String
    public var lines: [[UInt8]]
    public var bytes: Int
  }

  public var pipeline: String
  public var stage: String
  public var type: String
  public var kind: StageKind
  public var wanted: Int
  public var groupField: String?
  public var shards: [ShardRead]
  public var shardsInAll: Int
  public var shardsSetAside: [String]
  /// Whether reading ended at the most lines that were allowed.
  public var isCutShort: Bool
  /// Whether all there is was read.
  public var isComplete: Bool
  /// Stages in front of it, with where their records went.
  public var way: [Ledger.Stage]
  public var counts: StageCounts
  /// Refused in front of the stage.
  public var refusedBefore: [Refused]
  public var records: [Record]
  /// How many records reached the stage, of each group if there are groups.
  public var reached: Int
  public var groups: [(value: JSONValue, count: Int)]
  public var tables: [Table]
  public var findings: [JSONValue]?
  public var files: [File]

  public var linesRead: Int { shards.reduce(0) { $0 + $1.lines } }
}

extension Plan {
  /// Shows what a stage makes of the first records that reach it: reads as much of the shards as that
  /// needs, and runs the part of the plan that leads to the stage in memory.
  public func preview(_ request: Preview.Request, form: RecordForm) async throws -> Preview {
    try await PreviewMaker(plan: self, request: request, form: form).make()
  }

  /// The fields that a stage looks at.
  func fieldsRead(by stage: Int) -> Set<FieldPath> {
    var fields: Set<FieldPath> = []
    for lane in lanes where lane.stage == stage {
      fields.formUnion(lane.source.scope.fields.map(\.path))
    }
    for node in lanes.lazy.flatMap(\.nodes) where node.stage == stage {
      let read = Set(node.columnsRead)
      for field in node.scope.fields where read.contains(field.column) { fields.insert(field.path) }
    }
    return fields
  }
}
