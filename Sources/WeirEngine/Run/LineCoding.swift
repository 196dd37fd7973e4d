import Glibc
import WeirData

// What is known of each line, as it waits between two passes: small, and quickly made again.

extension LineOutcomes {
  /// Runs of equal outcomes: the outcome, and the length with 7 bits a byte, lowest first.
  var encoded: [UInt8] {
    var out: [UInt8] = []
    bytes.withUnsafeBytes { bytes in
      var at = 0
      while at < bytes.count {
        let outcome = bytes[at]
        let eight = UInt64(outcome) &* 0x0101_0101_0101_0101
        var end = at + 1
        while end &+ 8 <= bytes.count,
          bytes.loadUnaligned(fromByteOffset: end, as: UInt64.self) == eight
        {
          end &+= 8
        }
        while end < bytes.count, bytes[end] == outcome { end &+= 1 }
        out.append(outcome)
        var length = end - at
        while length > 127 {
          out.append(UInt8(length & 127) | 128)
          length >>= 7
        }
        out.append(UInt8(length))
        at = end
      }
    }
    return out
  }

  /// - Parameter encoded: what ``encoded`` made.
  init(encoded: [UInt8]) {
    let lines = LineOutcomes.counts(encoded: encoded).reduce(0, +)
    self.init(
      bytes: [UInt8](unsafeUninitializedCapacity: lines) { bytes, count in
        LineOutcomes.forEachRun(encoded) { outcome, length in
          memset(bytes.baseAddress! + count, Int32(outcome), length)
          count += length
        }
      })
  }

  /// Lines by outcome.
  ///
  /// - Parameter encoded: what ``encoded`` made.
  static func counts(encoded: [UInt8]) -> [Int] {
    var counts = [Int](repeating: 0, count: Outcome.allCases.count)
    forEachRun(encoded) { counts[Int($0)] += $1 }
    return counts
  }

  private static func forEachRun(_ encoded: [UInt8], _ body: (UInt8, Int) -> Void) {
    var at = 0
    while at < encoded.count {
      let outcome = encoded[at]
      at += 1
      var length = 0
      var shift = 0
      while encoded[at] > 127 {
        length |= Int(encoded[at] & 127) << shift
        shift += 7
        at += 1
      }
      length |= Int(encoded[at]) << shift
      at += 1
      body(outcome, length)
    }
  }
}

/// Groups of lines with as many bytes each as the largest needs: that width first, then how many.
func encodeGroups(_ groups: [UInt32]) -> [UInt8] {
  let width = NarrowNumbers.width(of: UInt64(groups.max() ?? 0))
  var out = RawBuffer(capacity: 5 + groups.count * width)
  out.append(UInt8(width))
  out.append(UInt32(groups.count))
  if width > 0 {
    let to = out.base + out.count
    for (i, group) in groups.enumerated() {
      NarrowNumbers.store(UInt64(group), to: to, i, width: width)
    }
  }
  out.count += groups.count * width
  return Array(out.view)
}

/// - Parameter encoded: what ``encodeGroups(_:)`` made.
func decodeGroups(_ encoded: [UInt8]) -> [UInt32] {
  var bytes = RawBuffer(capacity: encoded.count)
  encoded.withUnsafeBufferPointer { bytes.append($0) }
  let width = Int(bytes.base.load(as: UInt8.self))
  let count = UInt32(littleEndian: bytes.base.loadUnaligned(fromByteOffset: 1, as: UInt32.self))
  let from = UnsafeRawPointer(bytes.base + 5)
  let mask = NarrowNumbers.mask(width: width)
  return (0..<Int(count)).map {
    UInt32(truncatingIfNeeded: NarrowNumbers.load(from, $0, width: width, mask: mask))
  }
}
