import Glibc
import WeirData

/// An entry of a pack while it is written: parts one behind the other, then the table, then
///
///     u64 bytes of the table, u128 XXH3 of all before it in the entry, u64 magic
final class EntryBuilder: @unchecked Sendable {
  static let trailerBytes = 32
  /// "WeirTask"
  static let magic: UInt64 = 0x6B73_6154_7269_6557

  let pack: PackFile
  let start: Int
  private let hasher: ContentHasher
  /// Why the entry cannot be kept.
  private var failure: FileError?
  /// Nothing can be written behind what could not.
  private var isStuck = false
  /// Parts that their task wrote early.
  private var early: [EntryPart] = []

  /// - Parameter hasher: nobody else uses it until the entry is finished.
  init(_ pack: PackFile, _ hasher: ContentHasher = ContentHasher()) {
    self.pack = pack
    start = pack.count
    self.hasher = hasher
    hasher.begin()
  }

  /// What ``append(_:)`` says where there is no room for more.
  static let full = "keep within the limit of digests"

  /// Appends a part; its range in the entry. Blocks.
  ///
  /// - Parameter isWanted: the part is needed in any case, and there is no other place for it.
  func append(
    _ bytes: UnsafeRawBufferPointer, isWanted: Bool = false
  ) throws(FileError) -> Range<Int> {
    if let failure, isStuck || !isWanted { throw failure }
    guard isWanted || pack.count + bytes.count <= pack.countMax else {
      throw FileError(path: pack.path, operation: EntryBuilder.full, code: EFBIG)
    }
    hasher.update(bytes.bindMemory(to: UInt8.self))
    let at = try pack.append(bytes) - start
    return at..<(at + bytes.count)
  }

  /// Writes a part; its range in the entry. Blocks.
  func append(
    _ part: EntryPart, _ bytes: UnsafeRawBufferPointer
  ) throws(FileError) -> Range<Int> {
    let range = try append(bytes, isWanted: true)
    try pack.flush()
    early.append(part)
    return range
  }

  /// Says that the entry lacks a part, which could not be written: its room may be wanted. Blocks.
  func giveUp(_ error: FileError) {
    failure = error
    let hasOthers = early.reduce(0) { $0 + $1.count } < pack.count - start
    // A part that cannot be read stays there: who wants it meets the error.
    let isFree = !hasOthers && early.allSatisfy { (try? $0.takeBack()) != nil }
    do throws(FileError) { try pack.cut(to: isFree ? start : pack.count) } catch { isStuck = true }
    if isFree { early = [] }
  }

  /// Begins anew: nothing that was appended is of use.
  func restart() throws(FileError) {
    try pack.cut(to: start)
    hasher.begin()
    (failure, isStuck) = (nil, false)
    early = []
  }

  func append(
    _ bytes: UnsafeBufferPointer<UInt8>, isWanted: Bool = false
  ) throws(FileError) -> Range<Int> {
    try append(UnsafeRawBufferPointer(bytes), isWanted: isWanted)
  }

  /// Ends the entry; where it is.
  func finish(table: [UInt8]) throws(FileError) -> TaskStore.Place {
    _ = try table.withUnsafeBufferPointer { bytes throws(FileError) in try append(bytes) }
    let checksum = hasher.finish()
    let trailer = RawRecord(
      UInt64(table.count), checksum.high, checksum.low, EntryBuilder.magic)
    try trailer.bytes.withUnsafeBufferPointer { bytes throws(FileError) in
      _ = try pack.append(UnsafeRawBufferPointer(bytes))
    }
    return TaskStore.Place(pack: pack.id, offset: start, count: pack.count - start)
  }
}

/// A whole entry of a pack that is read.
struct EntryFile {
  /// Entries up to so many bytes are read at once.
  private static let smallBytes = 256 * 1024

  let pack: PackFile
  let place: TaskStore.Place
  let table: [UInt8]
  /// All parts, where the entry is small.
  private let parts: [UInt8]?

  /// - Returns: `nil` where the entry is not what was written. Blocks.
  init?(_ place: TaskStore.Place, in pack: PackFile) throws(FileError) {
    self.pack = pack
    self.place = place
    let hasher = ContentHasher()
    let trailerBytes = EntryBuilder.trailerBytes
    guard place.count >= trailerBytes, place.offset >= 0 else { return nil }
    let body = place.count - trailerBytes
    if place.count <= EntryFile.smallBytes {
      guard let bytes = try EntryFile.read(pack, place.count, at: place.offset),
        let tableBytes = EntryFile.tableBytes(bytes[body...]), tableBytes <= body
      else { return nil }
      bytes.withUnsafeBufferPointer { hasher.update(UnsafeBufferPointer(rebasing: $0[..<body])) }
      guard EntryFile.checksum(bytes[body...]) == hasher.finish() else { return nil }
      table = Array(bytes[(body - tableBytes)..<body])
      parts = Array(bytes[..<(body - tableBytes)])
      return
    }
    guard let trailer = try EntryFile.read(pack, trailerBytes, at: place.offset + body),
      let tableBytes = EntryFile.tableBytes(trailer[...]), tableBytes <= body
    else { return nil }
    do throws(FileError) {
      try pack.read(place.offset..<(place.offset + body)) { hasher.update($0) }
    } catch {
      if error.isCutShort { return nil }
      throw error
    }
    guard EntryFile.checksum(trailer[...]) == hasher.finish() else { return nil }
    guard
      let table = try EntryFile.read(pack, tableBytes, at: place.offset + body - tableBytes)
    else { return nil }
    self.table = table
    parts = nil
  }

  /// The bytes of a part. Blocks.
  func bytes(_ range: Range<Int>) throws(FileError) -> [UInt8] {
    if let parts { return Array(parts[range]) }
    return try pack.read(range.count, at: place.offset + range.lowerBound)
  }

  /// Whether all of it is in memory as long as this.
  var isInMemory: Bool { parts != nil }

  /// Bytes of all parts.
  var partsCount: Int { place.count - EntryBuilder.trailerBytes - table.count }

  /// - Returns: `nil` where the file ends before: what a crash left of it.
  private static func read(
    _ pack: PackFile, _ count: Int, at offset: Int
  ) throws(FileError) -> [UInt8]? {
    do throws(FileError) {
      return try pack.read(count, at: offset)
    } catch {
      if error.isCutShort { return nil }
      throw error
    }
  }

  private static func tableBytes(_ trailer: ArraySlice<UInt8>) -> Int? {
    trailer.withUnsafeBytes { bytes in
      guard bytes.word(3) == EntryBuilder.magic else { return nil }
      return Int(exactly: bytes.word(0))
    }
  }

  private static func checksum(_ trailer: ArraySlice<UInt8>) -> Hash128 {
    trailer.withUnsafeBytes { Hash128(high: $0.word(1), low: $0.word(2)) }
  }
}
