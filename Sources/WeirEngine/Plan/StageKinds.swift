import WeirData

// The five kinds of stage, and nothing else in the engine. A stage is bound once for every way that
// records take to it (its *instances*): binding checks fields, gives out columns, reads the files
// that the options name, and starts nothing. What is bound is shared; a worker belongs to one task.

// MARK: - Source

/// Names its shards and reads each into batches.
public protocol SourceStage: Stage {
  /// Options that say which shards there are, and nothing about what is in them.
  static var findingOptions: [String] { get }
  func bind(_ context: BindContext, _ problems: inout Problems) -> (any BoundSource)?
}

public protocol BoundSource: Sendable {
  /// The fields of its records.
  var scope: Scope { get }
  /// The shards there are now, in order of their names. Looks at the disk.
  func findShards() throws -> [Shard]
  /// What its shards may hold.
  var limits: ShardLimits { get }
  /// Whether a shard that cannot be read whole is set aside, instead of failing the run.
  var setsBadShardsAside: Bool { get }
  /// Makes one that is used for one shard after the other.
  func makeScanner() -> any BatchScanner
}

extension BoundSource {
  public var setsBadShardsAside: Bool { false }
}

/// One input file.
public struct Shard: Sendable {
  /// Where it is opened.
  public var path: String
  /// Its path below the literal prefix of the glob that found it, as bytes: the name that stays the
  /// same wherever the data lies.
  public var name: [UInt8]
  /// Bytes on disk.
  public var size: Int
  /// Values of the `key=value` directories, in the order of the source's scope.
  public var pathValues: [[UInt8]?]

  public init(path: String, name: [UInt8], size: Int, pathValues: [[UInt8]?] = []) {
    self.path = path
    self.name = name
    self.size = size
    self.pathValues = pathValues
  }

  public var nameText: String { String(decoding: name, as: UTF8.self) }
}

/// Turns blocks of lines into batches. Does no I/O.
public protocol BatchScanner: AnyObject, Sendable {
  /// - Parameter shard: the one that the block is of.
  func scan(_ block: consuming LineBlock, of shard: Shard) -> ScannedBatch
  /// Whether its batches say where the values of the record columns stand in the text
  /// (`Batch/places(ofColumn:)`), for those who write records.
  var keepsPlaces: Bool { get set }
}

/// A batch as it leaves the source.
public struct ScannedBatch: ~Copyable, Sendable {
  public var batch: Batch
  /// The rows that are records.
  public var selection: Selection
  public var refusals: [Refusal]
  /// Lines that are neither: nothing but white space.
  public var blank: Int

  public init(
    batch: consuming Batch, selection: Selection, refusals: [Refusal], blank: Int
  ) {
    self.batch = batch
    self.selection = selection
    self.refusals = refusals
    self.blank = blank
  }
}

/// A record that a stage cannot use, on its way to the quarantine.
public struct Refusal: Sendable {
  /// 1-based line of the shard.
  public var line: Int
  /// Where the line begins in the decompressed shard, in bytes.
  public var byteOffset: Int
  /// Stable, `snake_case`.
  public var code: String
  public var field: String?
  public var message: String
  /// The line, or its beginning; `nil` where the batch has no text (it is read again then).
  public var raw: [UInt8]?
  /// Of a line that was cut: all its bytes, and their SHA-256.
  public var cut: (length: Int, sha256: [UInt8])?

  public init(
    line: Int, byteOffset: Int, code: String, field: String? = nil, message: String,
    raw: [UInt8]? = nil, cut: (length: Int, sha256: [UInt8])? = nil
  ) {
    self.line = line
    self.byteOffset = byteOffset
    self.code = code
    self.field = field
    self.message = message
    self.raw = raw
    self.cut = cut
  }

  /// A refusal of row `row` of `batch`.
  public init(
    row: Int, of batch: borrowing Batch, code: String, field: FieldPath? = nil, message: String
  ) {
    self.init(
      line: Int(batch.lines[row].number), byteOffset: batch.byteOffset(ofRow: row), code: code,
      field: field?.text, message: message,
      raw: batch.bytes.count > 0 ? Array(batch.text(ofRow: row)) : nil)
  }
}

