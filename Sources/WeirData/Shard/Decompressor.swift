import CZlib
import CZstd
import Glibc

/// How the bytes of a shard are packed, by their first bytes.
public enum ShardFormat: String, Sendable {
  case plain, gzip, zstd

  /// - Parameters:
  ///   - head: the first bytes of the file, at least 4 where it has so many.
  static func sniff(_ head: UnsafeBufferPointer<UInt8>) -> ShardFormat {
    if head.count >= 2, head[0] == 0x1F, head[1] == 0x8B { return .gzip }
    if head.count >= 4 {
      let magic = UnsafeRawPointer(head.baseAddress!).loadUnaligned(as: UInt32.self).littleEndian
      if magic == 0xFD2F_B528 || magic & 0xFFFF_FFF0 == 0x184D_2A50 { return .zstd }
    }
    return .plain
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
  private var consumed = 0
  /// First bytes of a zstd frame until its header is complete.
  private var header: [UInt8] = []
  private var inFrame = false

  /// - Parameter windowLogMax: the largest window a zstd frame may ask for, as a power of two.
  init(format: ShardFormat, path: String, windowLogMax: Int) throws(ShardError) {
    self.format = format
    self.path = path
    self.windowLogMax = Int32(windowLogMax)
    switch format {
    case .plain: break
    case .zstd:
      zstd = ZSTD_createDCtx()
      ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, Int32(windowLogMax))
    case .gzip:
      let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
      stream.initialize(to: z_stream())
      inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
      gzip = stream
    }
  }

  deinit {
    if let zstd { ZSTD_freeDCtx(zstd) }
    if let gzip {
      inflateEnd(gzip)
      gzip.deallocate()
    }
  }

