import WeirData

/// The record of a run in the workspace, as it is read again later.
public struct RunFolder: Sendable {
  public let id: String
  /// `.weir/runs/ID`.
  public let path: String
  private let record: SpecNode

  /// The status, as the run noted it: `done`, `over_budget`, `failed`, ...
  public var status: String { text("status") ?? "unknown" }
  public var pipeline: String { text("pipeline") ?? "" }
  /// RFC 3339.
  public var started: String { text("started") ?? "" }
  /// Absolute: the file that it ran.
  public var specPath: String? { text("spec_path") }
  /// Absolute: where its outputs stand.
  public var out: String? { text("out") }
  /// Runs whose outputs it kept.
  public var keep: Int? { int("keep") }
  /// Parameters that its command line gave, in the order given.
  public var paramsGiven: [(name: String, text: String)] {
    let values = record.member("params")?.value
    return (record.member("params_given")?.value.array ?? []).compactMap { node in
      guard let name = node.string, let text = values?.member(name)?.value.string else {
        return nil
      }
      return (name, text)
    }
  }
  /// Records that it read.
  public var recordsRead: Int? {
    guard case .int(let count) = record.member("records")?.value.member("read")?.value.kind else {
      return nil
    }
    return Int(count)
  }

  public var quarantinePath: String { joinPath(path, QuarantineFile.name) }
  public var hasQuarantine: Bool { exists(quarantinePath) }

  private func text(_ key: String) -> String? { record.member(key)?.value.string }

  private func int(_ key: String) -> Int? {
    guard case .int(let value) = record.member(key)?.value.kind else { return nil }
    return Int(value)
  }

  /// - Throws: ``RunError`` where the record is not there or not whole, `FileError`.
  public init(path: String) throws {
    self.path = path
    id = lastComponent(of: path)
    record = try readJSON(joinPath(path, "run.json"))
  }

  /// Source, shard and content hash of all that it read.
  func shardContents() throws -> [ShardPlace: String] {
    let ledger = try readJSON(joinPath(path, "ledger.json"))
    var contents: [ShardPlace: String] = [:]
    for node in ledger.member("shards")?.value.array ?? [] {
      guard let source = node.member("source")?.value.string,
        let shard = node.member("shard")?.value.string,
        let content = node.member("content")?.value.string
      else { continue }
      contents[ShardPlace(source: Array(source.utf8), shard: Array(shard.utf8))] = content
    }
    return contents
  }
}

/// A shard by the names that the quarantine calls it.
struct ShardPlace: Hashable, Sendable {
  var source: [UInt8]
  var shard: [UInt8]
}

extension Workspace {
  /// The run that a person means: by its id, the beginning of one, or `last`, the latest that has a
  /// quarantine.
  ///
  /// - Throws: ``RunError`` where there is none, or several.
  public func run(named name: String) throws -> RunFolder {
    let folder = joinPath(path, "runs")
    let names =
      exists(folder)
      ? try directoryEntries(folder).map { String(decoding: $0, as: UTF8.self) } : []
    guard !names.isEmpty else {
      throw RunError(
        code: "no_such_run", message: "\(path) has no runs",
        fix: "name the folder of the workspace with --workspace, or run a pipeline first")
    }
    if same(name, "last") { return try lastRun(names) }
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

  /// Ids begin with the second of their start; of runs of one second the record tells.
  private func lastRun(_ names: [String]) throws -> RunFolder {
    var best: RunFolder?
    for name in names.reversed() {
      if let best, !name.utf8.prefix(16).elementsEqual(best.id.utf8.prefix(16)) { break }
      let path = runPath(name)
      guard exists(joinPath(path, QuarantineFile.name)), exists(joinPath(path, "run.json")) else {
        continue
      }
      let run = try RunFolder(path: path)
      if best.map({ $0.started.utf8.lexicographicallyPrecedes(run.started.utf8) }) ?? true {
        best = run
      }
    }
    guard let best else {
      throw RunError(
        code: "no_quarantine", message: "no run in \(path) has a quarantine",
        fix: "a run has one when it is done or over its budget: run a pipeline first")
    }
    return best
  }
}

/// A file that Weir wrote.
private func readJSON(_ path: String) throws -> SpecNode {
  let limit = 1 << 30
  var problems = Problems()
  let source = SpecSource(name: path, bytes: try readWholeFile(path, limit: limit))
  guard
    let node = SpecJSON.parse(
      source, limits: SpecLimits(bytes: limit, depth: 64), problems: &problems),
    !problems.hasErrors
  else {
    throw RunError(
      code: "record_damaged", message: "\(path) is not whole",
      fix: "the run may have been killed while it wrote that file: run the pipeline again")
  }
  return node
}