// MARK: - Map

/// Batch in, the same batch out: new columns, fewer rows. Stateless from record to record.
public protocol MapStage: Stage {
  /// The fields that it adds, as far as its options name them; for messages only.
  var newFields: [String] { get }

  func bind(
    _ scope: inout Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundMap)?
}

extension MapStage {
  public var newFields: [String] { [] }
}

/// A map that makes one of the records that come to it in several ways, and is told of all of them.
public protocol JoiningStage: MapStage {
  /// - Parameters:
  ///   - way: the one that is bound.
  ///   - ways: all of them, in their order; their columns mean nothing here.
  func bind(
    _ scope: inout Scope, _ way: JoinedWay, among ways: [JoinedWay], _ context: BindContext,
    _ problems: inout Problems
  ) -> (any BoundMap)?
}

/// One of several ways to a stage.
public struct JoinedWay: Sendable {
  /// As `inputs` names it, and where.
  public var input: String
  public var node: SpecNode
  /// In front of the stage.
  public var scope: Scope
}

public protocol BoundMap: Sendable {
  /// Columns whose values it reads.
  var columnsRead: [Int] { get }
  /// Whether it may drop records for what is in them.
  var filters: Bool { get }
  /// The outputs that its workers send records to (``RoutingWorker``); empty: there is only one.
  var ports: [String] { get }
  /// What its workers hold records against (``CheckingWorker``).
  var checks: [RecordCheck] { get }
  func makeWorker() -> any MapWorker
}

extension BoundMap {
  public var ports: [String] { [] }
  public var checks: [RecordCheck] { [] }
}

/// A rule of a stage that is counted in the ledger.
public struct RecordCheck: Sendable {
  public var name: String
  /// What becomes of a record that does not meet it, in a word.
  public var level: String

  public init(name: String, level: String) {
    self.name = name
    self.level = level
  }
}

public protocol MapWorker: AnyObject {
  /// Narrows `selection`. Every row that leaves it is either in `refusals` or counted as filtered:
  /// returns how many were filtered.
  func apply(
    _ batch: inout Batch, _ selection: inout Selection, _ refusals: inout [Refusal]
  ) -> Int
}

/// Sends each record to one of several outputs.
public protocol RoutingWorker: MapWorker {
  /// Of the last batch: the rows for each of ``BoundMap/ports``, disjoint, and together what `apply`
  /// left.
  var routes: [Selection] { get }
}

/// Holds records against rules.
public protocol CheckingWorker: MapWorker {
  /// Of the last batch, for each of ``BoundMap/checks``: how many records do not meet it, and the row of
  /// the first.
  var failures: [(count: Int, first: Int)] { get }
}

// MARK: - Barrier

/// Needs to see every record before it lets one pass: a key and an order for each, of equal keys one
/// is kept, or some.
public protocol BarrierStage: Stage {
  func bind(_ scope: Scope, _ context: BindContext, _ problems: inout Problems) -> BarrierRule?
}

public struct BarrierRule: Sendable {
  public struct Column: Sendable {
    public var field: FieldPath
    public var type: FieldType
    public var column: Int

    public init(field: FieldPath, type: FieldType, column: Int) {
      self.field = field
      self.type = type
      self.column = column
    }
  }
  /// Records with equal values in all of them are one; a null in any is refused as `missing_key`.
  public var key: [Column]
  /// Null is lowest; ties fall to the position in the input.
  public var order: [Column]
  public var keepsLast: Bool
  /// Keeps several records of each key instead of one; not together with ``order``.
  public var draw: Draw?

  /// Which records of a key stay where several do.
  public struct Draw: Sendable {
    /// How many: those with the lowest hash.
    public var count: Int
    /// Columns that are hashed; a null in any is refused as `missing_key`.
    public var columns: [Column]
    /// Another seed gives another choice.
    public var seed: UInt64