  /// Unpacks from `input` starting at `at` into `output`, as much as fits; moves `at` on.
  /// Returns the bytes written: 0 with `at` at the end means that more input is needed.
  func decode(
    _ input: UnsafeBufferPointer<UInt8>, at: inout Int, into output: UnsafeMutablePointer<UInt8>,
    capacity: Int
  ) throws(ShardError) -> Int {
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

  /// Call when a piece has been read to its end.
  func finishPiece(bytes: Int) { consumed += bytes }

  /// Call at the end of the file: a shard that stops inside a frame is truncated, even where the
  /// library reports no error.
  func finish() throws(ShardError) {
    guard inFrame || !header.isEmpty else { return }
    throw ShardError(
      code: .truncated, path: path, byte: consumed,
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
      }
      var out = ZSTD_outBuffer(dst: output, size: capacity, pos: 0)
      // The header was taken out of the input already: it goes first.
      if !header.isEmpty {
        let head = header
        header = []
        let result = head.withUnsafeBytes { bytes in
          var part = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
          let result = ZSTD_decompressStream(zstd, &out, &part)
          // A header that is complete and nothing more never fills the output.
          return ZSTD_isError(result) != 0 || part.pos == bytes.count ? result : Int.max
        }
        try check(result, at: at)
        if result == 0 { inFrame = false }
        if out.pos > 0 { return out.pos }
        if !inFrame { continue }
      }
      var part = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: at)
      let before = at
      let result = ZSTD_decompressStream(zstd, &out, &part)
      at = part.pos
      try check(result, at: at)
      if result == 0 { inFrame = false }
      if out.pos > 0 { return out.pos }
      if at == input.count { return 0 }
      if at == before, inFrame {
        throw corrupt("the frame does not unpack", at: at)
      }
    }
  }

  /// Reads the header of the next frame out of the input; false where more input is needed.
  private func openFrame(
    _ input: UnsafeBufferPointer<UInt8>, at: inout Int
  ) throws(ShardError) -> Bool {
    while at < input.count {
      header.append(input[at])
      at += 1
      var frame = ZSTD_frameHeader()
      let result = header.withUnsafeBytes {
        ZSTD_getFrameHeader(&frame, $0.baseAddress, $0.count)
      }
      if ZSTD_isError(result) != 0 {
        throw ShardError(
          code: consumed + at <= 4 ? .format : .trailingBytes, path: path,
          byte: consumed + at - header.count,
          message: "these bytes are not a zstd frame",
          fix: "the shard is damaged or something was appended to it: write it again")
      }
      guard result == 0 else { continue }
      if frame.frameType == ZSTD_frame {
        if frame.windowSize > UInt64(1) << UInt64(windowLogMax) {
          throw ShardError(
            code: .windowTooLarge, path: path, byte: consumed + at - header.count,
            message:
              "the frame wants a window of \(frame.windowSize) bytes, more than the limit of \(UInt64(1) << UInt64(windowLogMax))",
            fix:
              "raise \"window_bytes_max\" on the source, or compress the shard without --ultra/--long"
          )
        }
        if frame.dictID != 0 {
          throw ShardError(
            code: .dictionary, path: path, byte: consumed + at - header.count,
            message: "the frame was compressed with dictionary \(frame.dictID)",
            fix: "compress the shard without a dictionary")
        }
        if frame.checksumFlag == 0 { uncheckedFrames += 1 }
      }
      inFrame = true
      return true
    }
    return false
  }

  private func check(_ result: Int, at: Int) throws(ShardError) {
    guard ZSTD_isError(result) != 0 else { return }
    let code = ZSTD_getErrorCode(result)
    if code == ZSTD_error_checksum_wrong {
      throw ShardError(
        code: .checksum, path: path, byte: consumed + at,
        message: "the checksum of the frame that ends here does not match its content",
        fix: "the shard is damaged: copy it again from where it was written")
    }
    throw corrupt(String(cString: ZSTD_getErrorName(result)), at: at)
  }

  private func corrupt(_ reason: String, at: Int) -> ShardError {
    ShardError(
      code: .corrupt, path: path, byte: consumed + at,
      message: "the \(format.rawValue) data is damaged: \(reason)",
      fix: "copy the shard again from where it was written")
  }

  private func decodeGzip(
    _ input: UnsafeBufferPointer<UInt8>, at: inout Int, into output: UnsafeMutablePointer<UInt8>,
    capacity: Int
  ) throws(ShardError) -> Int {
    guard let gzip else { return 0 }
    while at < input.count {
      if !inFrame {
        if consumed + at > 0 {
          inflateReset(gzip)
          guard input[at] == 0x1F else {
            throw ShardError(
              code: .trailingBytes, path: path, byte: consumed + at,
              message: "these bytes behind the end are not a gzip member",
              fix: "something was appended to the shard: write it again")
          }
        }
        inFrame = true
      }
      gzip.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress! + at)
      gzip.pointee.avail_in = UInt32(input.count - at)
      gzip.pointee.next_out = output
      gzip.pointee.avail_out = UInt32(capacity)
      let result = inflate(gzip, Z_NO_FLUSH)
      at = input.count - Int(gzip.pointee.avail_in)
      let written = capacity - Int(gzip.pointee.avail_out)
      switch result {
      case Z_OK, Z_BUF_ERROR: break
      case Z_STREAM_END: inFrame = false
      default:
        throw corrupt(gzip.pointee.msg.map { String(cString: $0) } ?? "error \(result)", at: at)
      }
      if written > 0 { return written }
    }
    // Output may be pending although the input is used up.
    if inFrame {
      gzip.pointee.avail_in = 0
      gzip.pointee.next_out = output
      gzip.pointee.avail_out = UInt32(capacity)
      let result = inflate(gzip, Z_NO_FLUSH)
      if result == Z_STREAM_END { inFrame = false }
      if result < 0, result != Z_BUF_ERROR {
        throw corrupt(gzip.pointee.msg.map { String(cString: $0) } ?? "error \(result)", at: at)
      }
      return capacity - Int(gzip.pointee.avail_out)
    }
    return 0
  }
}
