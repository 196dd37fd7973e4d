import WeirData

/// The tasks of one pass: those whose result is known are not done again, of the others the result is
/// kept.
struct PassTasks: Sendable {
  /// What an entry takes besides what is kept of the records.
  private static let entryBytes = 4_096

  let work: PassWork
  let store: TaskStore?
  let keys: TaskKeys
  let attempts: TaskAttempts

  private var plan: Plan { work.plan }
  private var pass: Int { work.pass }

  struct Result: Sendable {
    var outputs: [ShardTask.Output]
    var records: [TaskRecord]
  }

  /// Works on some shards, as one worker.
  func run(_ tasks: [ShardTask]) async throws -> Result {
    let started = ContinuousClock().now
    var tasks = tasks
    var found: [Known] = []
    let pack: PackFile?
    if let store, tasks.contains(where: \.works) {
      found = tasks.map { task in
        guard task.works, let content = task.state.contentHash else { return Known() }
        return Known(key: keys.key(task.state, content, pass: pass, task.lane))
      }
      // Nothing is asked of the disk that is surely not there.
      if zip(tasks, found).contains(where: { mayBeKnown($0, $1, store) }) {
        found = try zip(tasks, found).map { try find($0, $1, store, takesWhole: tasks.count > 1) }
      }
      let missing = zip(tasks, found).filter { $0.works && $1.output == nil }
      // What is kept of a shard takes less than the shard.
      let bytes = missing.reduce(0) { $0 + $1.0.state.shard.size + PassTasks.entryBytes }
      pack = missing.isEmpty ? nil : store.takePack(isFirstPass: pass == 0, for: bytes)
    } else {
      found = tasks.map { _ in Known() }
      pack = nil
    }
    let packStart = pack?.count ?? 0
    let rest = tasks.indices.filter { found[$0].output == nil }
    for (task, found) in zip(tasks, found) where task.works {
      task.state.isReused = found.output != nil
    }
    // Parts of an entry lie one behind the other: only a task that is alone can write them early.
    let early = rest.count == 1 ? pack.map { EntryBuilder($0) } : nil
    if let early { tasks[rest[0]].entry = early }
    for index in rest where tasks[index].works { try tasks[index].state.bringBack() }
    for index in rest { tasks[index].file = found[index].file }
    let made: [ShardTask.Output]
    do {
      made = try await attempts.run(rest.map { tasks[$0] }) { try early?.restart() }
    } catch {
      // What the task wrote is worth nothing, and its room may be wanted.
      do throws(FileError) { try pack?.cut(to: packStart) } catch let second { store?.stop(second) }
      throw error
    }
    for (index, output) in zip(rest, made) {
      found[index].output = output
      let task = tasks[index]
      if store != nil, task.works, found[index].key == nil, let content = task.state.contentHash {
        found[index].key = keys.key(task.state, content, pass: pass, task.lane)
      }
    }
    for (task, found) in zip(tasks, found) where task.works { task.state.taskKey = found.key }
    if let store {
      for index in rest { remember(tasks[index], store) }
      if let pack {
        let entries = keep(
          rest.map { (tasks[$0], found[$0].key, found[$0].output!) }, pack, store)
        store.give(pack, isFirstPass: pass == 0, added: pack.count - packStart, entries: entries)
      }
    }
    for task in tasks where task.works {
      if !plan.spec.errorBudgets.isEmpty {
        try task.state.countRefusals(inPass: pass, byGroup: plan.hasFieldBudgets)
      }
      try task.state.setAside()
    }
    let seconds = (ContinuousClock().now - started).seconds / Double(max(1, rest.count))
    return Result(
      outputs: found.map { $0.output! },
      records: tasks.indices.filter { tasks[$0].works }.map { index in
        record(tasks[index], found[index].key, seconds: seconds)
      })
  }

  // MARK: What is known

  /// What is known of a task.
  private struct Known: Sendable {
    var key: Hash128?
    var output: ShardTask.Output?
    /// What is in the shard, where it had to be read for that.
    var file: CarriedBytes?
  }

  /// Whether it is worth a look; a task that does not work has no result.
  private func mayBeKnown(_ task: ShardTask, _ known: Known, _ store: TaskStore) -> Bool {
    guard task.works else { return false }
    guard let key = known.key else { return !store.contents.isNew }
    return store.has(key)
  }

