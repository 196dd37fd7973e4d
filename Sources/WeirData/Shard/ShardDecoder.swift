/// Turns the bytes of one shard as they lie on disk into blocks of whole lines.
///
/// It does no I/O: pieces of the file come in by ``consume(_:emit:)``, in order.
public struct ShardDecoder: ~Copyable {
  private let path: String
  private let limits: ShardLimits
  private var decompressor: Decompressor?
  private var framer: LineFramer
  /// The first bytes of the file, until there are enough to know the format.
  private var head: [UInt8] = []

  /// - Parameter path: for messages; its ending says what the content should be.
  public init(path: String, limits: ShardLimits) {
    self.init(path: path, limits: limits, firstLine: 1)
  }

  init(path: String, limits: ShardLimits, firstLine: Int) {
    self.path = path
    self.limits = limits
    framer = LineFramer(limits: limits, firstLine: firstLine)
  }

  /// Frames without a checksum that were read.
  public var uncheckedFrames: Int { decompressor?.uncheckedFrames ?? 0 }

  public mutating func consume(
    _ piece: borrowing Bytes, emit: (consuming LineBlock) throws -> Void
  ) throws {
    guard piece.count > 0 else { return }
    if decompressor != nil { return try decode(piece.view, emit: emit) }
    guard head.count + piece.count >= ShardFormat.headBytes else {
      head.append(contentsOf: piece.view)
      return
    }
    if head.isEmpty { return try begin(piece.view, emit: emit) }
    let whole = Bytes(head + piece.copy())
    head = []
    try begin(whole.view, emit: emit)
  }

  /// Call at the end of the file.
  public mutating func finish(emit: (consuming LineBlock) throws -> Void) throws {
    if decompressor == nil {
      if head.isEmpty, isNamedCompressed {
        throw ShardError(
          code: .empty, path: path, byte: 0,
          message: "the file has no bytes at all: not even an empty frame",
          fix:
            "its writer failed: write it again (an empty shard is one empty frame), or remove it")
      }
      let whole = Bytes(head)
      try begin(whole.view, emit: emit)
    }
    try decompressor?.finish()
    try framer.finish(emit: emit)
  }

  private mutating func begin(
    _ input: UnsafeBufferPointer<UInt8>, emit: (consuming LineBlock) throws -> Void
  ) throws {
    try open(input)
    try decode(input, emit: emit)
  }

  private mutating func decode(
    _ input: UnsafeBufferPointer<UInt8>, emit: (consuming LineBlock) throws -> Void
  ) throws {
    var at = 0
    while true {
      let (to, room) = framer.room
      let written = try decompressor!.decode(input, at: &at, into: to, capacity: room)
      if written > 0 {
        try framer.wrote(written, emit: emit)
        try checkLineCount()
      }
      if at == input.count, written < room { break }
    }
    decompressor!.finishPiece(bytes: input.count)
  }

  /// Positions hold line numbers in 32 bits.
  private func checkLineCount() throws(ShardError) {
    guard framer.linesHandedOn > Int(UInt32.max) else { return }
    throw ShardError(
      code: .tooManyLines, path: path, byte: nil, message: "more than \(UInt32.max) lines",
      fix: "split the shard")
  }

  private var isNamedCompressed: Bool { hasEnding(".zst") || hasEnding(".gz") }

  private func hasEnding(_ ending: String) -> Bool {
    path.utf8.count >= ending.utf8.count
      && path.utf8.suffix(ending.utf8.count).elementsEqual(ending.utf8)
  }

  private mutating func open(_ head: UnsafeBufferPointer<UInt8>) throws(ShardError) {
    let format = ShardFormat.sniff(head)
    if format == .plain, isNamedCompressed {
      // Plain text under a compressed name is read; anything else is a damaged head.
      let start = head.prefix(ShardFormat.headBytes)
      let first = start.first { ![0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains($0) }
      guard first == nil || first == UInt8(ascii: "{") else {
        throw ShardError(
          code: .format, path: path, byte: 0,
          message: "named as compressed, but it begins with \(hexText(start))",
          fix: "the head of the shard is damaged or the name is wrong: write it again or rename it")
      }
    }
    decompressor = try Decompressor(format: format, path: path, windowLogMax: limits.windowLogMax)
  }
}
