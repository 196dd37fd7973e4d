/// One column of the chunk that is being filled.
final class ColumnStage {
  /// Value of a string that has no code, until its column has been seen to be plain.
  private static let plain: UInt32 = .max

  /// `Cell.rawKind`, or ``ColumnChunk/plainString``.
  private let kinds: UnsafeMutablePointer<UInt8>
  /// The code of a string, the length of a plain one and of an object, the bits of everything else.
  private let values: UnsafeMutablePointer<UInt64>
  private var plainBytes = RawBuffer()
  private var dictionary = ByteDictionary()
  private var dictionaryBytes = 0
  /// Strings of the dictionary that earlier chunks hold.
  private var told = 0
  /// By the code of who filled the column: the sequence in which it was noted, and code + 1.
  private var known = CodeMemory<UInt64>(unknown: 0)
  /// Number of the sequence in hand, in the upper half as ``known`` has it; 32 bits are enough for the
  /// shards of a run.
  private var sequence: UInt64 = 0
  /// A dictionary of more strings is not emptied but left.
  private static let keptStrings = 1_024
  /// Nearly every string was new: they are not looked up any more.
  private var isPlain = false

  init() {
    kinds = .allocate(capacity: ColumnChunk.rows)
    values = .allocate(capacity: ColumnChunk.rows)
  }

  deinit {
    kinds.deallocate()
    values.deallocate()
  }

  /// Begins another sequence.
  func reset() {
    if dictionary.count > ColumnStage.keptStrings {
      dictionary = ByteDictionary()
      known = CodeMemory(unknown: 0)
      sequence = 0
    } else {
      dictionary.removeAll()
      // What is known of codes is of an older sequence now; no memory is gone over for that.
      sequence += 1
    }
    (dictionaryBytes, told, isPlain) = (0, 0, false)
    plainBytes.count = 0
  }

  // MARK: Filling

  /// Stages the cells of `rows` from place `start` of the chunk on.
  func append(
    _ cells: UnsafePointer<Cell>, _ codes: ColumnCodes, rows: UnsafeBufferPointer<UInt32>,
    at start: Int
  ) {
    guard codes.space != 0, !isPlain else {
      stage(cells, rows, start, nil)
      return
    }
    known.withValues(of: codes) { stage(cells, rows, start, $0.baseAddress) }
  }

  private func stage(
    _ cells: UnsafePointer<Cell>, _ rows: UnsafeBufferPointer<UInt32>, _ start: Int,
    _ known: UnsafeMutablePointer<UInt64>?
  ) {
    let (kinds, values, isPlain) = (kinds + start, values + start, isPlain)
    let sequence = sequence
    for i in 0..<rows.count {
      let cell = cells[Int(rows[i])]
      if cell.rawKind != CellKind.string.rawValue {
        if let text = cell.jsonText {
          kinds[i] = ColumnChunk.plainObject
          values[i] = UInt64(text.count)
          plainBytes.append(text)
          continue
        }
        kinds[i] = cell.rawKind
        // What has no value says nothing in its bits.
        values[i] = cell.isNull || cell.rawKind >= CellKind.other.rawValue ? 0 : cell.bits
        continue
      }
      var code = ColumnStage.plain
      if isPlain {
        // It is not looked up.
      } else if let known, cell.code != 0 {
        let noted = known[Int(cell.code)]
        code = noted >> 32 == sequence ? UInt32(truncatingIfNeeded: noted) : 0
        if code == 0 {
          code = self.code(of: cell.stringBytes)
          if code != ColumnStage.plain { known[Int(cell.code)] = sequence << 32 | UInt64(code) }
        }
      } else {
        code = self.code(of: cell.stringBytes)
      }
      if code == ColumnStage.plain {
        kinds[i] = ColumnChunk.plainString
        values[i] = UInt64(cell.length)
        plainBytes.append(cell.stringBytes)
      } else {
        kinds[i] = CellKind.string.rawValue
        values[i] = UInt64(code &- 1)
      }
    }
  }

  /// The code + 1 of a string, or ``plain``.
  private func code(of bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
    if bytes.count > ColumnChunk.stringBytesMax { return ColumnStage.plain }
    guard dictionary.count < ColumnChunk.dictionaryMax,
      dictionaryBytes + bytes.count <= ColumnChunk.dictionaryBytesMax
    else { return dictionary.find(bytes).map { UInt32($0 + 1) } ?? ColumnStage.plain }
    let before = dictionary.count
    let code = dictionary.code(of: bytes)
    if dictionary.count > before { dictionaryBytes += bytes.count }
    return UInt32(code + 1)
  }

  // MARK: Encoding

