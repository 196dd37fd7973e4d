/// Small numbers by pairs of numbers: the memory of what was worked out for a combination of codes
/// and one thing more, such as a bucket of time.
///
/// Open addressing with no iteration: no output can depend on its order.
public final class PairTable {
  @usableFromInline struct Entry {
    @usableFromInline var first: UInt64 = 0
    @usableFromInline var second: Int64 = 0
    /// Value + 1; 0 is free.
    @usableFromInline var value: UInt32 = 0

    @usableFromInline init() {}
  }
  @usableFromInline struct Table {
    @usableFromInline var entries: UnsafeMutablePointer<Entry>
    /// 64 less the bits of an index.
    @usableFromInline var shift: UInt64
    @usableFromInline var count = 0

    @usableFromInline init(bits: UInt64) {
      entries = .allocate(capacity: 1 << Int(bits))
      entries.initialize(repeating: Entry(), count: 1 << Int(bits))
      shift = 64 - bits
    }
  }
  @usableFromInline let table: UnsafeMutablePointer<Table>

  public init() {
    table = .allocate(capacity: 1)
    table.initialize(to: Table(bits: 6))
  }

  deinit {
    table.pointee.entries.deallocate()
    table.deallocate()
  }

  /// Forgets all pairs.
  func removeAll() {
    guard table.pointee.count > 0 else { return }
    table.pointee.entries.update(
      repeating: Entry(), count: 1 << Int(64 - table.pointee.shift))
    table.pointee.count = 0
  }

  /// The value of a pair; -1 where it has none.
  @inlinable @inline(__always)
  public func find(_ first: UInt64, _ second: Int64) -> Int32 {
    Int32(bitPattern: table.pointee.entries[place(first, second)].value &- 1)
  }

  /// Gives a pair its value, which must not be negative.
  public func insert(_ value: Int32, for first: UInt64, _ second: Int64) {
    precondition(value >= 0)
    let at = place(first, second)
    let isNew = table.pointee.entries[at].value == 0
    table.pointee.entries[at].first = first
    table.pointee.entries[at].second = second
    table.pointee.entries[at].value = UInt32(value) + 1
    guard isNew else { return }
    table.pointee.count += 1
    if table.pointee.count * 2 > 1 << Int(64 - table.pointee.shift) { grow() }
  }

  /// The entry of a pair, or the free one where it belongs.
  @inlinable @inline(__always)
  func place(_ first: UInt64, _ second: Int64) -> Int {
    let (entries, shift) = (table.pointee.entries, table.pointee.shift)
    let mask = 1 &<< Int(truncatingIfNeeded: 64 &- shift) &- 1
    // The odd constants of splitmix64: the upper bits of a product hang on all bits below.
    var hash = (first ^ UInt64(bitPattern: second) &* 0xBF58_476D_1CE4_E5B9)
    hash = (hash ^ (hash &>> 32)) &* 0x9E37_79B9_7F4A_7C15
    var at = Int(truncatingIfNeeded: hash &>> shift)
    while entries[at].value != 0 {
      if entries[at].first == first, entries[at].second == second { return at }
      at = (at &+ 1) & mask
    }
    return at
  }

  private func grow() {
    let old = table.pointee
    table.pointee = Table(bits: 65 - old.shift)
    table.pointee.count = old.count
    for i in 0..<(1 << Int(64 - old.shift)) where old.entries[i].value != 0 {
      let entry = old.entries[i]
      table.pointee.entries[place(entry.first, entry.second)] = entry
    }
    old.entries.deallocate()
  }
}

/// A ``PairTable`` for each combination of code spaces that the batches of a task bring: one in most
/// tasks. Where there are very many the oldest is forgotten.
public struct CodeTables {
  /// Codes of so many columns fit into the first number of a pair.
  public static let columnsMax = 4

  private static let combinationsMax = 64
  private var known: [(spaces: [UInt32], table: PairTable)] = []
  /// An empty one, to be used again.
  private var spare: PairTable?

  public init() {}

  /// Forgets everything.
  public mutating func removeAll() {
    spare = known.popLast()?.table ?? spare
    spare?.removeAll()
    known.removeAll(keepingCapacity: true)
  }

  public mutating func table(of spaces: [UInt32]) -> PairTable {
    if let found = known.first(where: { $0.spaces == spaces }) { return found.table }
    if known.count == CodeTables.combinationsMax { known.removeFirst() }
    let table = spare.take() ?? PairTable()
    known.append((spaces, table))
    return table
  }
}
