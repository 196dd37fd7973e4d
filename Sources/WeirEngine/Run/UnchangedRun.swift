import Glibc
import WeirData

/// Looks whether the outputs in place are those that a run would make: of the same plan, parameters
/// and input bytes. Then there is nothing to do.
struct UnchangedRun {
  private static let manifestBytesMax = 256 << 20

  let plan: Plan
  let states: [ShardState]
  let output: OutputDirectory
  let store: TaskStore?

  /// What the run came to that made the outputs in place; `nil` where this one would make others, or
  /// they are not as they were made. Blocks.
  func find() throws -> Outcome? {
    guard let manifest = try readManifest(), try isSameInput(manifest) else { return nil }
    let runKey = plan.runKey(states)
    guard manifest["run_key"] == .text(runKey) else { return nil }
    var outputs: [OutputRecord] = []
    for file in manifest["files"]?.array ?? [] {
      guard let record = OutputRecord(manifest: file) else { return nil }
      var status = stat()
      guard lstat(joinPath(output.path, record.path), &status) == 0,
        Int(status.st_size) == record.bytes
      else { return nil }
      outputs.append(record)
    }
    guard var records = RecordCounts(manifest: manifest["records"]) else { return nil }
    records.blank = manifest["blank"]?.int ?? 0
    return Outcome(
      records: records, outputs: outputs, runKey: runKey,
      quarantine: manifest.counts("quarantine"), findings: manifest.counts("findings"),
      shardsSetAside: (manifest["shards_set_aside"]?.array ?? []).compactMap {
        ShardFault(manifest: $0)
      },
      notes: (manifest["over_budget"]?.array ?? []).compactMap(\.text8).map {
        "the outputs in place are over budget: \($0)"
      })
  }

  struct Outcome {
    var records: RecordCounts
    var outputs: [OutputRecord]
    var runKey: String
    var quarantine: [(name: String, count: Int)]
    var findings: [(name: String, count: Int)]
    var shardsSetAside: [ShardFault]
    /// What that run had to say about budgets.
    var notes: [String]
  }

  /// `nil` where there is none of this plan.
  private func readManifest() throws(FileError) -> JSONValue? {
    let path = joinPath(output.path, OutputDirectory.manifestName)
    guard exists(path) else { return nil }
    let bytes = try readWholeFile(path, limit: UnchangedRun.manifestBytesMax)
    do throws(JSONError) {
      let manifest = try JSONValue(reading: bytes)
      return manifest["plan_sha256"] == .text(hexText(plan.hash)) ? manifest : nil
    } catch {
      // Somebody changed it: the run makes a good one.
      return nil
    }
  }

  /// Whether the shards are those of the manifest. Their sizes are looked at before their contents.
  private func isSameInput(_ manifest: JSONValue) throws -> Bool {
    let inputs = manifest["inputs"]?.array ?? []
    guard inputs.count == states.count else { return false }
    for (state, input) in zip(states, inputs) {
      guard input["source"] == .text(plan.stage(plan.lanes[state.lane].stage).name),
        input["shard"] == .string(state.shard.name), input["bytes"]?.int == state.shard.size
      else { return false }
    }
    for (state, input) in zip(states, inputs) {
      try Task.checkCancellation()
      do {
        if let store { try state.recallContent(store.contents) }
        if state.contentHash == nil { try state.readContent() }
      } catch is ShardError {
        // The run meets it again, and knows what to do.
        return false
      }
      guard input["content"] == .text(state.contentHash?.hex ?? "") else { return false }
    }
    return true
  }
}

extension OutputRecord {
  fileprivate init?(manifest: JSONValue) {
    guard let sink = manifest["sink"]?.text8, let path = manifest["path"]?.text8,
      let rows = manifest["rows"]?.int, let bytes = manifest["bytes"]?.int,
      let sha256 = manifest["sha256"]?.text8.flatMap({ hexBytes($0) })
    else { return nil }
    self.init(sink: sink, path: path, rows: rows, bytes: bytes, sha256: sha256)
  }
}

extension ShardFault {
  fileprivate init?(manifest: JSONValue) {
    guard let source = manifest["source"]?.text8, let shard = manifest["shard"]?.text8,
      let bytes = manifest["bytes"]?.int, let code = manifest["code"]?.text8,
      let message = manifest["message"]?.text8
    else { return nil }
    self.init(
      source: source, shard: shard, bytes: bytes, code: code, byte: manifest["byte"]?.int,
      message: message)
  }
}

extension RecordCounts {
  fileprivate init?(manifest: JSONValue?) {
    self.init()
    guard let read = manifest?["read"]?.int, let written = manifest?["written"]?.int,
      let filtered = manifest?["filtered"]?.int,
      let deduplicated = manifest?["deduplicated"]?.int,
      let quarantined = manifest?["quarantined"]?.int
    else { return nil }
    (self.read, self.written, self.filtered) = (read, written, filtered)
    (self.deduplicated, self.quarantined) = (deduplicated, quarantined)
  }
}

extension JSONValue {
  fileprivate var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
  fileprivate var int: Int? { if case .int(let value) = self { Int(value) } else { nil } }
  fileprivate var text8: String? {
    if case .string(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
  }

  /// An object of numbers.
  fileprivate func counts(_ key: String) -> [(name: String, count: Int)] {
    guard case .object(let members) = self[key] else { return [] }
    return members.compactMap { member in member.value.int.map { (member.key, $0) } }
  }
}

/// The bytes that hexadecimal digits stand for.
private func hexBytes(_ text: String) -> [UInt8]? {
  let digits = Array(text.utf8)
  guard digits.count % 2 == 0 else { return nil }
  var bytes: [UInt8] = []
  for at in stride(from: 0, to: digits.count, by: 2) {
    guard let byte = UInt8(String(decoding: digits[at..<(at + 2)], as: UTF8.self), radix: 16)
    else { return nil }
    bytes.append(byte)
  }
  return bytes
}
