import CZstd

/// Finds where the frames of a zstd file end (RFC 8878, section 3.1), from the sizes in the headers
/// alone, so that several workers can unpack frames of one shard at the same time.
///
/// It judges nothing: from bytes that are no frame on, everything counts as one frame, and whoever
/// unpacks it says what is wrong.
public struct ZstdFrames: Sendable {
  private enum Place {
    case header
    case blockHeader
    /// Bytes to pass over; then a block header, or the end of the frame.
    case content(Int, endsFrame: Bool)
    case notFrames
  }
  private var place = Place.header
  /// Bytes of a header that is not complete.
  private var header: [UInt8] = []
  private var hasChecksum = false

  public init() {}

  /// Passes over the next bytes of the file.
  ///
  /// - Returns: how many of them there are up to the next end of a frame, that end included; `nil`
  ///   where no frame ends in them.
  public mutating func advance(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    var at = 0
    while at < bytes.count {
      switch place {
      case .notFrames: return nil
      case .header:
        header.append(bytes[at])
        at += 1
        readFrameHeader()
      case .blockHeader:
        header.append(bytes[at])
        at += 1
        if header.count == 3 { readBlockHeader() }
      case .content(let left, let endsFrame):
        let count = min(left, bytes.count - at)
        at += count
        place = .content(left - count, endsFrame: endsFrame)
      }
      if case .content(0, let endsFrame) = place {
        place = endsFrame ? .header : .blockHeader
        if endsFrame { return at }
      }
    }
    return nil
  }

  private mutating func readFrameHeader() {
    var frame = ZSTD_frameHeader()
    let wanted = header.withUnsafeBytes { ZSTD_getFrameHeader(&frame, $0.baseAddress, $0.count) }
    if ZSTD_isError(wanted) != 0 || (header.count == 4 && !ShardFormat.canBeginZstd(header)) {
      place = .notFrames
      return
    }
    guard wanted == 0 else { return }
    header.removeAll()
    if frame.frameType == ZSTD_skippableFrame {
      place = .content(Int(clamping: frame.frameContentSize), endsFrame: true)
    } else {
      hasChecksum = frame.checksumFlag != 0
      place = .blockHeader
    }
  }

  private mutating func readBlockHeader() {
    let word = Int(header[0]) | Int(header[1]) << 8 | Int(header[2]) << 16
    header.removeAll(keepingCapacity: true)
    let isLast = word & 1 == 1
    let type = word >> 1 & 3
    guard type != 3 else {
      place = .notFrames
      return
    }
    // A run of one byte has a size, and takes one byte.
    let size = type == 1 ? 1 : word >> 3
    place = .content(size + (isLast && hasChecksum ? 4 : 0), endsFrame: isLast)
  }
}
