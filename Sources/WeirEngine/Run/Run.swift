import Glibc
import WeirData

/// How a run is to be done. Nothing here changes a byte of its outputs.
public struct RunOptions: Sendable {
  /// Shards worked on at once.
  public var workers: Int
  /// Target size of a batch, in bytes.
  public var batchBytes = 256 * 1024
  /// A shard of so many bytes on disk is worth a second worker, where one is free.
  public var wideShardBytes = 1 << 20
  /// The output directory itself; `nil`: `out/NAME/PARTITION` beside the workspace.
  public var outDirectory: String?
  public var workspace: Workspace
  /// Whatever they do not give room to is on the disk meanwhile.
  public var memory: MemoryShares
  /// Runs whose outputs stay, this one included.
  public var keep = 3
  public var retries = RetryPolicy()
  /// Bytes that digests may take on the disk; 0: none are kept; `nil`: a fifth of what is free there.
  public var digestBytes: Int?
  /// Whether to run also where the outputs in place are those that the run would make.
  public var isForced = false
  /// Whether the process ends with this run: its memory is then freed beside its end, and no other run is there
  /// that would want it.
  public var endsProcess = false
  /// Who is told of the run.
  public var history: (any RunHistory)?
  /// The exit status that the process will have, for the record of the run.
  public var exitStatus: @Sendable (Result<RunResult, any Error>) -> Int32 = {
    switch $0 {
    case .success: 0
    case .failure(is LockHeld): 75
    case .failure(is OverBudget): 2
    case .failure(is RunInterrupted): 130
    case .failure: 1
    }
  }

  public init(workers: Int, workspace: Workspace) {
    self.workers = workers
    memory = MemoryShares(workers: workers)
    self.workspace = workspace
  }
}

/// What came of a run that finished.
public struct RunResult: Sendable {
  public var runID: String
  public var outDirectory: String
  public var ledger: Ledger
  public var quarantine: QuarantineSummary
  public var outputs: [OutputRecord]
  /// Findings by level, loudest last; empty where no stage makes findings.
  public var findings: [(level: String, count: Int)]
  /// Budgets that are over and only warn: the outputs are in place.
  public var overBudget: [BudgetExcess]
  public var runKey: String
  public var runDirectory: String
  /// Nothing was done: the outputs in place are those that the run would make.
  public var isUnchanged = false
  /// Of every pass that went over a shard, in order.
  public var tasks: [TaskRecord]
  public var seconds: Double
  public var notes: [String]
  public var phases: [RunPhase] = []
}

/// One file of the outputs, as the manifest has it.
public struct OutputRecord: Sendable {
  public var sink: String
  public var path: String
  public var rows: Int
  public var bytes: Int
  public var sha256: [UInt8]
  /// Of a file of rows that are told apart.
  var identity: RowIdentity?

  public var json: JSONValue {
    [
      "sink": .text(sink), "path": .text(path), "rows": .int(rows), "bytes": .int(bytes),
      "sha256": .text(hexText(sha256)),
    ]
  }

  /// With what a reader needs to compare the file with that of another run.
  var manifestJSON: JSONValue {
    guard case .object(let members) = json, let identity else { return json }
    return .object(members + identity.members)
  }
}

extension Plan {
  /// Runs the plan from the first shard to the swap of the outputs.
  ///
  /// - Throws: ``RunError``, ``OverBudget``, ``LockHeld``, ``RunInterrupted``. In each case the outputs
  ///   of the last run stand as they were.
  public func run(_ options: RunOptions, progress: Progress) async throws -> RunResult {
    let record = try RunRecord.begin(plan: self, options: options)
    // Until the record says how the run ended: the next one takes a record that is open for a dead run's.
    defer { record.output?.unlock() }
    do {
      let beside = try BlockingExecutor(threads: 1)
      defer { beside.stop() }
      record.begin(telling: options.history, on: beside)
      let run = Run(plan: self, options: options, progress: progress, record: record)
      var result = try await run.execute()
      run.remains.letGo(beside: options.endsProcess)
      try await record.hasBegun()
      record.finish(&result)
      return result
    } catch {
      // The error that stopped the run is the one to report.
      do { try await record.hasBegun() } catch let second { record.note(["\(second)"]) }
      throw record.fail(error)
    }
  }
}

/// One execution of a plan.
private struct Run {
  let plan: Plan
  let options: RunOptions
  let progress: Progress
  let record: RunRecord
  private static let flushesAtOnce = 16

  private let clock = PhaseClock()
  /// What nobody needs when the outputs are in place.
  let remains = Remains()

