import CZlib
import WeirData

/// Builders of shards, whole and damaged.
public enum SampleShard {
  /// The text of a shard: `records`, each with a line end.
  ///
  /// - Parameters:
  ///   - lineEnd: `"\n"` or `"\r\n"`.
  ///   - endsLastLine: whether the last record has a line end too.
  ///   - byteOrderMark: whether the text begins with EF BB BF.
  public static func text(
    _ records: [String], lineEnd: String = "\n", endsLastLine: Bool = true,
    byteOrderMark: Bool = false
  ) -> [UInt8] {
    var out: [UInt8] = byteOrderMark ? [0xEF, 0xBB, 0xBF] : []
    for (i, record) in records.enumerated() {
      out.append(contentsOf: record.utf8)
      if endsLastLine || i + 1 < records.count { out.append(contentsOf: lineEnd.utf8) }
    }
    return out
  }

  /// `text` as zstd frames of about equal size, cut anywhere, line ends or not.
  public static func zstd(
    _ text: [UInt8], frames: Int = 1, checksum: Bool = true, level: Int = 3
  ) -> [UInt8] {
    let encoder = ZstdEncoder(level: level)
    return pieces(of: text, count: frames).flatMap { piece -> [UInt8] in
      let frame = encoder.frame(Array(piece))
      return checksum ? frame : withoutChecksum(frame)
    }
  }

  /// `text` as gzip members of about equal size.
  public static func gzip(_ text: [UInt8], members: Int = 1) -> [UInt8] {
    pieces(of: text, count: members).flatMap { gzipMember(Array($0)) }
  }

  /// A frame that readers pass over (RFC 8878, 3.1.2).
  ///
  /// - Parameter variant: 0 to 15, the last half byte of the magic number.
  public static func skippableFrame(_ content: [UInt8] = [], variant: UInt8 = 0) -> [UInt8] {
    [0x50 + variant, 0x2A, 0x4D, 0x18] + littleEndian(UInt32(content.count)) + content
  }

  /// A frame of `count` times one byte in as few bytes as the format allows: 4 for 128 KiB.
  public static func zstdBomb(_ byte: UInt8, count: Int) -> [UInt8] {
    var out = zstdHeader(windowLog: 17)
    var left = count
    repeat {
      let block = min(left, 128 * 1024)
      left -= block
      let header = UInt32(block) << 3 | 1 << 1 | (left == 0 ? 1 : 0)
      out.append(contentsOf: littleEndian(header)[..<3] + [byte])
    } while left > 0
    return out
  }

  /// A frame with one raw block, no checksum and a header that asks for `windowLog` or for a
  /// dictionary. At most 128 KiB of content.
  public static func rawFrame(
    _ content: [UInt8] = [], windowLog: UInt8 = 17, dictionary: UInt32 = 0
  ) -> [UInt8] {
    let block = littleEndian(UInt32(content.count) << 3 | 1)[..<3]
    return zstdHeader(windowLog: windowLog, dictionary: dictionary) + block + content
  }

  /// `bytes` with one bit turned over: bit 0 of byte 0 is 0.
  public static func flippingBit(_ bit: Int, of bytes: [UInt8]) -> [UInt8] {
    var out = bytes
    out[bit / 8] ^= 1 << UInt8(bit % 8)
    return out
  }

  /// Turns one zstd frame with a checksum into the same frame without.
  public static func withoutChecksum(_ frame: [UInt8]) -> [UInt8] {
    var out = Array(frame.dropLast(4))
    out[4] &= ~4
    return out
  }

  private static func zstdHeader(windowLog: UInt8, dictionary: UInt32 = 0) -> [UInt8] {
    let hasDictionary = dictionary != 0
    return [0x28, 0xB5, 0x2F, 0xFD, hasDictionary ? 3 : 0, (windowLog - 10) << 3]
      + (hasDictionary ? littleEndian(dictionary) : [])
  }

  private static func pieces(of text: [UInt8], count: Int) -> [ArraySlice<UInt8>] {
    (0..<count).map { text[($0 * text.count / count)..<(($0 + 1) * text.count / count)] }
  }

  private static func gzipMember(_ content: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    deflateInit2_(
      &stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    defer { deflateEnd(&stream) }
    var content = content
    let bound = Int(deflateBound(&stream, UInt(content.count)))
    return content.withUnsafeMutableBufferPointer { input in
      [UInt8](unsafeUninitializedCapacity: bound) { output, count in
        stream.next_in = input.baseAddress
        stream.avail_in = UInt32(input.count)
        stream.next_out = output.baseAddress
        stream.avail_out = UInt32(bound)
        deflate(&stream, Z_FINISH)
        count = bound - Int(stream.avail_out)
      }
    }
  }
}

func littleEndian(_ value: UInt32) -> [UInt8] {
  (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}
