import CZlib
import CZstd
import Glibc

/// How the bytes of a shard are packed, by their first bytes.
public enum ShardFormat: String, Sendable {
  case plain, gzip, zstd

  /// Bytes of a file that say what it is.
  static let headBytes = 4

  /// - Parameter head: the first bytes of the file, ``headBytes`` or more where it has so many.
  static func sniff(_ head: UnsafeBufferPointer<UInt8>) -> ShardFormat {
    if head.count >= 2, head[0] == 0x1F, head[1] == 0x8B { return .gzip }
    if head.count >= 4 {
      let magic = UnsafeRawPointer(head.baseAddress!).loadUnaligned(as: UInt32.self).littleEndian
      if magic == 0xFD2F_B528 || magic & 0xFFFF_FFF0 == 0x184D_2A50 { return .zstd }
    }
    return .plain
  }

  /// Whether a zstd frame, or one to pass over, can begin with `bytes`, of which there are 4 or fewer.
  static func canBeginZstd(_ bytes: [UInt8]) -> Bool {
    let data: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]
    let skippable: [UInt8] = [0x50, 0x2A, 0x4D, 0x18]
    return bytes.indices.allSatisfy { bytes[$0] == data[$0] }
      || bytes.indices.allSatisfy { ($0 == 0 ? bytes[0] & 0xF0 : bytes[$0]) == skippable[$0] }
  }
}

/// Unpacks a shard that arrives piece by piece. Knows nothing of lines.
final class Decompressor {
  private(set) var format: ShardFormat
  /// Frames whose writer left the checksum out: read, and said.
  private(set) var uncheckedFrames = 0
  private let path: String
  private let windowLogMax: Int32
  private var zstd: OpaquePointer?
  private var gzip: UnsafeMutablePointer<z_stream>?
  /// Bytes of the file before the piece being read.
  private var pieceStart = 0
  /// First bytes of a zstd frame until its header is complete.
  private var header: [UInt8] = []
  private var inFrame = false
  /// Whether the frame says that its content is no more than one block may have.
  private var isOneBlock = false
  /// Where the frame or member being read begins in the file.
  private var frameStart = 0