  func execute() async throws -> RunResult {
    let memory = RunMemory(options.memory, directory: record.spoolDirectory)
    let states = try await findShards(memory)
    let output = try OutputDirectory.open(
      path: record.outDirectory, runID: record.id, holder: record.holderText)
    record.output = output
    do {
      // It may write another record.
      if output.lock.deadHolder != nil { try await record.hasBegun() }
      try record.takeOver(output)
      let store = openStore()
      if !options.isForced,
        let same = try UnchangedRun(plan: plan, states: states, output: output, store: store).find()
      {
        try output.discard()
        // Whoever put them in place may have died before this.
        record.note(
          same.notes + record.retries.notes + output.tidy(keep: options.keep) + finish(store))
        record.found(in: output.current)
        clock.end(.prepare)
        return unchanged(same)
      }
      clock.end(.prepare)
      let result = try await work(states, output, memory, store)
      record.note(finish(store))
      return result
    } catch {
      // The error that stopped the run is the one to report, whatever clearing up says.
      do { try output.discard() } catch let second { record.note(["\(second)"]) }
      throw error
    }
  }

  /// The digests; `nil` where there are to be none, or they cannot be had: the run does without.
  private func openStore() -> TaskStore? {
    do throws(FileError) {
      return try TaskStore.open(in: options.workspace, limit: options.digestBytes)
    } catch {
      record.note(["no digests were used: \(error)"])
      return nil
    }
  }

  /// The result of a run that found its outputs in place.
  private func unchanged(_ same: OutputManifest) -> RunResult {
    var ledger = Ledger()
    ledger.records = same.records
    ledger.shardsSetAside = same.shardsSetAside
    ledger.checksBefore = same.checks
    return RunResult(
      runID: record.id, outDirectory: record.outDirectory, ledger: ledger,
      quarantine: QuarantineSummary(
        entries: same.quarantine.map {
          QuarantineSummary.Entry(
            stage: "", code: $0.name, field: nil, count: $0.count, source: "", shard: "", line: 0,
            message: "", sample: [])
        }),
      outputs: same.outputs, findings: same.findings.map { (level: $0.name, count: $0.count) },
      overBudget: [], runKey: same.runKey, runDirectory: record.directory, isUnchanged: true,
      tasks: [], seconds: clock.seconds, notes: [], phases: clock.phases)
  }

  /// Tidies the digests up. What goes wrong there harms no run.
  private func finish(_ store: TaskStore?) -> [String] {
    guard let store else { return [] }
    do throws(FileError) {
      try store.finish()
      return store.note.map { [$0] } ?? []
    } catch {
      return [store.note ?? "the digests were not tidied up: \(error)"]
    }
  }

  private func findShards(_ memory: RunMemory) async throws -> [ShardState] {
    var states: [ShardState] = []
    for (index, lane) in plan.lanes.enumerated() {
      let shards = try await options.retries.run(record.retries) { try lane.source.findShards() }
      for shard in shards {
        states.append(
          ShardState(
            lane: index, ordinal: states.count, shard: shard, nodes: lane.nodes.count,
            memory: memory))
      }
    }
    guard states.count < BarrierTuple.Packed.shardsMax else {
      throw RunError(
        code: "too_many_shards",
        message: "\(states.count) shards match, \(BarrierTuple.Packed.shardsMax) is the limit",
        fix: "narrow the globs, or join small shards")
    }
    progress.expect(shards: states.count, bytes: states.reduce(0) { $0 + $1.shard.size })
    return states
  }

