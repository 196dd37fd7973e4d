import WeirData
import WeirEngine
import WeirExpressions
import WeirStatistics

/// The records of one shard that may become evidence: of every group and bucket the ten with the smallest
/// hash, apart for those that a condition takes and those that it does not.
///
/// Which findings there are is known when all shards are through, and a shard whose result is kept is not
/// read again: so each shard names candidates, which cost about ten bytes each in what is kept of it and
/// nothing in the memory of the run (see `TracingMerger`). The hash is of the time of the record and its
/// line: the same for every order of reading, for any workers and memory.
final class EvidenceSample {
  /// Of each class of a group and bucket.
  static let most = 10

  struct Entry: Equatable {
    var hash: UInt32
    var line: UInt32
    /// Number of its segments in ``segments``.
    var segments: UInt32
    /// Where it begins in the decompressed shard, in bytes: 48 bits, in halves so that an entry has no gaps.
    private var offsetLow: UInt32
    private var offsetHigh: UInt16
    var byteOffset: Int { Int(offsetHigh) << 32 | Int(offsetLow) }

    static let offsetMax = 1 << 48 - 1

    init(hash: UInt32, line: UInt32, segments: UInt32, byteOffset: Int) {
      self.hash = hash
      self.line = line
      self.segments = segments
      let offset = min(byteOffset, Entry.offsetMax)
      offsetLow = UInt32(truncatingIfNeeded: offset)
      offsetHigh = UInt16(truncatingIfNeeded: offset >> 32)
    }

    /// By hash, then by place.
    static func < (a: Entry, b: Entry) -> Bool {
      a.hash != b.hash ? a.hash < b.hash : a.line < b.line
    }
  }

  /// Entries of one class of a slot: a stretch of ``pool``.
  private struct Stretch {
    var start: Int32 = 0
    var count: UInt8 = 0
    var room: UInt8 = 0
    /// Entries with this hash or above are not taken; `.max` as long as there is room.
    var limit: UInt32 = .max
  }

  /// Encoded values of the segment fields, one after the other.
  let segments = ByteDictionary()
  let classes: Int
  private var stretches: [Stretch] = []
  private var pool: [Entry] = []

  /// - Parameter conditions: metrics with a condition; each parts the records in two classes.
  init(conditions: Int) { classes = max(1, 2 * conditions) }

  /// The class of a record that condition number `condition` takes or does not.
  static func place(ofCondition condition: Int, isTaken: Bool) -> Int {
    2 * condition + (isTaken ? 0 : 1)
  }

  @inline(__always)
  static func hash(time: Int64, line: UInt32) -> UInt32 {
    let place = UInt64(bitPattern: time) ^ UInt64(line) &* 0x9E37_79B9_7F4A_7C15
    return UInt32(truncatingIfNeeded: mixed(place) &>> 32)
  }

  /// Looks at the rows that have a slot.
  ///
  /// - Parameters:
  ///   - times: as they came, in UTC.
  ///   - truths: of each condition, one for each of `rows`.
  ///   - slots: how many slots there are.
  ///   - fields: columns of the segment fields.
  func add(
    _ batch: borrowing Batch, _ rows: UnsafeBufferPointer<UInt32>,
    found: UnsafeBufferPointer<Int32>, times: UnsafePointer<Cell>, truths: [[Truth]],
    slots: Int, fields: [Int]
  ) {
    let missing = slots * classes - stretches.count
    if missing > 0 { stretches.append(contentsOf: repeatElement(Stretch(), count: missing)) }
    for i in 0..<rows.count where found[i] >= 0 {
      let row = Int(rows[i])
      let line = UInt32(batch.lines[row].number)
      let hash = EvidenceSample.hash(time: times[row].intValue, line: line)
      let base = Int(found[i]) &* classes
      guard !truths.isEmpty else {
        if hash < stretches[base].limit { admit(row, batch, line, hash, to: base, fields) }
        continue
      }
      for condition in truths.indices {
        let at =
          base
          + EvidenceSample.place(
            ofCondition: condition, isTaken: truths[condition][i] == .true)
        if hash < stretches[at].limit { admit(row, batch, line, hash, to: at, fields) }
      }
    }
  }

  @inline(never)
  private func admit(
    _ row: Int, _ batch: borrowing Batch, _ line: UInt32, _ hash: UInt32, to at: Int,
    _ fields: [Int]
  ) {
    var key = KeyBytes()
    key.clear()
    for field in fields { key.append(batch.column(field)[row]) }
    let entry = Entry(
      hash: hash, line: line, segments: UInt32(segments.code(of: key.bytes)),
      byteOffset: batch.byteOffset(ofRow: row))
    if stretches[at].count == stretches[at].room, Int(stretches[at].room) < EvidenceSample.most {
      grow(at)
    }
    let start = Int(stretches[at].start)
    let count = Int(stretches[at].count)
    // Sorted by hash. Of equal ones the first stays: lines come in order.
    var place = count
    while place > 0, entry.hash < pool[start + place - 1].hash { place -= 1 }
    guard place < EvidenceSample.most else { return }
    var last = min(count, EvidenceSample.most - 1)
    while last > place {
      pool[start + last] = pool[start + last - 1]
      last -= 1
    }
    pool[start + place] = entry
    if count < EvidenceSample.most { stretches[at].count += 1 }
    if Int(stretches[at].count) == EvidenceSample.most {
      stretches[at].limit = pool[start + EvidenceSample.most - 1].hash
    }
  }

