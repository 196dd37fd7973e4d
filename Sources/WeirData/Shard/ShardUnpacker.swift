/// Unpacks the bytes of one shard as they lie on disk. Knows nothing of lines, and does no I/O.
public struct ShardUnpacker: ~Copyable, @unchecked Sendable {
  private let path: String
  private let limits: ShardLimits
  private var decompressor: Decompressor?
  /// The first bytes of the file, until there are enough to know the format.
  private var head: [UInt8] = []
  private var headOffset = 0
  private var piece: Bytes?
  /// Where ``piece`` begins in the file, and how much of it is used up, in bytes.
  private var pieceOffset = 0
  private var at = 0
  /// Where the next piece begins, if nothing else is said.
  private var nextOffset = 0
  private var hasEnd = false

  private let format: ShardFormat?

  /// - Parameters:
  ///   - path: for messages; its ending says what the content should be.
  ///   - format: where it is known already; else the first bytes tell.
  public init(path: String, limits: ShardLimits, format: ShardFormat? = nil) {
    self.path = path
    self.limits = limits
    self.format = format
  }

  /// Frames without a checksum that were read.
  public var uncheckedFrames: Int { decompressor?.uncheckedFrames ?? 0 }

  /// Whether all input was given and unpacked.
  public var isAtEnd: Bool { hasEnd && piece == nil }

  /// Gives the next bytes of the file; what was given before is used up: ``unpack(into:capacity:)``
  /// returned 0.
  ///
  /// - Parameter offset: where they begin in the file, if not behind the piece before: between two
  ///   frames, bytes may be left to another unpacker.
  public mutating func feed(_ bytes: consuming Bytes, at offset: Int? = nil) {
    precondition(piece == nil && !hasEnd, "the last piece is not used up")
    let offset = offset ?? nextOffset
    nextOffset = offset + bytes.count
    guard bytes.count > 0 else { return }
    if head.isEmpty { headOffset = offset }
    if isHeadWanted, head.count + bytes.count < ShardFormat.headBytes {
      head.append(contentsOf: bytes.view)
      return
    }
    at = 0
    if head.isEmpty {
      pieceOffset = offset
      piece = consume bytes
    } else {
      pieceOffset = headOffset
      piece = Bytes(head + bytes.copy())
      head = []
    }
  }

  private var isHeadWanted: Bool { decompressor == nil && format == nil }

  /// Says that the file has no more bytes.
  public mutating func feedEnd() {
    hasEnd = true
    guard !head.isEmpty else { return }
    pieceOffset = headOffset
    piece = Bytes(head)
    head = []
  }

  /// Unpacks as much as fits, at least a byte where there is one: 0 means that more input is needed or
  /// that all is said.
  ///
  /// - Throws: ``ShardError`` with the place in the file where it is damaged.
  public mutating func unpack(
    into output: UnsafeMutablePointer<UInt8>, capacity: Int
  ) throws(ShardError) -> Int {
    if let input = piece.take() {
      if decompressor == nil { try open(input.view) }
      if let decompressor {
        let written = try decompressor.decode(
          input.view, from: pieceOffset, at: &at, into: output, capacity: capacity)
        if written > 0 {
          piece = consume input
          return written
        }
      }
    }
    guard hasEnd else { return 0 }
    guard let decompressor else {
      try refuseNothing()
      return 0
    }
    try decompressor.finish(at: nextOffset)
    return 0
  }

  /// A file without a byte has no lines; one that is named as compressed is damaged.
  private func refuseNothing() throws(ShardError) {
    guard isNamedCompressed else { return }
    throw ShardError(
      code: .empty, path: path, byte: 0,
      message: "the file has no bytes at all: not even an empty frame",
      fix: "its writer failed: write it again (an empty shard is one empty frame), or remove it")
  }

  private var isNamedCompressed: Bool { hasEnding(".zst") || hasEnding(".gz") }

  private func hasEnding(_ ending: String) -> Bool {
    path.utf8.count >= ending.utf8.count
      && path.utf8.suffix(ending.utf8.count).elementsEqual(ending.utf8)
  }

  private mutating func open(_ head: UnsafeBufferPointer<UInt8>) throws(ShardError) {
    let format = format ?? ShardFormat.sniff(head)
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

extension ShardUnpacker {
  /// All that a file holds, whose bytes are there already.
  ///
  /// - Parameters:
  ///   - path: for messages; its ending says what the content should be.
  ///   - limit: in bytes, of what is unpacked.
  /// - Returns: `nil` where it holds more than `limit`; no more than that is unpacked.
  public static func unpack(
    _ bytes: [UInt8], path: String, limits: ShardLimits = ShardLimits(), atMost limit: Int = .max
  ) throws(ShardError) -> [UInt8]? {
    var unpacker = ShardUnpacker(path: path, limits: limits)
    let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: 1 << 16)
    defer { buffer.deallocate() }
    var text: [UInt8] = []
    unpacker.feed(Bytes(bytes))
    while true {
      let count = try unpacker.unpack(into: buffer, capacity: 1 << 16)
      if count > 0 {
        guard text.count + count <= limit else { return nil }
        text.append(contentsOf: UnsafeBufferPointer(start: buffer, count: count))
      } else if unpacker.hasEnd {
        return text
      } else {
        unpacker.feedEnd()
      }
    }
  }
}