  private func work(
    _ states: [ShardState], _ output: OutputDirectory, _ memory: RunMemory, _ store: TaskStore?
  ) async throws -> RunResult {
    let plan = plan
    let executor = try BlockingExecutor(
      threads: max(Run.flushesAtOnce, min(options.workers, states.count) * 2 + 2))
    defer { executor.stop() }
    let queues = plan.reduces.map { PartialQueue(plan.makeMerger($0), memory) }
    let kits = KitPool(lanes: plan.lanes)
    let spoolFolder = SpoolFolder(path: record.spoolDirectory)
    let files = RecordFiles(plan: plan, output: output)
    let keys = TaskKeys(plan, secret: record.secret)
    let spools = QuarantineSpools()
    let budgets = BudgetCheck(plan: plan, states: states, directory: record.directory)
    var tasks: [TaskRecord] = []
    var removed: [Int: RowTable] = [:]
    for pass in 0..<plan.passCount {
      do {
        tasks += try await runPass(
          pass, states, executor, queues, kits, spoolFolder, files, store, keys, spools,
          budgets.watch)
      } catch let stop as BudgetWatch.Stop {
        throw try budgets.stopped(spools) ?? stop
      }
      if let over = try budgets.check(behindPass: pass, spools) { throw over }
      if pass == 0 { try checkSources(states) }
      memory.dropSpares()
      clock.end(pass == 0 ? .scan : .laterPasses)
      for barrier in plan.barriers where barrier.depth == pass {
        removed[barrier.stage] = try await BarrierDecision(
          plan: plan, barrier: barrier, states: states, workers: options.workers, memory: memory,
          kept: store.map { KeptDecisions(store: $0, keys: keys, spools: spoolFolder) }
        ).decide()
        memory.dropTuples(of: barrier.stage)
        clock.end(.barrier)
      }
    }
    // What is long where there are many shards is done beside what is long where there are many rows.
    async let finished = Run.finish(queues, slots: plan.passCount * states.count)
    for state in states { try state.settle() }
    let ledger = plan.ledger(states)
    try ledger.check()
    let quarantine = plan.quarantineSummary(states)
    let excesses = try budgets.checkEnd(ledger, quarantine, spools)
    async let ledgerText = ledger.fileText
    async let key = plan.runKey(states)
    var made = try check(await finished, ledger)
    for (stage, table) in removed { made[stage] = ["removed": .rows(table)] }
    let runKey = await key
    var facts = plan.facts(
      ledger: ledger, quarantine: quarantine, states: states, runKey: runKey)
    facts.overBudget = excesses
    facts.findings = plan.levels(made)
    var records = try writeResults(made, facts, output)
    records += try files.finish()
    records.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    try Task.checkCancellation()
    let quarantineFile = QuarantineFile(path: joinPath(record.directory, QuarantineFile.name))
    try quarantineFile.write(spools.all, states)
    let evidence = try plan.writeEvidence(made, states, in: record.directory)
    record.note(plan.notes(states) + record.retries.notes)
    clock.end(.finish)
    var result = RunResult(
      runID: record.id, outDirectory: record.outDirectory, ledger: ledger, quarantine: quarantine,
      outputs: records, findings: facts.findings, overBudget: excesses, runKey: runKey,
      runDirectory: record.directory,
      tasks: tasks, seconds: clock.seconds, notes: [], phases: clock.phases)
    try await record.hasBegun()
    try await commit(
      &result, plan.manifest(facts, states, records), made, output, ledgerText: await ledgerText,
      flushing: output.stagedFiles() + [quarantineFile.path] + evidence, executor)
    // Nothing with files, which go before the record is complete, and no kits: what they have of
    // OpenSSL must not be freed while the process ends.
    if !memory.isOnDisk {
      remains.take(states)
      remains.take(made)
      remains.take(queues)
    }
    return result
  }

  /// Swaps the outputs in. What the run came to stands in its record before that, so that nobody has to
  /// guess where the process ends in between.
  ///
  /// - Parameter files: of outputs and of the run, that are to be durable before.
  private func commit(
    _ result: inout RunResult, _ manifest: [UInt8], _ made: [Int: [String: StageOutput]],
    _ output: OutputDirectory, ledgerText: [UInt8], flushing files: [String],
    _ executor: BlockingExecutor
  ) async throws {
    let findings = made.sorted { $0.key < $1.key }.compactMap { stage, ports in
      let sets = ports.keys.sorted().compactMap { port -> [JSONValue]? in
        if case .findings(let set) = ports[port]! { set.findings } else { nil }
      }
      return sets.isEmpty ? nil : (stage: plan.stage(stage).name, findings: sets.flatMap { $0 })
    }
    let (place, manifestPath) = try output.prepare(
      key: String(result.runKey.prefix(16)), manifest: manifest)
    let here = absolutePath(".")
    let told = try options.history?.willPlace(
      PendingOutputs(
        runID: record.id, runDirectory: record.directory, pipeline: plan.spec.name,
        out: record.absoluteOut, before: place.before.map { joinPath(here, $0) },
        now: joinPath(here, place.now), findings: findings))
    record.note(told?.notes ?? [])
    let drafts = try record.drafts(
      result, ledger: ledgerText, changes: told?.changes, in: place)
    try await flush(files + [manifestPath] + drafts.map(\.draft), executor, flushFile)
    for draft in drafts { try draft.place() }
    try await flush(output.stagedFolders() + [record.directory], executor, flushDirectory)
    let afterwards = try output.swap(place, keep: options.keep)
    record.note(afterwards)
    clock.end(.commit)
    result.seconds = clock.seconds
    result.phases = clock.phases
  }

