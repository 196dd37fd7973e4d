import WeirData

/// One record on an edge of a plan.
struct CapturedRecord: Sendable {
  /// Place of its shard in the order of all input.
  var shard: Int
  var line: Int
  /// As the record would be written here, without line end.
  var text: [UInt8]
  /// Fields that no record has: those of the path of its shard.
  var pathFields: [JSONMember]
  /// The value of the field by which records are grouped.
  var group: JSONValue?
  /// What the stage that is looked at makes of it, where that is a sink.
  var written: (path: String, text: [UInt8])?
}

/// What was seen on one edge, in the order of the input. Filled by one task after the other.
final class Capture: @unchecked Sendable {
  /// Stands in the order of all input; set before a shard is gone over.
  final class Place: @unchecked Sendable {
    var shard = 0
    var lane = 0
  }

  let place: Place
  var records: [CapturedRecord] = []
  /// How many there were, also those that were not kept.
  var count = 0
  /// The same by group, in the order of first sight.
  private(set) var groups: [(value: JSONValue, count: Int)] = []
  private var groupPlaces: [[UInt8]: Int] = [:]
  private var laneCounts: [Int: Int] = [:]
  /// So many are kept of each source, or of each group if there are groups.
  let limit: Int

  init(_ place: Place, limit: Int = .max) {
    self.place = place
    self.limit = limit
  }

  /// Counts one more.
  ///
  /// - Returns: whether it is to be kept.
  func note(_ group: JSONValue?) -> Bool {
    count += 1
    guard let group else {
      laneCounts[place.lane, default: 0] += 1
      return laneCounts[place.lane]! <= limit
    }
    let key = group.bytes()
    let index = groupPlaces[key] ?? groups.count
    if index == groups.count {
      groupPlaces[key] = index
      groups.append((group, 0))
    }
    groups[index].count += 1
    return groups[index].count <= limit
  }
}

/// Takes what flows over an edge, as records of a ``RecordForm``.
struct CaptureStage: SinkStage {
  static let manual = StageManual(
    type: "capture", kind: .sink, summary: "Keeps what reaches it.", accepts: EdgeKind.allCases,
    example: "{}")

  let form: any SinkStage
  let capture: Capture
  /// A sink whose doing with each record is wanted too.
  let probe: (any SinkStage)?
  let groupBy: FieldPath?

  init(
    _ form: any SinkStage, _ capture: Capture, probe: (any SinkStage)? = nil, by: FieldPath? = nil
  ) {
    self.form = form
    self.capture = capture
    self.probe = probe
    groupBy = by
  }

  init?(_ options: Options, _ problems: inout Problems) { return nil }

  func bindRecords(
    _ scope: Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundRecordSink)? {
    guard let form = form.bindRecords(scope, context, &problems) else { return nil }
    var probes: (any BoundRecordSink)?
    if let probe {
      guard let bound = probe.bindRecords(scope, context, &problems) else { return nil }
      probes = bound
    }
    // A field that another way does not have is null there.
    let group = groupBy.map { scope.field($0)?.column }
    return BoundCapture(
      form: form, probe: probes, capture: capture,
      pathFields: scope.fields.filter { $0.isOfPath }, group: group)
  }

  func checkResultPath(_ problems: inout Problems) {}
  func write(_ input: StageOutput, _ facts: RunFacts) throws -> [OutputFile] { [] }
  var staticPath: String? { nil }
}

private struct BoundCapture: BoundRecordSink {
  let form: any BoundRecordSink
  let probe: (any BoundRecordSink)?
  let capture: Capture
  let pathFields: [Scope.Field]
  let group: Int??

  var columnsRead: [Int] {
    form.columnsRead + (probe?.columnsRead ?? []) + pathFields.map(\.column)
      + ((group ?? nil).map { [$0] } ?? [])
  }
  var needsPlaces: Bool { form.needsPlaces || probe?.needsPlaces ?? false }
  var fileHead: [UInt8] { [] }
  var emptyFile: (path: String, bytes: [UInt8])? { nil }
  var maxFiles: Int { .max }

  func makeWriter(beside sibling: (any RecordWriter)?) -> any RecordWriter { CaptureWriter(self) }
}

private final class CaptureWriter: RecordWriter {
  private let bound: BoundCapture
  private let writer: any RecordWriter
  private let shard: Int

  init(_ bound: BoundCapture) {
    self.bound = bound
    writer = bound.form.makeWriter(beside: nil)
    shard = bound.capture.place.shard
  }

  func add(
    _ batch: borrowing Batch, _ selection: Selection, _ refusals: inout [Refusal],
    _ emit: (SinkPiece) -> Void
  ) throws(TooManyFiles) {
    for row in selection.rows {
      let group = bound.group.map { column in
        column.map { batch.column($0)[Int(row)].jsonValue } ?? .null
      }
      guard bound.capture.note(group) else { continue }
      let one = Selection(rows: [row])
      let (_, text) = try CaptureWriter.write(one, batch, writer)
      var record = CapturedRecord(
        shard: shard, line: Int(batch.lines[Int(row)].number), text: text,
        pathFields: bound.pathFields.map {
          JSONMember($0.path.text, batch.column($0.column)[Int(row)].jsonValue)
        }, group: group)
      // A writer of its own: where its pieces end must say where this record is.
      if let probe = bound.probe?.makeWriter(beside: nil) {
        let (path, text) = try CaptureWriter.write(one, batch, probe)
        if let path { record.written = (path, text) }
      }
      bound.capture.records.append(record)
    }
  }

  func finish(_ emit: (SinkPiece) -> Void) {}

  private static func write(
    _ selection: Selection, _ batch: borrowing Batch, _ writer: any RecordWriter
  ) throws(TooManyFiles) -> (path: String?, text: [UInt8]) {
    var path: String?
    var text: [UInt8] = []
    // What is refused is told by the stage itself.
    var refused: [Refusal] = []
    func take(_ piece: SinkPiece) {
      path = piece.path
      text.append(contentsOf: piece.text.view)
    }
    try writer.add(batch, selection, &refused, take)
    writer.finish(take)
    while let last = text.last, last == 0x0A || last == 0x0D { text.removeLast() }
    return (path, text)
  }
}