  /// Appends the first `rows` cells in their encoded form, and begins anew.
  func encode(rows: Int, to out: inout RawBuffer) {
    let new = told..<dictionary.count
    out.append(UInt32(new.count))
    for code in new { out.append(UInt32(dictionary.bytes(of: code).count)) }
    for code in new { out.append(dictionary.bytes(of: code)) }
    let tally = tally(rows)
    let set = tally.counts.enumerated().reduce(UInt16(0)) {
      $1.element > 0 ? $0 | 1 << UInt16($1.offset) : $0
    }
    let codeWidth = NarrowNumbers.width(of: tally.largestCode)
    let lengthWidth = NarrowNumbers.width(of: tally.largestLength)
    let base = tally.least
    let valueWidth =
      tally.hasValues ? NarrowNumbers.width(of: UInt64(bitPattern: tally.greatest &- base)) : 0
    out.append(set)
    out.append(UInt8(codeWidth))
    out.append(UInt8(lengthWidth))
    out.append(UInt8(valueWidth))
    out.append(UInt8(0))
    out.append(tally.hasValues ? base : 0)
    out.append(UInt32(plainBytes.count))
    encodeKinds(rows, set, to: &out)
    let strings = tally.counts[Int(CellKind.string.rawValue)]
    let plains = tally.counts[Int(ColumnChunk.plainString)]
    let texts = plains + tally.counts[Int(ColumnChunk.plainObject)]
    encode(rows, only: 1 << CellKind.string.rawValue, strings == rows, width: codeWidth, to: &out)
    encode(
      rows, only: 1 << ColumnChunk.plainString | 1 << ColumnChunk.plainObject, texts == rows,
      width: lengthWidth, to: &out)
    encodeValues(
      rows, base: UInt64(bitPattern: base), all: strings + texts == 0 && tally.nulls == 0,
      width: valueWidth, to: &out)
    out.append(UnsafeBufferPointer(rebasing: plainBytes.view.bindMemory(to: UInt8.self)[...]))
    plainBytes.count = 0
    told = dictionary.count
    // Deciding at the ends of chunks makes it a matter of the rows alone.
    if new.count * 2 > strings + plains || plains * 2 > strings + plains { isPlain = true }
  }

  private struct Tally {
    /// Rows by kind.
    var counts = [Int](repeating: 0, count: ColumnChunk.kinds)
    var largestCode: UInt64 = 0
    var largestLength: UInt64 = 0
    var least = Int64.max
    var greatest = Int64.min

    var hasValues: Bool { greatest >= least }
    /// Rows that are no strings and have no value.
    var nulls: Int { counts[0] + counts[1] + counts[Int(CellKind.other.rawValue)] }
  }

  private func tally(_ rows: Int) -> Tally {
    var tally = Tally()
    let first = rows > 0 ? kinds[0] : 0
    var isMixed = false
    for i in 0..<rows where kinds[i] != first { isMixed = true }
    if !isMixed {
      tally.counts[Int(first)] = rows
      tallyOne(first, rows, &tally)
      return tally
    }
    for i in 0..<rows {
      let kind = kinds[i]
      tally.counts[Int(kind)] += 1
      tallyValue(kind, values[i], &tally)
    }
    return tally
  }

  private func tallyOne(_ kind: UInt8, _ rows: Int, _ tally: inout Tally) {
    let values = values
    var (least, greatest) = (Int64.max, Int64.min)
    for i in 0..<rows {
      let value = Int64(bitPattern: values[i])
      least = min(least, value)
      greatest = max(greatest, value)
    }
    guard rows > 0 else { return }
    switch kind {
    case CellKind.string.rawValue: tally.largestCode = UInt64(greatest)
    case ColumnChunk.plainString, ColumnChunk.plainObject: tally.largestLength = UInt64(greatest)
    case 0, 1, CellKind.other.rawValue: break
    default: (tally.least, tally.greatest) = (least, greatest)
    }
  }

  @inline(__always)
  private func tallyValue(_ kind: UInt8, _ value: UInt64, _ tally: inout Tally) {
    switch kind {
    case CellKind.string.rawValue: tally.largestCode = max(tally.largestCode, value)
    case ColumnChunk.plainString, ColumnChunk.plainObject:
      tally.largestLength = max(tally.largestLength, value)
    case 0, 1, CellKind.other.rawValue: break
    default:
      tally.least = min(tally.least, Int64(bitPattern: value))
      tally.greatest = max(tally.greatest, Int64(bitPattern: value))
    }
  }

  private func encodeKinds(_ rows: Int, _ set: UInt16, to out: inout RawBuffer) {
    let bits = ColumnChunk.bits(kinds: set.nonzeroBitCount)
    guard bits > 0 else { return }
    let bytes = (rows * bits + 7) / 8
    out.reserve(bytes)
    let to = (out.base + out.count).assumingMemoryBound(to: UInt8.self)
    let kinds = kinds
    let perByte = 8 / bits
    for byte in 0..<bytes {
      var packed: UInt8 = 0
      for i in (byte * perByte)..<min(rows, (byte + 1) * perByte) {
        let below = set & (1 << UInt16(kinds[i]) - 1)
        packed |= UInt8(below.nonzeroBitCount) << UInt8(i % perByte * bits)
      }
      to[byte] = packed
    }
    out.count += bytes
  }

  /// Values of the rows of some kinds, 0 for others.
  ///
  /// - Parameters:
  ///   - only: one bit a kind.
  ///   - all: whether all rows are of them.
  private func encode(
    _ rows: Int, only: UInt16, _ all: Bool, width: Int, to out: inout RawBuffer
  ) {
    guard width > 0 else { return }
    out.reserve(rows * width)
    let to = out.base + out.count
    let (kinds, values) = (kinds, values)
    for i in 0..<rows {
      let value = all || only >> UInt16(kinds[i]) & 1 == 1 ? values[i] : 0
      NarrowNumbers.store(value, to: to, i, width: width)
    }
    out.count += rows * width
  }

  private func encodeValues(
    _ rows: Int, base: UInt64, all: Bool, width: Int, to out: inout RawBuffer
  ) {
    guard width > 0 else { return }
    out.reserve(rows * width)
    let to = out.base + out.count
    let (kinds, values) = (kinds, values)
    for i in 0..<rows {
      let hasValue = all || ColumnStage.valueKinds >> UInt16(kinds[i]) & 1 == 1
      NarrowNumbers.store(hasValue ? values[i] &- base : 0, to: to, i, width: width)
    }
    out.count += rows * width
  }

  /// Kinds whose bits are a value: int, number, bool and timestamp.
  private static let valueKinds: UInt16 = 0b0111_1000
}
