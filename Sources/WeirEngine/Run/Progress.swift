import Synchronization

/// How far a run is: counted by its tasks, read by whoever shows it.
public final class Progress: Sendable {
  private let rowCount = Atomic<Int>(0)
  private let byteCount = Atomic<Int>(0)
  private let totalBytes = Atomic<Int>(0)
  private let shardCount = Atomic<Int>(0)
  private let totalShards = Atomic<Int>(0)

  public init() {}

  /// Records and other lines parsed.
  public var rows: Int { rowCount.load(ordering: .relaxed) }
  /// Bytes of the shards read, as they lie on disk.
  public var bytes: Int { byteCount.load(ordering: .relaxed) }
  public var bytesInAll: Int { totalBytes.load(ordering: .relaxed) }
  public var shards: Int { shardCount.load(ordering: .relaxed) }
  public var shardsInAll: Int { totalShards.load(ordering: .relaxed) }

  func addRows(_ count: Int) { rowCount.wrappingAdd(count, ordering: .relaxed) }
  func addBytes(_ count: Int) { byteCount.wrappingAdd(count, ordering: .relaxed) }
  func addShard() { shardCount.wrappingAdd(1, ordering: .relaxed) }
  func expect(shards: Int, bytes: Int) {
    totalShards.store(shards, ordering: .relaxed)
    totalBytes.store(bytes, ordering: .relaxed)
  }
}