    public init(count: Int, columns: [Column], seed: UInt64) {
      self.count = count
      self.columns = columns
      self.seed = seed
    }
  }

  public init(key: [Column], order: [Column], keepsLast: Bool) {
    self.key = key
    self.order = order
    self.keepsLast = keepsLast
  }

  /// Of each key, null being one like any other, `draw.count` records stay; the others count as
  /// filtered.
  public init(key: [Column], draw: Draw) {
    self.init(key: key, order: [], keepsLast: false)
    self.draw = draw
  }

  var columnsRead: [Int] { (key + order + (draw?.columns ?? [])).map(\.column) }
}

// MARK: - Reduce

/// Makes rows or findings of many records: a partial a shard, merged in the order of the shards.
public protocol ReduceStage: Stage {
  func bind(
    _ scope: Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundReduce)?
  /// Makes the one that takes all partials. `instances` are what ``bind`` returned, in order.
  func makeMerger(_ instances: [any BoundReduce]) -> any ReduceMerger
}

public protocol BoundReduce: Sendable {
  var columnsRead: [Int] { get }
  /// Whether its partials ask where records begin in the shard (`Batch/byteOffset(ofRow:)`): columns that
  /// are kept for a later pass then keep that too.
  var readsOffsets: Bool { get }
  func makePartial() -> any ReducePartial
}

extension BoundReduce {
  public var readsOffsets: Bool { false }
}

public protocol ReducePartial: AnyObject {
  /// Takes the selected rows in order; those it cannot take go to `refusals`.
  func add(_ batch: borrowing Batch, _ selection: Selection, _ refusals: inout [Refusal])
  /// All it has seen, as bytes that depend on nothing else: what a cache or another machine keeps.
  func encode() -> [UInt8]
  /// Forgets all that it has seen, to be used for another shard.
  ///
  /// - Returns: false where another one is to be made for that.
  func reset() -> Bool
}

extension ReducePartial {
  public func reset() -> Bool { false }
}

public protocol ReduceMerger: AnyObject {
  /// Takes the partials in the order of their shards.
  func merge(_ partial: [UInt8]) throws
  /// How many records the partials held: the reduce's own count, held against the ledger.
  var recordCount: Int { get }
  /// The outputs by port.
  func finish() throws -> [String: StageOutput]
}

/// What a finished stage hands on.
public enum StageOutput: Sendable {
  case rows(RowTable)
  case findings(FindingSet)
}

/// Derived rows: every row has one value a column.
public struct RowTable: Sendable {
  public var columns: [String]
  public var rows: RowList
  /// What the rows are called by; `nil`: nothing tells them apart.
  public var identity: RowIdentity?

  public init(columns: [String], rows: RowList = RowList(), identity: RowIdentity? = nil) {
    self.columns = columns
    self.rows = rows
    self.identity = identity
  }

  /// Each row as an object, its members in the order of the columns.
  public var objects: [JSONValue] {
    rows.map { row in .object(zip(columns, row).map { JSONMember($0, $1) }) }
  }
}

/// What tells the rows of a table apart, for those who compare it with that of another run.
public struct RowIdentity: Sendable, Equatable {
  /// Columns that tell every row from all others; empty: there is one row.
  public var keys: [String]
  /// Columns that are worked out of the whole history, so that each new day moves all of them: no
  /// number that was counted.
  public var estimates: [String]
  /// Rows with this text in this column say that they are not final.
  public var provisional: (column: String, text: String)?

  public init(
    keys: [String], estimates: [String] = [], provisional: (column: String, text: String)? = nil
  ) {
    self.keys = keys
    self.estimates = estimates
    self.provisional = provisional
  }

  public static func == (a: RowIdentity, b: RowIdentity) -> Bool { a.members == b.members }

  /// What holds of it in a file that has only `columns`; `nil` where they lack a part of the key: such
  /// rows can be equal.
  public func cut(to columns: [String]) -> RowIdentity? {
    let names = Set(columns.map { Array($0.utf8) })
    func isThere(_ name: String) -> Bool { names.contains(Array(name.utf8)) }
    guard keys.allSatisfy(isThere) else { return nil }
    return RowIdentity(
      keys: keys, estimates: estimates.filter(isThere),
      provisional: provisional.flatMap { isThere($0.column) ? $0 : nil })
  }