  /// The result of a task, where it is known. Blocks.
  ///
  /// - Parameters:
  ///   - known: its key, where the content is known already.
  ///   - takesWhole: the task reads its shard in one go.
  private func find(
    _ task: ShardTask, _ known: Known, _ store: TaskStore, takesWhole: Bool
  ) throws -> Known {
    var known = known
    guard task.works else { return known }
    if known.key == nil {
      do {
        if takesWhole, case .shard = task.reading {
          known.file = try task.state.recallWhole(store.contents)
        } else {
          try task.state.recallContent(store.contents)
        }
      } catch is ShardError {
        // The task itself meets it, and knows what to do.
        return known
      }
      guard let content = task.state.contentHash else { return known }
      known.key = keys.key(task.state, content, pass: pass, task.lane)
    }
    guard let key = known.key else { return known }
    guard let file = store.entry(key) else { return known }
    do {
      let output = try entry(of: task).read(file, work.spools)
      if pass == 0 {
        work.progress.addBytes(task.state.shard.size)
        work.progress.addRows(task.state.lines)
      }
      known.output = output
    } catch is EntryError {
      store.forget(key)
    }
    return known
  }

  // MARK: What is new

  private func remember(_ task: ShardTask, _ store: TaskStore) {
    guard pass == 0, let look = task.state.look, let content = task.state.contentHash
    else { return }
    store.contents.remember(
      task.state.shard.path, look, content, unchecked: task.state.uncheckedFrames)
  }

  /// Writes entries for the results. What cannot be kept is made again another time, and is no reason
  /// to fail. Blocks.
  private func keep(
    _ results: [(task: ShardTask, key: Hash128?, output: ShardTask.Output)], _ pack: PackFile,
    _ store: TaskStore
  ) -> [(key: Hash128, place: TaskStore.Place)] {
    var entries: [(key: Hash128, place: TaskStore.Place)] = []
    entries.reserveCapacity(results.count)
    let hasher = ContentHasher()
    var end = pack.count
    do {
      for (task, key, output) in results where task.works {
        guard let key else { continue }
        end = pack.count
        let place = try entry(of: task).write(
          output, to: task.entry ?? EntryBuilder(pack, hasher))
        entries.append((key, place))
      }
    } catch {
      let isFull = (error as? FileError)?.operation == EntryBuilder.full
      if !isFull { store.stop(error) }
      // A half of an entry is worth nothing, and its room may be wanted.
      do throws(FileError) { try pack.cut(to: end) } catch { store.stop(error) }
    }
    return entries
  }

  private func entry(of task: ShardTask) -> TaskEntry {
    TaskEntry(plan, pass: pass, task.state, form: work.entryForms[task.state.lane])
  }

  private func record(
    _ task: ShardTask, _ key: Hash128?, seconds: Double
  ) -> TaskRecord {
    TaskRecord(
      pass: pass, source: plan.stage(task.lane.stage).name, shard: task.state.shard.nameText,
      key: key?.hex ?? "", isReused: task.state.isReused, seconds: task.state.isReused ? 0 : seconds
    )
  }
}

extension ShardState {
  /// Finds out what is in the shard where that costs less than going over it: it is remembered, or
  /// another file of this size was read before. Blocks.
  func recallContent(_ contents: ShardContents) throws {
    if recall(contents) == .perhaps { try readContent() }
  }

  /// The same for a shard that is read in one go: what had to be read is what the task wants. Blocks.
  func recallWhole(_ contents: ShardContents) throws -> CarriedBytes? {
    recall(contents) == .perhaps ? CarriedBytes(try readWhole()) : nil
  }

  private enum Recalled { case known, new, perhaps }

  private func recall(_ contents: ShardContents) -> Recalled {
    guard !contents.isNew, let now = ShardContents.look(at: shard.path) else { return .new }
    switch contents.recall(shard.path, now) {
    case .new: return .new
    case .known(let content, let unchecked):
      contentHash = content
      uncheckedFrames = unchecked
      return .known
    case .perhaps: return .perhaps
    }
  }

  /// Reads the shard for nothing but its content hash. Blocks.
  func readContent() throws(ShardError) {
    let file = try ShardFile(path: shard.path)
    look = ShardContents.Look(file.status)
    while try file.read(upTo: ShardPieces.pieceBytes) != nil {}
    contentHash = file.contentHash()
  }
}
