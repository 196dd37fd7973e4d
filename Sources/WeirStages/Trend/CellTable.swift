/// Which slot counts for a group and a bucket. Slots are numbered in the order of first sight.
///
/// Four neighbouring buckets of a group make a page of 24 bytes; pages are found by open addressing over
/// their numbers, 8 to 16 bytes each. So a slot costs 8 to 10 bytes where a group has most of its
/// buckets, and 40 where it has one in four: a table of slots by group and bucket alone costs 40 to 80.
struct CellTable {
  /// Buckets of a page: two bits of a bucket's number.
  private static let bits = 2
  private static let width = 1 << bits
  /// Group, first bucket over the width, and the slots (-1: none).
  private static let stride = 2 + width

  private var pages: [Int32] = []
  /// Number of a page + 1; 0 is free. A power of two, at most half full.
  private var places = [Int32](repeating: 0, count: 16)
  private(set) var count = 0

  /// What it takes of memory, without room for more pages.
  var bytes: Int { 4 * (pages.count + places.count) }

  private var pageCount: Int { pages.count / CellTable.stride }

  /// The slot, and whether this is its first sight.
  ///
  /// - Parameters:
  ///   - group: 0 or more, less than 2^31.
  ///   - bucket: of a magnitude below 2^31.
  mutating func slot(group: Int, bucket: Int) -> (slot: Int, isNew: Bool) {
    let (group, first) = (Int32(group), Int32(bucket >> CellTable.bits))
    let at = page(group, first) * CellTable.stride + 2 + (bucket & (CellTable.width - 1))
    if pages[at] >= 0 { return (Int(pages[at]), false) }
    pages[at] = Int32(count)
    count += 1
    return (count - 1, true)
  }

  private mutating func page(_ group: Int32, _ first: Int32) -> Int {
    let place = place(group, first)
    if places[place] > 0 { return Int(places[place]) - 1 }
    let page = pageCount
    pages.append(group)
    pages.append(first)
    pages.append(contentsOf: repeatElement(-1, count: CellTable.width))
    places[place] = Int32(page + 1)
    if 2 * pageCount > places.count { grow() }
    return page
  }

  /// Where a page is named, or the free place where it belongs.
  private func place(_ group: Int32, _ first: Int32) -> Int {
    let hash = mixed(
      UInt64(UInt32(bitPattern: group)) << 32 | UInt64(UInt32(bitPattern: first)))
    let mask = places.count - 1
    var at = Int(truncatingIfNeeded: hash &>> 32) & mask
    return pages.withUnsafeBufferPointer { pages in
      places.withUnsafeBufferPointer { places in
        while places[at] > 0 {
          let page = Int(places[at] - 1) * CellTable.stride
          if pages[page] == group, pages[page + 1] == first { return at }
          at = (at + 1) & mask
        }
        return at
      }
    }
  }

  private mutating func grow() {
    places = [Int32](repeating: 0, count: 2 * places.count)
    for page in 0..<pageCount {
      let at = page * CellTable.stride
      places[place(pages[at], pages[at + 1])] = Int32(page + 1)
    }
  }

  /// Every slot with its group and bucket, in no order that means anything.
  func forEach(_ body: (_ group: Int, _ bucket: Int, _ slot: Int) -> Void) {
    for page in 0..<pageCount { forEach(in: page, body) }
  }

  private func forEach(in page: Int, _ body: (Int, Int, Int) -> Void) {
    let at = page * CellTable.stride
    let (group, first) = (Int(pages[at]), Int(pages[at + 1]) << CellTable.bits)
    for i in 0..<CellTable.width where pages[at + 2 + i] >= 0 {
      body(group, first + i, Int(pages[at + 2 + i]))
    }
  }

  /// The slots as they are now, to be read by group. About one byte a slot.
  func byGroup(groups: Int) -> CellsByGroup { CellsByGroup(self, groups: groups) }

  /// The slots of each group, by bucket.
  struct CellsByGroup {
    private let table: CellTable
    /// Pages by group and bucket, and where those of each group begin.
    private var pages: [Int32]
    private var starts: [Int32]

    fileprivate init(_ table: CellTable, groups: Int) {
      self.table = table
      var starts = [Int32](repeating: 0, count: groups + 1)
      func group(_ page: Int) -> Int { Int(table.pages[page * CellTable.stride]) }
      for page in 0..<table.pageCount { starts[group(page) + 1] += 1 }
      for i in 1..<starts.count { starts[i] += starts[i - 1] }
      var next = starts
      pages = [Int32](repeating: 0, count: table.pageCount)
      for page in 0..<table.pageCount {
        let group = group(page)
        pages[Int(next[group])] = Int32(page)
        next[group] += 1
      }
      self.starts = starts
      for group in 0..<groups where starts[group + 1] - starts[group] > 1 {
        pages[Int(starts[group])..<Int(starts[group + 1])].sort {
          table.pages[Int($0) * CellTable.stride + 1] < table.pages[Int($1) * CellTable.stride + 1]
        }
      }
    }

    /// Each bucket of a group with its slot, ascending.
    func forEach(of group: Int, _ body: (_ bucket: Int, _ slot: Int) -> Void) {
      for page in pages[Int(starts[group])..<Int(starts[group + 1])] {
        table.forEach(in: Int(page)) { body($1, $2) }
      }
    }

    func count(of group: Int) -> Int {
      var count = 0
      forEach(of: group) { _, _ in count += 1 }
      return count
    }
  }
}

/// The finaliser of splitmix64, but for its last step: the upper half is the part to use.
@inline(__always)
func mixed(_ value: UInt64) -> UInt64 {
  let once = (value ^ (value &>> 30)) &* 0xBF58_476D_1CE4_E5B9
  return (once ^ (once &>> 27)) &* 0x94D0_49BB_1331_11EB
}
