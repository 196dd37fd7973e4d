import WeirData

/// A run in the workspace, as it is read again later.
public struct RunFolder: Sendable {
  private static let ledgerBytesMax = 1 << 30

  public let id: String
  /// `.weir/runs/ID`.
  public let path: String
  public let record: RunRecordFile

  /// What has become of it, in the words of `run.json`.
  public var status: String { record.seenStatus.rawValue }
  public var pipeline: String { record.text("pipeline") ?? "" }
  /// RFC 3339.
  public var started: String { record.text("started") ?? "" }
  /// Absolute: the file that it ran.
  public var specPath: String? { record.text("spec_path") }
  /// Absolute: where its outputs stand.
  public var out: String? { record.text("out") }
  /// Runs whose outputs it kept.
  public var keep: Int? { record.json.int("keep") }
  /// Parameters that its command line gave, in the order given.
  public var paramsGiven: [(name: String, text: String)] {
    (record.json["params_given"]?.asArray ?? []).compactMap { given in
      guard let name = given.asText, let text = record.json["params"]?.text(name) else {
        return nil
      }
      return (name, text)
    }
  }
  /// Records that it read.
  public var recordsRead: Int? { record.json["records"]?.int("read") }

  public var quarantinePath: String { joinPath(path, QuarantineFile.name) }
  public var hasQuarantine: Bool { exists(quarantinePath) }

  /// - Throws: ``RunError`` where the record is not there or not whole.
  public init(path: String) throws {
    self.path = path
    id = lastComponent(of: path)
    do throws(UnreadableRecord) {
      guard let record = try RunRecordFile(directory: path) else {
        throw UnreadableRecord(
          path: joinPath(path, RunRecordFile.record), reason: "it is not there")
      }
      self.record = record
    } catch {
      throw RunError(damagedRecord: error.path, error.reason)
    }
  }

  /// The command line that makes the same run again: its spec, parameters, output and workspace.
  /// `nil` where it did not note all of them.
  public var arguments: [String]? {
    guard let specPath, let out else { return nil }
    // .../WORKSPACE/.weir/runs/ID
    let workspace = directory(of: directory(of: directory(of: path)))
    return [specPath, "--out=\(out)", "--workspace=\(workspace)"]
      + paramsGiven.map { "--param=\($0.name)=\($0.text)" } + (keep.map { ["--keep=\($0)"] } ?? [])
  }

  /// Source, shard and content hash of all that it read.
  func shardContents() throws -> [ShardPlace: String] {
    let path = joinPath(path, RunRecordFile.ledger)
    let ledger: JSONValue
    let bytes = try readWholeFile(path, limit: RunFolder.ledgerBytesMax)
    do throws(JSONError) {
      ledger = try JSONValue(reading: bytes)
    } catch {
      throw RunError(damagedRecord: path, "not JSON at byte \(error.offset)")
    }
    guard case .array(let shards)? = ledger["shards"] else { return [:] }
    var contents: [ShardPlace: String] = [:]
    for entry in shards {
      guard case .string(let source)? = entry["source"], case .string(let shard)? = entry["shard"],
        case .string(let content)? = entry["content"]
      else { continue }
      contents[ShardPlace(source: source, shard: shard)] = String(decoding: content, as: UTF8.self)
    }
    return contents
  }
}

extension RunError {
  fileprivate init(damagedRecord path: String, _ reason: String) {
    self.init(
      code: "record_damaged", message: "\(path): \(reason)",
      fix: "the run may have been killed while it wrote that file: run the pipeline again")
  }
}

/// A shard by the names that the quarantine calls it.
struct ShardPlace: Hashable, Sendable {
  var source: [UInt8]
  var shard: [UInt8]
}

extension Workspace {
  /// The run that a person means: by its id, the beginning of one, or `last`, the latest that is of
  /// use.
  ///
  /// - Parameters:
  ///   - isUseful: whether a run can be meant by `last`.
  ///   - whatFor: says what `last` looks for, where there is none.
  /// - Throws: ``RunError`` where there is none, or several.
  public func run(
    named name: String, last isUseful: (RunFolder) -> Bool, _ whatFor: String
  ) throws -> RunFolder {
    let folder = joinPath(path, "runs")
    let names =
      exists(folder)
      ? try directoryEntries(folder).map { String(decoding: $0, as: UTF8.self) } : []
    guard !names.isEmpty else {
      throw RunError(
        code: "no_such_run", message: "\(path) has no runs",
        fix: "name the folder of the workspace with --workspace, or run a pipeline first")
    }
    if same(name, "last") {
      if let last = try lastRun(names, isUseful) { return last }
      throw RunError(
        code: "no_such_run", message: "no run in \(path) \(whatFor)", fix: "weir runs lists them")
    }
    if let exact = names.first(where: { same($0, name) }) {
      return try RunFolder(path: runPath(exact))
    }
    let found = name.utf8.isEmpty ? [] : names.filter { $0.utf8.starts(with: name.utf8) }
    if found.count == 1 { return try RunFolder(path: runPath(found[0])) }
    throw RunError(
      code: found.isEmpty ? "no_such_run" : "ambiguous_run",
      message: found.isEmpty
        ? "\(path) has no run \(shown(name))"
        : "\(found.count) runs begin with \(shown(name))",
      fix: "name one of \(alternatives((found.isEmpty ? names : found).suffix(5).reversed()))")
  }

  /// Asks from the latest run on. Ids begin with the second of their start; of runs of one second the
  /// record tells which came first.
  private func lastRun(
    _ names: [String], _ isUseful: (RunFolder) -> Bool
  ) throws -> RunFolder? {
    var rest = names[...]
    while let last = rest.last {
      let second = last.utf8.prefix(16)
      let from = rest.lastIndex { !$0.utf8.prefix(16).elementsEqual(second) }.map { $0 + 1 }
      let group = rest[(from ?? rest.startIndex)...]
      rest = rest[..<group.startIndex]
      let runs = try group.map(runPath).filter { exists(joinPath($0, RunRecordFile.record)) }
        .map { try RunFolder(path: $0) }
        .sorted { $1.started.utf8.lexicographicallyPrecedes($0.started.utf8) }
      for run in runs where isUseful(run) { return run }
    }
    return nil
  }
}
