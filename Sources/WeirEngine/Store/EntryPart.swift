import Glibc
import WeirData

/// A part of an entry that is written while its task still works: memory has it only until then. Where it
/// cannot be written it stays in memory, and the entry is not kept.
final class EntryPart: @unchecked Sendable {
  private struct Piece {
    /// Bytes of the part up to its end.
    var end: Int
    /// XXH3.
    var sum: UInt64
  }
  private weak var entry: EntryBuilder?
  private let pack: PackFile
  private let pieces: [Piece]
  let count: Int
  /// `nil` where it is in the pack.
  private var bytes: Bytes?
  private var base: UnsafeRawPointer
  /// Place in the pack, where it is there.
  private var offset = 0

  /// - Parameters:
  ///   - bytes: copied.
  ///   - ends: where each of the pieces ends that are read by themselves.
  init(_ bytes: UnsafeRawBufferPointer, ends: [UInt32], of entry: EntryBuilder) {
    self.entry = entry
    pack = entry.pack
    count = bytes.count
    let copy = Bytes(bytes)
    base = UnsafeRawPointer(copy.base)
    self.bytes = consume copy
    var from = 0
    pieces = ends.map { end in
      let piece = UnsafeRawBufferPointer(rebasing: bytes[from..<Int(end)])
      from = Int(end)
      return Piece(end: from, sum: xxh3(piece.bindMemory(to: UInt8.self)))
    }
  }

  /// While its task works. Blocks.
  func write() {
    guard let entry else { preconditionFailure("an entry lives as long as its task") }
    do throws(FileError) {
      let range = try entry.append(self, UnsafeRawBufferPointer(start: base, count: count))
      offset = entry.start + range.lowerBound
      bytes = nil
    } catch {
      entry.giveUp(error)
    }
  }

  /// Has what was written in memory again. Blocks.
  func takeBack() throws {
    var buffer = RawBuffer()
    let copy = Bytes(try read(0..<count, &buffer))
    base = UnsafeRawPointer(copy.base)
    bytes = consume copy
  }

  /// Where it is in memory, if it is.
  var memory: UnsafeRawPointer? { bytes == nil ? nil : base }

  var path: String { pack.path }

  /// Where it is in `entry`, if it was written there.
  func range(in entry: EntryBuilder) -> Range<Int>? {
    guard entry === self.entry, bytes == nil else { return nil }
    let from = offset - entry.start
    return from..<(from + count)
  }

  /// A piece of it, or all, where it was written; good until `buffer` is used again. Blocks.
  func read(
    _ part: Range<Int>, _ buffer: inout RawBuffer
  ) throws -> UnsafeRawBufferPointer {
    buffer.count = 0
    try pack.read(part.count, at: offset + part.lowerBound, to: &buffer)
    let read = buffer.view
    var from = 0
    for piece in pieces.drop(while: { $0.end <= part.lowerBound }) {
      guard part.lowerBound + from < part.upperBound else { break }
      let end = piece.end - part.lowerBound
      let bytes = UnsafeRawBufferPointer(rebasing: read[from..<end])
      guard xxh3(bytes.bindMemory(to: UInt8.self)) == piece.sum else {
        throw RunError(damagedEntry: path)
      }
      from = end
    }
    return read
  }
}

extension RunError {
  /// What a task wrote is not what comes back.
  init(damagedEntry path: String) {
    self.init(
      code: "damaged_spill", message: "\(path): what was set aside there is damaged",
      fix: "have that disk checked, and run again; with --digests 0 nothing is set aside there",
      isTransient: true)
  }
}
