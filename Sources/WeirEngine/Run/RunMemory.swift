import Synchronization
import WeirData

/// What a run keeps in memory from pass to pass, and what its tasks fill that with.
final class RunMemory: Sendable {
  /// Columns for later passes, to the end of the run.
  let columns = ChunkStore()
  /// By stage: tuples of barriers that are not decided.
  private let tuples = Mutex<[Int: ChunkStore]>([:])
  private let spare = Mutex(Spare())

  /// What no task uses at the moment.
  private struct Spare {
    var writers: [[Int]: [ColumnChunkWriter]] = [:]
    var stages: [TupleStage] = []
  }

  func tuples(of stage: Int) -> ChunkStore {
    tuples.withLock { stores in
      if let store = stores[stage] { return store }
      let store = ChunkStore()
      stores[stage] = store
      return store
    }
  }

  /// Gives back the tuples of a barrier that is decided.
  func dropTuples(of stage: Int) { tuples.withLock { $0[stage] = nil } }

  func takeWriter(columns: [Int]) -> ColumnChunkWriter {
    spare.withLock { $0.writers[columns]?.popLast() } ?? ColumnChunkWriter(columns: columns)
  }

  /// - Parameter writer: finished.
  func give(_ writer: ColumnChunkWriter) {
    spare.withLock { $0.writers[writer.columns, default: []].append(writer) }
  }

  func takeTupleStage() -> TupleStage { spare.withLock { $0.stages.popLast() } ?? TupleStage() }

  func give(_ stage: TupleStage) { spare.withLock { $0.stages.append(stage) } }
}
