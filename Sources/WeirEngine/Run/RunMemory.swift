import Synchronization
import WeirData

/// What a run keeps from pass to pass, in memory or beside it, and what its tasks fill that with.
final class RunMemory: Sendable {
  /// Columns for later passes, to the end of the run.
  let columns: ChunkStore
  let shares: MemoryShares
  private let budget: MemoryBudget
  private let directory: String
  /// By stage: tuples of barriers that are not decided.
  private let tuples = Mutex<[Int: ChunkStore]>([:])
  /// What is set aside for a while.
  private let rest: SpillFile
  private let spare = Mutex(Spare())

  /// What a writer of columns is good for.
  private struct WriterForm: Hashable {
    var columns: [Int]
    var keepsOffsets: Bool
  }

  /// What no task uses at the moment.
  private struct Spare {
    var writers: [WriterForm: [ColumnChunkWriter]] = [:]
    var stages: [TupleStage] = []
    var coders: [FrameCoder] = []
  }

  /// - Parameter directory: of the run, for what does not fit. It must be there when that happens.
  init(_ shares: MemoryShares, directory: String) {
    self.shares = shares
    self.directory = directory
    budget = MemoryBudget(bytes: shares.kept)
    columns = ChunkStore(
      budget: budget, file: SpillFile(path: joinPath(directory, "columns")),
      earlyBytes: shares.earlyBytes)
    rest = SpillFile(path: joinPath(directory, "rest"))
  }

  /// Whether not everything is in memory.
  var isOnDisk: Bool { budget.wasShort }

  // MARK: Tuples

  func tuples(of stage: Int) -> ChunkStore {
    tuples.withLock { stores in
      if let store = stores[stage] { return store }
      let file = SpillFile(path: joinPath(directory, "tuples-\(stage)"))
      let store = ChunkStore(budget: budget, file: file, earlyBytes: shares.earlyBytes)
      stores[stage] = store
      return store
    }
  }

  /// Gives back the tuples of a barrier that is decided.
  func dropTuples(of stage: Int) { tuples.withLock { $0[stage] = nil } }

  // MARK: Bytes that wait

  /// Bytes that somebody will want back soon.
  enum Waiting: Sendable {
    case inMemory([UInt8])
    case onDisk(offset: Int, count: Int)
  }

  /// Blocks where there is no room.
  func setAside(_ bytes: [UInt8]) throws -> Waiting {
    if budget.reserve(bytes.count) { return .inMemory(bytes) }
    let coder = takeCoder()
    defer { give(coder) }
    var frame = RawBuffer()
    bytes.withUnsafeBytes { coder.compress($0, to: &frame) }
    let offset = rest.place(frame.count)
    try rest.write(frame.view, at: offset)
    return .onDisk(offset: offset, count: frame.count)
  }

  /// Gives bytes back, once. Blocks where they are on the disk.
  func takeBack(_ waiting: Waiting) throws -> [UInt8] {
    switch waiting {
    case .inMemory(let bytes):
      budget.release(bytes.count)
      return bytes
    case .onDisk(let offset, let count):
      let coder = takeCoder()
      defer { give(coder) }
      var frame = RawBuffer()
      var bytes = RawBuffer()
      try rest.read(count, at: offset, to: &frame)
      do throws(ChunkError) {
        try coder.decompress(frame.view, to: &bytes)
      } catch {
        throw RunError(damagedSpill: rest.path, error)
      }
      return Array(bytes.view)
    }
  }

  // MARK: Things to use again

  func takeWriter(columns: [Int], keepsOffsets: Bool) -> ColumnChunkWriter {
    spare.withLock {
      $0.writers[WriterForm(columns: columns, keepsOffsets: keepsOffsets)]?.popLast()
    }
      ?? ColumnChunkWriter(columns: columns, keepsOffsets: keepsOffsets)
  }

  /// - Parameter writer: finished.
  func give(_ writer: ColumnChunkWriter) {
    let form = WriterForm(columns: writer.columns, keepsOffsets: writer.keepsOffsets)
    spare.withLock { $0.writers[form, default: []].append(writer) }
  }

  func takeTupleStage() -> TupleStage { spare.withLock { $0.stages.popLast() } ?? TupleStage() }

  func give(_ stage: TupleStage) { spare.withLock { $0.stages.append(stage) } }

  func takeCoder() -> FrameCoder { spare.withLock { $0.coders.popLast() } ?? FrameCoder() }

  func give(_ coder: FrameCoder) { spare.withLock { $0.coders.append(coder) } }

  /// Lets go of what tasks of the last pass used, where not everything is in memory.
  func dropSpares() {
    guard isOnDisk else { return }
    spare.withLock { $0 = Spare() }
  }
}