  /// Makes files or folders durable. Many are flushed at once: the file system then writes them
  /// together: 60 small ones took 0.02 s instead of 0.33 s.
  private func flush(
    _ paths: [String], _ executor: BlockingExecutor,
    _ body: @Sendable @escaping (String) throws(FileError) -> Void
  ) async throws {
    _ = try await forEachIndex(paths.count, atMost: Run.flushesAtOnce) { index in
      try await withTaskExecutorPreference(executor) { try body(paths[index]) }
    }
  }

  private func runPass(
    _ pass: Int, _ states: [ShardState], _ executor: BlockingExecutor, _ queues: [PartialQueue],
    _ kits: KitPool, _ spools: SpoolFolder, _ files: RecordFiles,
    _ store: TaskStore?, _ keys: TaskKeys, _ quarantines: QuarantineSpools,
    _ budgets: BudgetWatch?
  ) async throws -> [TaskRecord] {
    let (plan, progress) = (plan, progress)
    let work = PassWork(
      plan: plan, pass: pass, executor: executor, hasher: SipHasher(secret: record.secret),
      spools: spools, progress: progress, options: options, kits: kits)
    let units = ShardUnits(states, options) { state in
      guard let store else { return true }
      return pass == 0 ? !store.contents.hasSeen(size: state.shard.size) : !state.isReused
    }
    let passTasks = PassTasks(
      work: work, store: store, keys: keys,
      attempts: TaskAttempts(policy: options.retries, log: record.retries))
    let results = try await forEachIndex(units.count, atMost: options.workers) { place in
      let unit = states[units[units.order[place]]].map {
        ShardTask(work: work, state: $0, width: units.width(of: $0.ordinal))
      }
      let result = try await passTasks.run(unit)
      for output in result.outputs {
        if pass == 0 { progress.addShard() }
        quarantines.add(output.spool)
      }
      for (task, output) in zip(unit, result.outputs) {
        try files.put(pass * states.count + task.state.ordinal, output.spool)
      }
      if pass == 0 { for task in unit { try budgets?.finished(task.state.ordinal) } }
      // The last, because it may merge what others left.
      try plan.put(
        zip(unit, result.outputs).map { ($0.state, $1.partials) }, pass: pass,
        shards: states.count, into: queues)
      return result.records
    }
    var records = [[TaskRecord]](repeating: [], count: units.count)
    for (place, index) in units.order.enumerated() { records[index] = results[place] }
    return records.flatMap { $0 }
  }

  /// A source of which nothing is left is not one with a few bad shards.
  private func checkSources(_ states: [ShardState]) throws(RunError) {
    for (index, lane) in plan.lanes.enumerated() {
      let mine = states.filter { $0.lane == index }
      guard let first = mine.first?.fault, mine.allSatisfy({ $0.fault != nil }) else { continue }
      throw RunError(
        code: "no_good_shard",
        message:
          "`\(plan.stage(lane.stage).name)`: all \(mine.count) shards are bad, the first is \(first.text)",
        fix: "mend or replace the shards, or correct \"paths\"")
    }
  }

  private typealias Finished = [(records: Int, outputs: [String: StageOutput])]

  /// What the reduces made, in the order of the queues.
  private static func finish(_ queues: [PartialQueue], slots: Int) throws -> Finished {
    try queues.map { try $0.finish(slots: slots) }
  }

  /// What the reduces made, by stage, when they agree with the ledger.
  private func check(
    _ finished: Finished, _ ledger: Ledger
  ) throws -> [Int: [String: StageOutput]] {
    var made: [Int: [String: StageOutput]] = [:]
    for ((records, outputs), reduce) in zip(finished, plan.reduces) {
      let counted = ledger.stages[reduce.stage].counts.taken
      guard records == counted else {
        throw RunError(
          code: "ledger_imbalance",
          message:
            "`\(plan.stage(reduce.stage).name)` aggregated \(records) records, the ledger has \(counted)",
          fix: "this is a fault of Weir, and the outputs were withheld: report it with the spec")
      }
      made[reduce.stage] = outputs
    }
    return made
  }

  private func writeResults(
    _ made: [Int: [String: StageOutput]], _ facts: RunFacts, _ output: OutputDirectory
  ) throws -> [OutputRecord] {
    var records: [OutputRecord] = []
    try plan.writeResults(made, facts) { sink, file in
      let writer = try output.create(file.path)
      try writer.write(file.bytes)
      records.append(
        OutputRecord(
          sink: sink, path: file.path, rows: file.rows, bytes: file.bytes.count,
          sha256: try writer.finish(), identity: file.identity))
    }
    return records
  }
}

extension Duration {
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}
