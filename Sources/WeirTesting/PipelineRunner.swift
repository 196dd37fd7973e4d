import WeirData
import WeirEngine
import WeirStages

/// Runs a pipeline over shards given as bytes, through the real plan and the real run, in a folder
/// that is there only meanwhile.
public struct PipelineRunner: Sendable {
  /// JSON of the pipeline; paths in it are read from the folder with the shards.
  public var spec: String
  /// The shards and other files by their path, written in this order.
  public var files: [(path: String, bytes: [UInt8])]
  public var params: [(name: String, value: String)] = []
  public var workers = 2
  public var batchBytes = 256 * 1024
  public var wideShardBytes = 1 << 20
  public var registry = StageRegistry.standard
  /// Nothing is tried again, unless a test says how it waits.
  public var retries: RetryPolicy
  /// `nil`: all there is.
  public var memory: MemoryShares?
  public var digestBytes: Int?
  public var isForced = false
  /// Whether the files have to come from the disk, not from memory.
  public var isCold = false

  public init(_ spec: String, files: [(path: String, bytes: [UInt8])]) {
    self.spec = spec
    self.files = files
    retries = RetryPolicy()
    retries.limit = 0
  }

  /// The same with plain shards, a line each record.
  public init(_ spec: String, shards: [(path: String, records: [String])]) {
    self.init(spec, files: shards.map { ($0.path, SampleShard.text($0.records)) })
  }

  /// Runs it in a folder of its own.
  public func run(isolation: isolated (any Actor)? = #isolation) async throws -> PipelineOutcome {
    try await withTemporaryFolder { folder in
      for file in files { try folder.write(file.bytes, at: file.path) }
      if isCold { for file in files { try forget(folder.file(file.path)) } }
      return try await run(in: folder)
    }
  }

  /// Runs it in a folder that has the files already; the outputs stay in `out` there.
  public func run(
    in folder: TemporaryFolder, isolation: isolated (any Actor)? = #isolation
  ) async throws -> PipelineOutcome {
    let path = try folder.write(spec, at: "pipeline.json")
    var (checked, problems) = Spec.load(
      Array(spec.utf8), file: path, registry: registry, given: params,
      currentDirectory: folder.path)
    let plan = checked.flatMap { Plan.make($0, problems: &problems) }
    checked = nil
    var outcome = PipelineOutcome(problems: problems)
    guard let plan else { return outcome }
    var options = RunOptions(
      workers: workers, workspace: Workspace(path: folder.file(".weir")))
    options.batchBytes = batchBytes
    options.wideShardBytes = wideShardBytes
    if let memory { options.memory = memory }
    options.retries = retries
    options.digestBytes = digestBytes
    options.isForced = isForced
    options.outDirectory = folder.file("out")
    do {
      outcome.result = try await plan.run(options, progress: Progress())
    } catch {
      outcome.error = error
    }
    outcome.outputs = try filesBelow(folder.file("out"))
    // One that did nothing has neither.
    if let directory = outcome.result?.runDirectory ?? outcome.overBudget?.runDirectory,
      outcome.result?.isUnchanged != true
    {
      let text = try decodedText(readFile(directory + "/quarantine.jsonl.zst"))
      outcome.quarantineText = text
      outcome.ledgerText = try readFile(directory + "/ledger.json")
    }
    return outcome
  }
}

/// What came of a run.
public struct PipelineOutcome {
  public var problems: Problems
  public var result: RunResult?
  public var error: (any Error)?
  /// Files of the output directory by path, manifest included.
  public var outputs: [String: [UInt8]] = [:]
  /// Decompressed.
  public var quarantineText: [UInt8] = []
  public var ledgerText: [UInt8] = []

  public var quarantine: [JSONValue] {
    lines(of: quarantineText).compactMap { JSONValue(parsing: $0) }
  }

  /// Why the outputs were withheld.
  public var overBudget: OverBudget? { error as? OverBudget }

  /// The code of the error or of the first problem of the spec.
  public var code: String? {
    if overBudget != nil { return "over_budget" }
    if let error = error as? RunError { return error.code }
    return problems.sorted.first { $0.severity == .error }?.code
  }

  /// The records of an output file, decompressed where it is.
  public func records(_ path: String) throws -> [String] {
    guard let bytes = outputs[path] else { throw FileFailure(path: path, code: 2) }
    return lines(of: try decodedText(bytes))
  }

  /// Everything that must be the same whatever the workers, the batches and the machine.
  public var everything: [String: [UInt8]] {
    var all = outputs
    all["ledger"] = ledgerText
    all["quarantine"] = quarantineText
    return all
  }
}
