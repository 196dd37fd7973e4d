import Glibc
import WeirData

/// The records behind the findings of a run, with where their shards lay: one JSON object a line in the
/// directory of the run. The first line has the shards, each other one a finding.
public struct EvidenceFile: Sendable {
  /// In the directory of the run.
  static let name = "evidence.jsonl"
  private static let bytesMax = 1 << 30

  /// A shard as it was when the run read it.
  public struct KnownShard: Sendable, Equatable {
    public var origin: ShardOrigin
    /// Absolute.
    public var path: String
    /// Hash of its bytes as they lay on the disk, hexadecimal.
    public var content: String
  }

  /// What is kept of one finding.
  public struct Entry: Sendable {
    public var findingID: String
    public var headline: String
    public var records: [EvidenceRecord]
    /// The shards of the records.
    public var shards: [KnownShard]

    public func shard(of record: EvidenceRecord) -> KnownShard? {
      shards.first { $0.origin == record.origin }
    }
  }

  let path: String

  public init(_ run: RunFolder) { path = joinPath(run.path, EvidenceFile.name) }
  init(directory: String) { path = joinPath(directory, EvidenceFile.name) }

  // MARK: Writing

  func write(_ evidence: [FindingEvidence], _ shards: [KnownShard]) throws {
    var places: [[UInt8]: Int] = [:]
    for (i, shard) in shards.enumerated() {
      places[OutputManifest.id(shard.origin.source, shard.origin.shard)] = i
    }
    var text = JSONValue.object([
      JSONMember(
        "shards",
        .array(
          shards.map {
            [
              "source": .text($0.origin.source), "shard": .string($0.origin.shard),
              "path": .text($0.path), "content": .text($0.content),
            ]
          }))
    ]).bytes()
    text.append(0x0A)
    for finding in evidence {
      let records = finding.records.map { record -> JSONValue in
        [
          "role": .text(record.role.rawValue),
          "shard": .int(
            places[OutputManifest.id(record.origin.source, record.origin.shard)] ?? -1),
          "line": .int(record.line), "byte_offset": .int(record.byteOffset),
          "date": .text(record.date), "why": .text(record.why),
        ]
      }
      let line: JSONValue = [
        "finding_id": .text(finding.findingID), "headline": .text(finding.headline),
        "records": .array(records),
      ]
      text += line.bytes()
      text.append(0x0A)
    }
    let descriptor = openFile(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    guard descriptor >= 0 else { throw fail(path, "create") }
    defer { close(descriptor) }
    try text.withUnsafeBufferPointer { bytes throws(FileError) in
      try writeAll(bytes, to: descriptor, path: path)
    }
  }

  // MARK: Reading

  public var isThere: Bool { exists(path) }

  /// The finding whose id is or begins with `id`.
  ///
  /// - Returns: `nil` where the run has none.
  /// - Throws: ``RunError`` `ambiguous_finding` for the beginning of several, `record_damaged` where
  ///   somebody changed the file.
  public func find(_ id: String) throws -> Entry? {
    guard isThere else { return nil }
    let bytes = try readWholeFile(path, limit: EvidenceFile.bytesMax)
    let lines = bytes.split(separator: 0x0A)
    let mark = Array("{\"finding_id\":\"\(id)".utf8)
    let found = try lines.dropFirst().filter { $0.starts(with: mark) }.map { try parse($0) }
    let exact = found.filter { $0.text("finding_id").map { same($0, id) } ?? false }
    let hits = exact.isEmpty ? found : exact
    guard let hit = hits.first else { return nil }
    let names = hits.compactMap { $0.text("finding_id") }
    if hits.contains(where: { !same($0.text("finding_id") ?? "", names[0]) }) {
      throw RunError(
        code: "ambiguous_finding", message: "\(hits.count) findings begin with \(shown(id))",
        fix: "name one of \(alternatives(Array(names.prefix(5))))")
    }
    guard let head = lines.first, let entry = try entry(hit, parse(head)) else { throw damaged }
    return entry
  }

  private func entry(_ finding: JSONValue, _ head: JSONValue) throws -> Entry? {
    guard let id = finding.text("finding_id"), let headline = finding.text("headline"),
      let records = finding["records"]?.asArray, let list = head["shards"]?.asArray
    else { return nil }
    let shards = list.compactMap { shard -> KnownShard? in
      guard let source = shard.text("source"), case .string(let name)? = shard["shard"],
        let path = shard.text("path"), let content = shard.text("content")
      else { return nil }
      return KnownShard(
        origin: ShardOrigin(source: source, shard: name), path: path, content: content)
    }
    guard shards.count == list.count else { return nil }
    var used: [KnownShard] = []
    var read: [EvidenceRecord] = []
    for record in records {
      guard let role = record.text("role").flatMap({ EvidenceRecord.Role(rawValue: $0) }),
        let place = record.int("shard"), shards.indices.contains(place),
        let line = record.int("line"), let offset = record.int("byte_offset"),
        let date = record.text("date"), let why = record.text("why")
      else { return nil }
      let shard = shards[place]
      if !used.contains(shard) { used.append(shard) }
      read.append(
        EvidenceRecord(
          role: role, origin: shard.origin, line: line, byteOffset: offset, date: date, why: why))
    }
    return Entry(findingID: id, headline: headline, records: read, shards: used)
  }

  private func parse(_ line: ArraySlice<UInt8>) throws -> JSONValue {
    do throws(JSONError) { return try JSONValue(reading: Array(line)) } catch { throw damaged }
  }

  private var damaged: RunError {
    RunError(
      code: "record_damaged", message: "\(path) holds something else than evidence",
      fix: "somebody has changed that file: run the pipeline again with --force to have it anew")
  }
}

extension Plan {
  /// Writes the evidence of all findings, and of the shards those that it names.
  ///
  /// - Returns: the file, which is not flushed yet; none where no finding has evidence.
  func writeEvidence(
    _ made: [Int: [String: StageOutput]], _ states: [ShardState], in directory: String
  ) throws -> [String] {
    var evidence: [FindingEvidence] = []
    for stage in made.keys.sorted() {
      for port in made[stage]!.keys.sorted() {
        if case .findings(let set)? = made[stage]![port] { evidence += set.evidence }
      }
    }
    guard !evidence.isEmpty else { return [] }
    var wanted: Set<[UInt8]> = []
    for finding in evidence {
      for record in finding.records {
        wanted.insert(OutputManifest.id(record.origin.source, record.origin.shard))
      }
    }
    let shards = states.compactMap { state -> EvidenceFile.KnownShard? in
      let source = stage(lanes[state.lane].stage).name
      guard wanted.contains(OutputManifest.id(source, state.shard.name)) else { return nil }
      return EvidenceFile.KnownShard(
        origin: ShardOrigin(source: source, shard: state.shard.name),
        path: absolutePath(state.shard.path), content: state.contentHash?.hex ?? "")
    }
    let file = EvidenceFile(directory: directory)
    try file.write(evidence, shards)
    return [file.path]
  }
}