  /// As a manifest has it.
  var members: [JSONMember] {
    var members = [JSONMember("keys", .array(keys.map { .text($0) }))]
    if !estimates.isEmpty {
      members.append(JSONMember("estimates", .array(estimates.map { .text($0) })))
    }
    if let provisional {
      members.append(
        JSONMember(
          "provisional", .object([JSONMember(provisional.column, .text(provisional.text))])))
    }
    return members
  }
}

/// What somebody should look at.
public struct FindingSet: Sendable {
  /// One object each, in the order to read them.
  public var findings: [JSONValue]
  /// How many there are of each level.
  public var levels: [(level: String, count: Int)]
  /// What a report needs beyond the findings; stages that belong together know its type.
  public var detail: (any Sendable)?
  /// The records behind the findings, for those that have any.
  public var evidence: [FindingEvidence] = []

  public init(
    findings: [JSONValue], levels: [(level: String, count: Int)], detail: (any Sendable)? = nil
  ) {
    self.findings = findings
    self.levels = levels
    self.detail = detail
  }
}

// MARK: - Sink

/// Writes what reaches it below the output directory.
public protocol SinkStage: Stage {
  /// For records: bound for every instance.
  func bindRecords(
    _ scope: Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundRecordSink)?
  /// Checks a path that rows or findings go to.
  func checkResultPath(_ problems: inout Problems)
  /// For rows and findings: called when all are there.
  func write(_ input: StageOutput, _ facts: RunFacts) throws -> [OutputFile]
  /// Paths that are known before the run, to find two sinks that write the same file.
  var staticPath: String? { get }
}

public protocol BoundRecordSink: Sendable {
  var columnsRead: [Int] { get }
  /// Whether its writers ask where values stand in the text of the records.
  var needsPlaces: Bool { get }
  /// - Parameter sibling: a writer of the same stage for records that come another way: they share
  ///   their files, so what both hand on must stand in the order in which it came.
  func makeWriter(beside sibling: (any RecordWriter)?) -> any RecordWriter
  /// What every file begins with, as it is to stand on disk.
  var fileHead: [UInt8] { get }
  /// A file that exists even where no record came.
  var emptyFile: (path: String, bytes: [UInt8])? { get }
  /// More files than this are an error.
  var maxFiles: Int { get }
}

public protocol RecordWriter: AnyObject {
  /// Takes the selected rows in order. Rows that cannot be written go to `refusals`.
  ///
  /// - Throws: ``TooManyFiles`` when the shard alone has more than ``BoundRecordSink/maxFiles``.
  func add(
    _ batch: borrowing Batch, _ selection: Selection, _ refusals: inout [Refusal],
    _ emit: (SinkPiece) -> Void) throws(TooManyFiles)
  func finish(_ emit: (SinkPiece) -> Void)
}

/// A record sink would write more files than it may.
public struct TooManyFiles: Error {
  public init() {}
}

/// What one shard adds to one file; the pieces of a file are joined in the order of the shards. Each
/// is encoded by itself, by whoever has time.
public struct SinkPiece: Sendable {
  /// Below the output directory.
  public var path: String
  public var text: PieceText
  public var encoding: PieceEncoding
  public var rows: Int

  public init(path: String, text: PieceText, encoding: PieceEncoding, rows: Int) {
    self.path = path
    self.text = text
    self.encoding = encoding
    self.rows = rows
  }
}

/// A whole file that a sink wants to stand in the output directory.
public struct OutputFile: Sendable {
  public var path: String
  public var bytes: [UInt8]
  public var rows: Int
  /// Of a file of rows that are told apart.
  public var identity: RowIdentity?

  public init(path: String, bytes: [UInt8], rows: Int, identity: RowIdentity? = nil) {
    self.path = path
    self.bytes = bytes
    self.rows = rows
    self.identity = identity
  }
}
