import WeirData

/// Which shard something came from, by the names that outputs call it.
public struct ShardOrigin: Sendable, Equatable {
  /// The source stage.
  public var source: String
  /// Name of the shard as bytes.
  public var shard: [UInt8]

  public init(source: String, shard: [UInt8]) {
    self.source = source
    self.shard = shard
  }
}

/// A merger that is told where each partial is from, and can see a part of it again at the end: what it
/// needs to choose from when it knows its results, and need not hold in memory until then.
public protocol TracingMerger: ReduceMerger {
  /// Takes the partials in the order of their shards.
  ///
  /// - Returns: bytes to see again, `nil` for none.
  func merge(_ partial: [UInt8], of shard: ShardOrigin) throws -> [UInt8]?
  /// The outputs by port. Stands for `finish()`.
  func finish(_ kept: KeptParts) throws -> [String: StageOutput]
}

/// What a ``TracingMerger`` kept of the partials, in the order of their shards. Lies on the disk where
/// memory is short.
public final class KeptParts {
  private var parts: [(origin: ShardOrigin, waiting: RunMemory.Waiting)] = []
  private let memory: RunMemory?

  init(_ memory: RunMemory?) { self.memory = memory }

  /// Nothing was kept.
  public convenience init() { self.init(nil) }

  /// - Parameter parts: in memory.
  public convenience init(_ parts: [(origin: ShardOrigin, bytes: [UInt8])]) {
    self.init(nil)
    self.parts = parts.map { ($0.origin, .inMemory($0.bytes)) }
  }

  /// May block.
  func add(_ bytes: [UInt8], of origin: ShardOrigin) throws {
    parts.append((origin, try memory?.setAside(bytes) ?? .inMemory(bytes)))
  }

  /// Hands on all parts, once. May block.
  public func forEach(_ body: (ShardOrigin, [UInt8]) throws -> Void) throws {
    let all = parts
    parts = []
    for part in all {
      switch (memory, part.waiting) {
      case (let memory?, let waiting): try body(part.origin, memory.takeBack(waiting))
      case (nil, .inMemory(let bytes)): try body(part.origin, bytes)
      case (nil, .onDisk): preconditionFailure("only the memory of a run puts parts on the disk")
      }
    }
  }
}