  /// Twice the room, at the end of the pool: what was there before is left behind.
  private func grow(_ at: Int) {
    let old = stretches[at]
    let room = min(EvidenceSample.most, max(2, 2 * Int(old.room)))
    stretches[at].start = Int32(pool.count)
    stretches[at].room = UInt8(room)
    for i in 0..<Int(old.count) { pool.append(pool[Int(old.start) + i]) }
    let none = Entry(hash: 0, line: 0, segments: 0, byteOffset: 0)
    pool.append(contentsOf: repeatElement(none, count: room - Int(old.count)))
  }

  /// The candidates of a class of a slot, by line.
  private func entries(_ slot: Int, _ place: Int) -> [Entry] {
    let at = slot * classes + place
    guard at < stretches.count else { return [] }
    let start = Int(stretches[at].start)
    return pool[start..<(start + Int(stretches[at].count))].sorted { $0.line < $1.line }
  }
}

// MARK: - Bytes

// Groups by key and buckets ascending, as those of a TrendState; entries by line.

extension EvidenceSample {
  private static let revision: UInt8 = 2

  /// - Parameter state: of the same records.
  func encode(_ state: TrendState) -> [UInt8] {
    var out = ByteWriter()
    out.byte(EvidenceSample.revision)
    out.varint(UInt64(classes))
    let names = (0..<segments.count).map { Array(segments.bytes(of: $0)) }
    let order = names.indices.sorted { names[$0].lexicographicallyPrecedes(names[$1]) }
    var places = [Int](repeating: 0, count: order.count)
    for (place, code) in order.enumerated() { places[code] = place }
    out.varint(UInt64(names.count))
    for code in order { out.block(names[code]) }
    // Records are of much the same length, so the place of a line is nearly known.
    let length = bytesPerLine
    out.varint(UInt64(length))
    let slots = state.slotsByGroup()
    out.varint(UInt64(state.groups.count))
    for group in state.sortedGroups() {
      out.block(Array(state.groups.bytes(of: group)))
      out.varint(UInt64(slots.count(of: group)))
      slots.forEach(of: group) { bucket, slot in
        out.signed(bucket)
        for place in 0..<classes {
          let entries = entries(slot, place)
          out.varint(UInt64(entries.count))
          var (line, offset) = (UInt32(0), 0)
          for entry in entries {
            let lines = entry.line - line
            out.integer(entry.hash)
            out.varint(UInt64(lines))
            out.varint(UInt64(places[Int(entry.segments)]))
            out.signed(entry.byteOffset - offset - Int(lines) * length)
            (line, offset) = (entry.line, entry.byteOffset)
          }
        }
      }
    }
    return out.bytes
  }

  /// Mean over the lines up to the last entry.
  private var bytesPerLine: Int {
    guard let last = pool.max(by: { $0.line < $1.line }), last.line > 0 else { return 0 }
    return last.byteOffset / Int(last.line)
  }

  /// Reads what ``encode(_:)`` wrote.
  ///
  /// - Parameters:
  ///   - group: told of each group with its key; answers whether its entries are wanted.
  ///   - entry: told of the entries of such a group by bucket and class; the last argument has the encoded
  ///     values of the segments.
  /// - Throws: ``RunError`` `damaged_partial` for other bytes.
  static func read(
    _ bytes: [UInt8], classes: Int, group isWanted: ([UInt8]) -> Bool,
    entry body: (_ bucket: Int, _ place: Int, _ entry: Entry, _ segments: [UInt8]) -> Void
  ) throws(RunError) {
    var input = ByteReader(bytes)
    guard read(&input, classes, isWanted, body), input.isAtEnd else {
      throw TrendState.damaged
    }
  }

  private static func read(
    _ input: inout ByteReader, _ classes: Int, _ isWanted: ([UInt8]) -> Bool,
    _ body: (Int, Int, Entry, [UInt8]) -> Void
  ) -> Bool {
    guard input.byte() == revision, input.varint() == UInt64(classes), let count = input.varint()
    else { return false }
    var names: [[UInt8]] = []
    for _ in 0..<count {
      guard let name = input.block() else { return false }
      names.append(name)
    }
    guard let length = input.varint(), length <= UInt64(Entry.offsetMax) else { return false }
    guard let groups = input.varint() else { return false }
    for _ in 0..<groups {
      guard let key = input.block(), let buckets = input.varint() else { return false }
      let isWanted = isWanted(key)
      for _ in 0..<buckets {
        guard let bucket = input.signed() else { return false }
        for place in 0..<classes {
          guard let entries = input.varint(), entries <= UInt64(most) else { return false }
          var (line, offset) = (UInt64(0), 0)
          for _ in 0..<entries {
            guard let hash = input.integer(UInt32.self), let lines = input.varint(),
              let name = input.varint(), name < UInt64(names.count), let more = input.signed(),
              lines <= UInt64(UInt32.max) - line
            else { return false }
            line += lines
            offset = offset &+ Int(lines) &* Int(length) &+ more
            guard (0...Entry.offsetMax).contains(offset) else { return false }
            guard isWanted else { continue }
            body(
              bucket, place,
              Entry(
                hash: hash, line: UInt32(line), segments: UInt32(name), byteOffset: offset),
              names[Int(name)])
          }
        }
      }
    }
    return true
  }
}