  /// - Parameter windowLogMax: the largest window a zstd frame may ask for, as a power of two.
  init(format: ShardFormat, path: String, windowLogMax: Int) throws(ShardError) {
    self.format = format
    self.path = path
    self.windowLogMax = Int32(windowLogMax)
    switch format {
    case .plain: break
    case .zstd:
      zstd = ZstdContexts.take()
      ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, Int32(windowLogMax))
    case .gzip:
      let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
      stream.initialize(to: z_stream())
      inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
      gzip = stream
    }
  }

  deinit {
    if let zstd { ZstdContexts.give(zstd) }
    if let gzip {
      inflateEnd(gzip)
      gzip.deallocate()
    }
  }

  /// Unpacks from `input`, which begins at byte `start` of the file, from `at` on into `output`, as
  /// much as fits; moves `at` on. Returns the bytes written: 0 means that more input is needed.
  func decode(
    _ input: UnsafeBufferPointer<UInt8>, from start: Int, at: inout Int,
    into output: UnsafeMutablePointer<UInt8>, capacity: Int
  ) throws(ShardError) -> Int {
    pieceStart = start
    switch format {
    case .plain:
      let count = min(input.count - at, capacity)
      if count > 0 { memcpy(output, input.baseAddress! + at, count) }
      at += count
      return count
    case .zstd: return try decodeZstd(input, at: &at, into: output, capacity: capacity)
    case .gzip: return try decodeGzip(input, at: &at, into: output, capacity: capacity)
    }
  }

  /// Call at the end of the file: a shard that stops inside a frame is truncated, even where the
  /// library reports no error.
  ///
  /// - Parameter end: bytes of the file.
  func finish(at end: Int) throws(ShardError) {
    guard inFrame || !header.isEmpty else { return }
    throw ShardError(
      code: .truncated, path: path, byte: end,
      message: "the file ends inside a \(format.rawValue) frame: its end is missing",
      fix: "copy the shard again from where it was written, then run again")
  }

  private func decodeZstd(
    _ input: UnsafeBufferPointer<UInt8>, at: inout Int, into output: UnsafeMutablePointer<UInt8>,
    capacity: Int
  ) throws(ShardError) -> Int {
    while true {
      if !inFrame {
        guard try openFrame(input, at: &at) else { return 0 }
        if frameStart >= pieceStart, isOneBlock {
          // All of the header is in this piece. Given in front of its frame, it lets the library unpack a
          // small frame in one go, without a window of its own. Of larger ones it would not check all that
          // it checks otherwise, and only where there is room: a verdict must not depend on that.
          at -= header.count
          header.removeAll(keepingCapacity: true)
        }
      }
      var out = ZSTD_outBuffer(dst: output, size: capacity, pos: 0)
      // The beginning of the header was in an earlier piece: it goes first.
      if !header.isEmpty {
        let head = header
        header = []
        let result = head.withUnsafeBytes { bytes in
          var part = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
          let result = ZSTD_decompressStream(zstd, &out, &part)
          // A header that is complete and nothing more never fills the output.
          assert(ZSTD_isError(result) != 0 || part.pos == bytes.count)
          return result
        }
        try check(result)
        if result == 0 { inFrame = false }
        if out.pos > 0 { return out.pos }
        if !inFrame { continue }
      }
      var part = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: at)
      let before = at
      let result = ZSTD_decompressStream(zstd, &out, &part)
      at = part.pos
      try check(result)
      if result == 0 { inFrame = false }
      if out.pos > 0 { return out.pos }
      if at == input.count { return 0 }
      if at == before, inFrame {
        throw corrupt("it does not unpack")
      }
    }
  }

  /// Reads the header of the next frame out of the input; false where more input is needed.
  private func openFrame(
    _ input: UnsafeBufferPointer<UInt8>, at: inout Int
  ) throws(ShardError) -> Bool {
    while at < input.count {
      if header.isEmpty { frameStart = pieceStart + at }
      header.append(input[at])
      at += 1
      guard header.count > 4 || ShardFormat.canBeginZstd(header) else {
        throw trailingBytes("a zstd frame")
      }
      var frame = ZSTD_frameHeader()
      let result = header.withUnsafeBytes {
        ZSTD_getFrameHeader(&frame, $0.baseAddress, $0.count)
      }
      try check(result)
      guard result == 0 else { continue }
      if frame.frameType == ZSTD_frame { try check(frame) }
      isOneBlock =
        frame.frameType == ZSTD_frame && frame.frameContentSize <= UInt64(frame.blockSizeMax)
      inFrame = true
      return true
    }
    return false
  }

  private func check(_ frame: ZSTD_frameHeader) throws(ShardError) {
    let limit = UInt64(1) << UInt64(windowLogMax)
    if frame.windowSize > limit { throw windowTooLarge("\(frame.windowSize) bytes") }
    if frame.dictID != 0 {
      throw ShardError(
        code: .dictionary, path: path, byte: frameStart,
        message: "the frame was compressed with dictionary \(frame.dictID)",
        fix: "compress the shard without a dictionary")
    }
    if frame.checksumFlag == 0 { uncheckedFrames += 1 }
  }

  private func check(_ result: Int) throws(ShardError) {
    guard ZSTD_isError(result) != 0 else { return }
    switch ZSTD_getErrorCode(result) {
    case ZSTD_error_checksum_wrong: throw wrongChecksum()
    // What the library cannot hold at all; the limit of this reader is checked before.
    case ZSTD_error_frameParameter_windowTooLarge: throw windowTooLarge("more than 2 GiB")
    // Which of its reasons the library gives depends on the room that there is for the output.
    default: throw corrupt("it does not unpack")
    }
  }

  private func windowTooLarge(_ wanted: String) -> ShardError {
    ShardError(
      code: .windowTooLarge, path: path, byte: frameStart,
      message:
        "the frame wants a window of \(wanted), over the limit of \(1 << Int(windowLogMax)) bytes",
      fix: "raise \"window_bytes_max\" on the source, or compress the shard without --ultra/--long")
  }

  private func wrongChecksum() -> ShardError {
    ShardError(
      code: .checksum, path: path, byte: frameStart,
      message: "the checksum of the frame that begins here does not match its content",
      fix: "the shard is damaged: copy it again from where it was written")
  }

  private func trailingBytes(_ expected: String) -> ShardError {
    ShardError(
      code: .trailingBytes, path: path, byte: frameStart,
      message: "the bytes from here on are not \(expected)",
      fix: "something was appended to the shard: write it again")
  }

  private func corrupt(_ reason: String) -> ShardError {
    ShardError(
      code: .corrupt, path: path, byte: frameStart,
      message: "the \(format.rawValue) frame that begins here is damaged: \(reason)",
      fix: "copy the shard again from where it was written")
  }

  private func decodeGzip(
    _ input: UnsafeBufferPointer<UInt8>, at: inout Int, into output: UnsafeMutablePointer<UInt8>,
    capacity: Int
  ) throws(ShardError) -> Int {
    guard let gzip else { return 0 }
    while at < input.count {
      if !inFrame {
        frameStart = pieceStart + at
        if frameStart > 0 { inflateReset(gzip) }
        guard input[at] == 0x1F else { throw trailingBytes("a gzip member") }
        inFrame = true
      }
      gzip.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress! + at)
      gzip.pointee.avail_in = UInt32(input.count - at)
      let written = try inflateSome(gzip, into: output, capacity: capacity)
      at = input.count - Int(gzip.pointee.avail_in)
      if written > 0 { return written }
    }
    guard inFrame else { return 0 }
    // Output may be pending although the input is used up.
    gzip.pointee.avail_in = 0
    return try inflateSome(gzip, into: output, capacity: capacity)
  }

  private func inflateSome(
    _ gzip: UnsafeMutablePointer<z_stream>, into output: UnsafeMutablePointer<UInt8>, capacity: Int
  ) throws(ShardError) -> Int {
    gzip.pointee.next_out = output
    gzip.pointee.avail_out = UInt32(clamping: capacity)
    let room = gzip.pointee.avail_out
    let result = inflate(gzip, Z_NO_FLUSH)
    switch result {
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END: inFrame = false
    default:
      let reason = gzip.pointee.msg.map { String(cString: $0) } ?? "error \(result)"
      switch reason {
      case "incorrect data check", "incorrect length check": throw wrongChecksum()
      case "incorrect header check" where frameStart > 0: throw trailingBytes("a gzip member")
      default: throw corrupt(reason)
      }
    }
    return Int(room - gzip.pointee.avail_out)
  }
}
