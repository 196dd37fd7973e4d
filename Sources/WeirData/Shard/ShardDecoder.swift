/// Turns the bytes of one shard as they lie on disk into blocks of whole lines.
///
/// It does no I/O: pieces of the file are given by ``feed(_:)``, in order, and ``next()`` returns
/// the blocks that they make.
public struct ShardDecoder: ~Copyable, Sendable {
  private var unpacker: ShardUnpacker
  private var framer: LineFramer

  /// - Parameter path: for messages; its ending says what the content should be.
  public init(path: String, limits: ShardLimits) {
    self.init(path: path, limits: limits, firstLine: 1)
  }

  init(path: String, limits: ShardLimits, firstLine: Int) {
    unpacker = ShardUnpacker(path: path, limits: limits)
    framer = LineFramer(path: path, limits: limits, firstLine: firstLine)
  }

  /// Frames without a checksum that were read.
  public var uncheckedFrames: Int { unpacker.uncheckedFrames }

  /// Gives the next bytes of the file; what was given before is used up: ``next()`` returned `nil`.
  public mutating func feed(_ piece: consuming Bytes) { unpacker.feed(piece) }

  /// Says that the file has no more bytes.
  public mutating func feedEnd() { unpacker.feedEnd() }

  /// The next block; `nil` where more input is needed and, at the end of the file, where there is
  /// none.
  ///
  /// - Throws: ``ShardError`` with the place in the file where it is damaged.
  public mutating func next() throws(ShardError) -> LineBlock? {
    while true {
      let (to, room) = framer.room
      let written = try unpacker.unpack(into: to, capacity: room)
      guard written > 0 else { break }
      if let block = try framer.wrote(written) { return block }
    }
    return unpacker.isAtEnd ? framer.finish() : nil
  }
}

extension ShardDecoder {
  /// Takes a whole piece, handing on every block that it completes.
  public mutating func consume(
    _ piece: consuming Bytes, emit: (consuming LineBlock) throws -> Void
  ) throws {
    feed(piece)
    while let block = try next() { try emit(block) }
  }

  /// Call at the end of the file.
  public mutating func finish(emit: (consuming LineBlock) throws -> Void) throws {
    feedEnd()
    while let block = try next() { try emit(block) }
  }
}
