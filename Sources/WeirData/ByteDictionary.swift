import Glibc

/// Strings by small numbers: the same bytes have the same code, in the order of first sight.
///
/// Open addressing over XXH3. A stranger who chooses the strings can make it slow, not wrong. Its
/// tables lie in memory of their own, so that finding a string is a hash, a probe and a comparison.
public final class ByteDictionary {
  private struct Entry {
    let hash: UInt64
    let bytes: UnsafeBufferPointer<UInt8>
  }
  private struct Slot {
    /// The upper half of the hash, to pass most other strings by without looking at them.
    var mark: UInt32 = 0
    /// Code + 1; 0 is free.
    var entry: UInt32 = 0
  }
  private struct Tables: ~Copyable {
    var arena = Arena()
    var entries: UnsafeMutablePointer<Entry>
    var count = 0
    var slots: UnsafeMutablePointer<Slot>
    /// One less than the slots, of which there are a power of two, twice as many as entries fit.
    var mask: Int

    /// Without memory: many dictionaries never get a string.
    init() {
      entries = ByteDictionary.noEntries
      slots = ByteDictionary.noSlots
      mask = 0
    }

    deinit {
      guard mask > 0 else { return }
      entries.deallocate()
      slots.deallocate()
    }
  }
  private static let firstSlots = 16
  /// What an empty dictionary looks into: one slot that is free, and is never written to.
  nonisolated(unsafe) private static let noSlots: UnsafeMutablePointer<Slot> = {
    let slots = UnsafeMutablePointer<Slot>.allocate(capacity: 1)
    slots.initialize(to: Slot())
    return slots
  }()
  nonisolated(unsafe) private static let noEntries = UnsafeMutablePointer<Entry>.allocate(
    capacity: 1)

  /// A pointer that never changes: nothing is asked at run time before it is followed.
  private let tables: UnsafeMutablePointer<Tables>

  public init() {
    tables = .allocate(capacity: 1)
    tables.initialize(to: Tables())
  }

  deinit {
    tables.deinitialize(count: 1)
    tables.deallocate()
  }

  public var count: Int { tables.pointee.count }

  /// The bytes of a code; good as long as the dictionary lives.
  public func bytes(of code: Int) -> UnsafeBufferPointer<UInt8> {
    precondition(code >= 0 && code < tables.pointee.count, "a code of this dictionary")
    return tables.pointee.entries[code].bytes
  }

  public func code(of bytes: UnsafeBufferPointer<UInt8>) -> Int {
    let hash = xxh3(bytes)
    let slot = place(of: bytes, hash)
    let entry = tables.pointee.slots[slot].entry
    return entry > 0 ? Int(entry) - 1 : add(bytes, hash, at: slot)
  }

  /// The code of `bytes` where they have one already; nothing is added.
  public func find(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    let entry = tables.pointee.slots[place(of: bytes, xxh3(bytes))].entry
    return entry > 0 ? Int(entry) - 1 : nil
  }

  /// Forgets all strings.
  public func removeAll() {
    guard tables.pointee.count > 0 else { return }
    tables.pointee.slots.update(repeating: Slot(), count: tables.pointee.mask + 1)
    tables.pointee.count = 0
    tables.pointee.arena.removeAll()
  }

  /// The slot of `bytes`, or the free one where they belong.
  @inline(__always)
  private func place(of bytes: UnsafeBufferPointer<UInt8>, _ hash: UInt64) -> Int {
    let (slots, entries, mask) = (
      tables.pointee.slots, tables.pointee.entries, tables.pointee.mask
    )
    let mark = UInt32(truncatingIfNeeded: hash >> 32)
    var at = Int(truncatingIfNeeded: hash) & mask
    while slots[at].entry != 0 {
      if slots[at].mark == mark, isSame(entries[Int(slots[at].entry) &- 1].bytes, bytes) {
        return at
      }
      at = (at &+ 1) & mask
    }
    return at
  }

  @inline(never)
  private func add(_ bytes: UnsafeBufferPointer<UInt8>, _ hash: UInt64, at slot: Int) -> Int {
    let code = tables.pointee.count
    var slot = slot
    if tables.pointee.mask == 0 {
      grow()
      slot = place(of: bytes, hash)
    }
    let stored = tables.pointee.arena.store(bytes)
    (tables.pointee.entries + code).initialize(to: Entry(hash: hash, bytes: stored))
    tables.pointee.count = code + 1
    tables.pointee.slots[slot] = Slot(
      mark: UInt32(truncatingIfNeeded: hash >> 32), entry: UInt32(code + 1))
    if (code + 1) * 2 > tables.pointee.mask { grow() }
    return code
  }

  private func grow() {
    let count = tables.pointee.count
    let isFirst = tables.pointee.mask == 0
    let slotCount = isFirst ? ByteDictionary.firstSlots : (tables.pointee.mask + 1) * 2
    let entries = UnsafeMutablePointer<Entry>.allocate(capacity: slotCount / 2)
    entries.moveInitialize(from: tables.pointee.entries, count: count)
    let slots = UnsafeMutablePointer<Slot>.allocate(capacity: slotCount)
    slots.initialize(repeating: Slot(), count: slotCount)
    for code in 0..<count {
      let hash = entries[code].hash
      var at = Int(truncatingIfNeeded: hash) & (slotCount - 1)
      while slots[at].entry != 0 { at = (at + 1) & (slotCount - 1) }
      slots[at] = Slot(mark: UInt32(truncatingIfNeeded: hash >> 32), entry: UInt32(code + 1))
    }
    if !isFirst {
      tables.pointee.entries.deallocate()
      tables.pointee.slots.deallocate()
    }
    tables.pointee.entries = entries
    tables.pointee.slots = slots
    tables.pointee.mask = slotCount - 1
  }
}

/// Whether two runs of bytes are the same.
@inlinable @inline(__always)
public func isSame(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Bool {
  guard a.count == b.count else { return false }
  guard let x = UnsafeRawPointer(a.baseAddress), let y = UnsafeRawPointer(b.baseAddress) else {
    return a.count == 0
  }
  return sameBytes(x, y, a.count)
}

/// Short strings, which most are, are compared in two steps that may overlap, without a call.
@inlinable @inline(__always)
func sameBytes(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int) -> Bool {
  if count > 16 { return memcmp(a, b, count) == 0 }
  if count >= 8 {
    let last = count &- 8
    return (word(a) ^ word(b)) | (word(a + last) ^ word(b + last)) == 0
  }
  if count >= 4 {
    let last = count &- 4
    return (half(a) ^ half(b)) | (half(a + last) ^ half(b + last)) == 0
  }
  var differs: UInt8 = 0
  for i in 0..<count {
    differs |= a.load(fromByteOffset: i, as: UInt8.self) ^ b.load(fromByteOffset: i, as: UInt8.self)
  }
  return differs == 0
}

@inlinable @inline(__always)
func word(_ at: UnsafeRawPointer) -> UInt64 { at.loadUnaligned(as: UInt64.self) }

@inlinable @inline(__always)
func half(_ at: UnsafeRawPointer) -> UInt32 { at.loadUnaligned(as: UInt32.self) }

extension ByteDictionary {
  /// A cell with these bytes, which stay here, and their code in the column where it has one.
  public func cell(of bytes: UnsafeBufferPointer<UInt8>) -> Cell {
    let code = code(of: bytes)
    var cell = Cell.string(self.bytes(of: code))
    if code < Int(UInt16.max) { cell.code = UInt16(code + 1) }
    return cell
  }
}
