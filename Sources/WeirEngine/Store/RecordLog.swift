import Glibc
import WeirData

/// Records of one size in a file that several processes append to, each with a checksum.
///
/// It is a memory of what can be found out again: nothing is flushed, and what a crash or a full disk
/// cut off or damaged is passed over.
struct RecordLog {
  private static let checksumBytes = 8
  /// A log of more bytes is not read: it is begun anew.
  private static let bytesMax = 1 << 30

  let path: String
  /// Bytes of a record without its checksum.
  let recordBytes: Int

  private var stride: Int { recordBytes + RecordLog.checksumBytes }

  /// Hands on every whole record in the order in which they were written.
  func read(_ body: (UnsafeRawBufferPointer) -> Void) throws(FileError) {
    guard exists(path) else { return }
    let bytes = try readWholeFile(path, limit: RecordLog.bytesMax)
    bytes.withUnsafeBytes { bytes in
      var at = 0
      while at + stride <= bytes.count {
        let record = UnsafeRawBufferPointer(rebasing: bytes[at..<(at + recordBytes)])
        let sum = bytes.loadUnaligned(fromByteOffset: at + recordBytes, as: UInt64.self)
        if UInt64(littleEndian: sum) == RecordLog.checksum(record) {
          body(record)
          at += stride
        } else {
          // Behind a record that was cut off the next one begins anywhere.
          at += 1
        }
      }
    }
  }

  /// Appends records in one write, so that those of other processes do not come between.
  func append(_ records: [RawRecord]) throws(FileError) {
    guard !records.isEmpty else { return }
    let descriptor = openFile(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw fail(path, "open") }
    defer { close(descriptor) }
    try encode(records).withUnsafeBufferPointer { bytes throws(FileError) in
      try writeAll(bytes, to: descriptor, path: path)
    }
  }

  /// Puts these records in place of all that there are. What another process appends meanwhile is
  /// forgotten, which costs it work and nothing else.
  func replace(with records: [RawRecord]) throws(FileError) {
    let temporary = "\(path).\(getpid()).new"
    unlink(temporary)
    let descriptor = openFile(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw fail(temporary, "create") }
    do throws(FileError) {
      try encode(records).withUnsafeBufferPointer { bytes throws(FileError) in
        try writeAll(bytes, to: descriptor, path: temporary)
      }
      try closeFile(descriptor, temporary)
      guard rename(temporary, path) == 0 else { throw fail(temporary, "rename") }
    } catch {
      unlink(temporary)
      throw error
    }
  }

  private func encode(_ records: [RawRecord]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(records.count * stride)
    for record in records {
      precondition(record.bytes.count == recordBytes, "a record of this log")
      out += record.bytes
      let sum = record.bytes.withUnsafeBytes { RecordLog.checksum($0) }
      withUnsafeBytes(of: sum.littleEndian) { out += $0 }
    }
    return out
  }

  /// Not that of no bytes: a hole in a file is no record.
  private static func checksum(_ record: UnsafeRawBufferPointer) -> UInt64 {
    xxh3(record.bindMemory(to: UInt8.self)) ^ 0x5EED_1065_D16E_5715
  }
}

/// The bytes of one record: little-endian words.
struct RawRecord {
  private(set) var bytes: [UInt8] = []

  init(_ words: UInt64...) {
    bytes = [UInt8](unsafeUninitializedCapacity: words.count * 8) { buffer, count in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      for (i, word) in words.enumerated() {
        raw.storeBytes(of: word.littleEndian, toByteOffset: i * 8, as: UInt64.self)
      }
      count = words.count * 8
    }
  }
}

extension UnsafeRawBufferPointer {
  /// The word at a place counted in words.
  func word(_ index: Int) -> UInt64 {
    UInt64(littleEndian: loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
  }
}
