import WeirData

/// What a manifest in place says of the run that made the outputs.
struct OutputManifest {
  private static let bytesMax = 256 << 20

  struct Input {
    var source: String
    var name: String
    var bytes: Int
    /// Hexadecimal.
    var content: String
    /// Source and name as bytes.
    var id: [UInt8]
  }
  struct Count {
    var name: String
    var count: Int
  }
  var planHash: String
  var runKey: String
  var inputs: [Input]
  var records: RecordCounts
  var outputs: [OutputRecord]
  /// Records by code.
  var quarantine: [Count]
  /// By level.
  var findings: [Count]
  var shardsSetAside: [ShardFault]
  var checks: [(stage: Ledger.Stage, check: Ledger.Check)]
  /// What that run had to say about budgets.
  var notes: [String]

  static func id(_ source: String, _ shard: [UInt8]) -> [UInt8] {
    Array(source.utf8) + [0] + shard
  }

  /// - Returns: `nil` where there is none, or somebody changed it so that it cannot be read: then a run
  ///   makes a good one.
  static func read(_ path: String) throws(FileError) -> OutputManifest? {
    guard exists(path) else { return nil }
    let bytes = try readWholeFile(path, limit: bytesMax)
    do throws(JSONError) {
      return OutputManifest(try JSONValue(reading: bytes))
    } catch {
      return nil
    }
  }

  private init?(_ manifest: JSONValue) {
    guard let plan = manifest.text("plan_sha256"), let key = manifest.text("run_key"),
      let records = manifest["records"], let inputs = manifest["inputs"]?.asArray,
      let files = manifest["files"]?.asArray
    else { return nil }
    func count(_ name: String) -> Int? { records.int(name) }
    guard let read = count("read"), let written = count("written"),
      let filtered = count("filtered"), let deduplicated = count("deduplicated"),
      let quarantined = count("quarantined"), let blank = manifest.int("blank")
    else { return nil }
    self.records = RecordCounts()
    (self.records.read, self.records.written, self.records.blank) = (read, written, blank)
    (self.records.filtered, self.records.deduplicated) = (filtered, deduplicated)
    self.records.quarantined = quarantined
    (planHash, runKey) = (plan, key)
    self.inputs = inputs.compactMap { input in
      guard let source = input.text("source"), case .string(let name) = input["shard"],
        let bytes = input.int("bytes"), let content = input.text("content")
      else { return nil }
      return Input(
        source: source, name: String(decoding: name, as: UTF8.self), bytes: bytes,
        content: content, id: OutputManifest.id(source, name))
    }
    outputs = files.compactMap { OutputRecord(manifest: $0) }
    guard self.inputs.count == inputs.count, outputs.count == files.count else { return nil }
    quarantine = manifest.counts("quarantine")
    findings = manifest.counts("findings")
    shardsSetAside = (manifest["shards_set_aside"]?.asArray ?? []).compactMap {
      ShardFault(manifest: $0)
    }
    checks = (manifest["expectations"]?.asArray ?? []).compactMap { Ledger.check(reading: $0) }
    notes = (manifest["over_budget"]?.asArray ?? []).compactMap(\.asText).map {
      "the outputs in place are over budget: \($0)"
    }
  }
}

extension OutputRecord {
  fileprivate init?(manifest: JSONValue) {
    guard let sink = manifest.text("sink"), let path = manifest.text("path"),
      let rows = manifest.int("rows"), let bytes = manifest.int("bytes"),
      let sha256 = manifest.text("sha256").flatMap({ hexBytes($0) })
    else { return nil }
    self.init(sink: sink, path: path, rows: rows, bytes: bytes, sha256: sha256)
  }
}

extension ShardFault {
  fileprivate init?(manifest: JSONValue) {
    guard let source = manifest.text("source"), let shard = manifest.text("shard"),
      let bytes = manifest.int("bytes"), let code = manifest.text("code"),
      let message = manifest.text("message")
    else { return nil }
    self.init(
      source: source, shard: shard, bytes: bytes, code: code, byte: manifest.int("byte"),
      message: message)
  }
}

extension JSONValue {
  /// An object of numbers.
  fileprivate func counts(_ key: String) -> [OutputManifest.Count] {
    guard case .object(let members) = self[key] else { return [] }
    return members.compactMap { member in
      member.value.asInt.map { OutputManifest.Count(name: member.key, count: $0) }
    }
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
