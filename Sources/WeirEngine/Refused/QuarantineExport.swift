import Glibc
import WeirData

/// Writes entries of a quarantine to a file: the lines as the quarantine has them, with place, reason
/// and the record itself.
public struct QuarantineExport {
  private static let frameBytes = 256 * 1024

  private let path: String
  private let isCompressed: Bool

  /// - Parameter path: ends with `.jsonl` or `.jsonl.zst`, which says how it is written.
  /// - Throws: ``RunError`` where it ends otherwise, or is there already.
  public init(path: String) throws(RunError) {
    self.path = path
    isCompressed = path.utf8.reversed().starts(with: ".jsonl.zst".utf8.reversed())
    guard isCompressed || path.utf8.reversed().starts(with: ".jsonl".utf8.reversed()) else {
      throw RunError(
        code: "bad_export_name",
        message: "\(printable(path)) ends with neither .jsonl nor .jsonl.zst",
        fix: "name the file so, as it is written by its name")
    }
    guard !exists(path) else {
      throw RunError(
        code: "export_exists", message: "\(printable(path)) is there already",
        fix: "name another file, or move that one away")
    }
  }

  /// - Returns: how many entries were written.
  public func write(_ reader: QuarantineReader, _ filter: QuarantineFilter) throws -> Int {
    let part = "\(path).part-\(getpid())"
    // Records can hold personal data: nobody else may read them.
    let descriptor = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw fail(part, "create") }
    do {
      defer { close(descriptor) }
      let count = try write(reader, filter, to: descriptor, part)
      guard fsync(descriptor) == 0 else { throw fail(part, "fsync") }
      // Unlike a rename it fails where somebody made the file meanwhile.
      guard link(part, path) == 0 else { throw fail(path, "link") }
      try removeTree(part)
      return count
    } catch {
      // The error that stopped it is the one to report.
      unlink(part)
      throw error
    }
  }

  private func write(
    _ reader: QuarantineReader, _ filter: QuarantineFilter, to descriptor: Int32, _ part: String
  ) throws -> Int {
    let encoder = ZstdEncoder(level: 3)
    var count = 0
    var text: [UInt8] = []
    func flush() throws {
      let bytes = isCompressed ? encoder.frame(text) : text
      try bytes.withUnsafeBufferPointer { bytes throws(FileError) in
        try writeAll(bytes, to: descriptor, path: part)
      }
      text.removeAll(keepingCapacity: true)
    }
    try reader.forEach { entry in
      guard filter.fits(entry) else { return }
      count += 1
      text.append(contentsOf: entry.text)
      text.append(0x0A)
      if text.count >= QuarantineExport.frameBytes { try flush() }
    }
    if !text.isEmpty || (isCompressed && count == 0) { try flush() }
    return count
  }
}
