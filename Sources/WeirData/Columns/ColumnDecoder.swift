/// The cells of one column, chunk by chunk.
final class ColumnDecoder {
  private let space = ColumnCodes.makeSpace()
  /// The strings of all chunks so far, by code: cells as they are handed out.
  private var dictionary = UnsafeMutablePointer<Cell>.allocate(capacity: 16)
  private var capacity = 16
  private var count = 0
  private var arena = Arena()

  private var kindSet: UInt16 = 0
  private var base: UInt64 = 0
  private var codeWidth = 0
  private var lengthWidth = 0
  private var valueWidth = 0
  private var kinds: UnsafeRawPointer?
  private var codeBytes: UnsafeRawPointer?
  private var lengths: UnsafeRawPointer?
  private var values: UnsafeRawPointer?
  private var plain: UnsafePointer<UInt8>?
  private var row = 0

  deinit { dictionary.deallocate() }

  /// What the codes of the cells mean.
  var codes: ColumnCodes {
    kindSet >> UInt16(CellKind.string.rawValue) & 1 == 1
      ? ColumnCodes(space: space, largest: UInt16(count)) : .none
  }

  // MARK: Opening a chunk

  func open(_ cursor: inout ChunkCursor, rows: Int) throws(ChunkError) {
    try addStrings(&cursor)
    kindSet = try cursor.number(UInt16.self)
    codeWidth = try cursor.width()
    lengthWidth = try cursor.width()
    valueWidth = try cursor.width()
    _ = try cursor.number(UInt8.self)
    base = UInt64(bitPattern: try cursor.number(Int64.self))
    let plainCount = Int(try cursor.number(UInt32.self))
    guard kindSet != 0, kindSet >> UInt16(ColumnChunk.kinds) == 0, codeWidth <= 2, lengthWidth <= 4
    else {
      throw ChunkError("a column of kinds \(kindSet), widths \(codeWidth) and \(lengthWidth)")
    }
    let bits = ColumnChunk.bits(kinds: kindSet.nonzeroBitCount)
    kinds = try cursor.take((rows * bits + 7) / 8)
    codeBytes = try cursor.take(rows * codeWidth)
    lengths = try cursor.take(rows * lengthWidth)
    values = try cursor.take(rows * valueWidth)
    plain = try cursor.take(plainCount).assumingMemoryBound(to: UInt8.self)
    row = 0
    try check(rows, plainCount)
  }

  private func addStrings(_ cursor: inout ChunkCursor) throws(ChunkError) {
    let new = Int(try cursor.number(UInt32.self))
    guard count + new <= ColumnChunk.dictionaryMax else {
      throw ChunkError("a dictionary of \(count + new) strings")
    }
    let sizes = try cursor.take(new * 4)
    reserve(count + new)
    for i in 0..<new {
      let size = sizes.loadUnaligned(fromByteOffset: i * 4, as: UInt32.self)
      let bytes = try cursor.take(Int(UInt32(littleEndian: size)))
      let view = UnsafeBufferPointer(
        start: bytes.assumingMemoryBound(to: UInt8.self), count: Int(UInt32(littleEndian: size)))
      var cell = Cell.string(arena.store(view))
      cell.code = UInt16(count + 1)
      (dictionary + count).initialize(to: cell)
      count += 1
    }
  }

  private func reserve(_ wanted: Int) {
    guard wanted > capacity else { return }
    let size = max(wanted, capacity * 2)
    let larger = UnsafeMutablePointer<Cell>.allocate(capacity: size)
    larger.moveInitialize(from: dictionary, count: count)
    dictionary.deallocate()
    dictionary = larger
    capacity = size
  }

  /// No code is beyond the dictionary, no plain string beyond its bytes.
  private func check(_ rows: Int, _ plainCount: Int) throws(ChunkError) {
    if has(CellKind.string.rawValue) {
      let largest = codeWidth == 0 ? 0 : largestCode(rows)
      guard largest < count else { throw ChunkError("code \(largest) of \(count)") }
    }
    if has(ColumnChunk.plainString) || has(ColumnChunk.plainObject), lengthWidth > 0, let lengths {
      let mask = NarrowNumbers.mask(width: lengthWidth)
      var sum = 0
      for i in 0..<rows {
        sum += Int(NarrowNumbers.load(lengths, i, width: lengthWidth, mask: mask))
      }
      guard sum == plainCount else {
        throw ChunkError("strings of \(sum) bytes, where there are \(plainCount)")
      }
    }
  }

  private func largestCode(_ rows: Int) -> Int {
    guard let codeBytes else { return 0 }
    let mask = NarrowNumbers.mask(width: codeWidth)
    // A byte cannot be beyond a dictionary of 256.
    if codeWidth == 1, count > 255 { return 255 }
    var largest: UInt64 = 0
    for i in 0..<rows {
      largest = max(largest, NarrowNumbers.load(codeBytes, i, width: codeWidth, mask: mask))
    }
    return Int(largest)
  }

  private func has(_ kind: UInt8) -> Bool { kindSet >> UInt16(kind) & 1 == 1 }

  // MARK: Cells

  /// The next `count` cells.
  func fill(_ cells: UnsafeMutablePointer<Cell>, _ count: Int) {
    if kindSet.nonzeroBitCount > 1 {
      fillMixed(cells, count)
    } else {
      let kind = UInt8(kindSet.trailingZeroBitCount)
      switch kind {
      case CellKind.string.rawValue: fillCodes(cells, count)
      case ColumnChunk.plainString, ColumnChunk.plainObject: fillPlain(cells, count, kind)
      case 0, 1, CellKind.other.rawValue:
        cells.update(repeating: Cell(rawKind: kind, bits: 0), count: count)
      default: fillValues(cells, count, kind)
      }
    }
    row += count
  }

  private func fillCodes(_ cells: UnsafeMutablePointer<Cell>, _ count: Int) {
    guard let codeBytes else { return }
    let dictionary = dictionary
    switch codeWidth {
    case 0: cells.update(repeating: dictionary[0], count: count)
    case 1:
      let codes = (codeBytes + row).assumingMemoryBound(to: UInt8.self)
      for i in 0..<count { cells[i] = dictionary[Int(codes[i])] }
    default:
      let codes = codeBytes + row * 2
      for i in 0..<count {
        let code = codes.loadUnaligned(fromByteOffset: i * 2, as: UInt16.self)
        cells[i] = dictionary[Int(UInt16(littleEndian: code))]
      }
    }
  }

  private func fillPlain(_ cells: UnsafeMutablePointer<Cell>, _ count: Int, _ kind: UInt8) {
    guard let lengths, var plain else { return }
    let (row, width) = (row, lengthWidth)
    let mask = NarrowNumbers.mask(width: width)
    for i in 0..<count {
      let length = Int(NarrowNumbers.load(lengths, row + i, width: width, mask: mask))
      let text = UnsafeBufferPointer(start: plain, count: length)
      cells[i] = kind == ColumnChunk.plainString ? .string(text) : .other(json: text)
      plain += length
    }
    self.plain = plain
  }

  private func fillValues(_ cells: UnsafeMutablePointer<Cell>, _ count: Int, _ kind: UInt8) {
    guard let values else { return }
    let (row, width, base) = (row, valueWidth, base)
    let mask = NarrowNumbers.mask(width: width)
    for i in 0..<count {
      let delta = NarrowNumbers.load(values, row + i, width: width, mask: mask)
      cells[i] = Cell(rawKind: kind, bits: base &+ delta)
    }
  }

  private func fillMixed(_ cells: UnsafeMutablePointer<Cell>, _ count: Int) {
    guard let kinds, let codeBytes, let lengths, let values, var plain else { return }
    let bits = ColumnChunk.bits(kinds: kindSet.nonzeroBitCount)
    let (codeWidth, lengthWidth, valueWidth) = (codeWidth, lengthWidth, valueWidth)
    let codeMask = NarrowNumbers.mask(width: codeWidth)
    let lengthMask = NarrowNumbers.mask(width: lengthWidth)
    let valueMask = NarrowNumbers.mask(width: valueWidth)
    let (dictionary, row, base, table) = (dictionary, row, base, kindTable)
    for i in row..<(row + count) {
      let byte = kinds.load(fromByteOffset: i &* bits / 8, as: UInt8.self)
      let place = Int(byte) >> (i &* bits & 7) & (1 << bits - 1)
      let kind = UInt8(truncatingIfNeeded: table >> UInt64(4 * place) & 15)
      switch kind {
      case CellKind.string.rawValue:
        let code = NarrowNumbers.load(codeBytes, i, width: codeWidth, mask: codeMask)
        cells[i - row] = dictionary[Int(code)]
      case ColumnChunk.plainString:
        let length = Int(NarrowNumbers.load(lengths, i, width: lengthWidth, mask: lengthMask))
        cells[i - row] = .string(UnsafeBufferPointer(start: plain, count: length))
        plain += length
      case ColumnChunk.plainObject:
        let length = Int(NarrowNumbers.load(lengths, i, width: lengthWidth, mask: lengthMask))
        cells[i - row] = .other(json: UnsafeBufferPointer(start: plain, count: length))
        plain += length
      case 0, 1, CellKind.other.rawValue:
        cells[i - row] = Cell(rawKind: kind, bits: 0)
      default:
        let delta = NarrowNumbers.load(values, i, width: valueWidth, mask: valueMask)
        cells[i - row] = Cell(rawKind: kind, bits: base &+ delta)
      }
    }
    self.plain = plain
  }

  /// The kinds of the set in ascending order, 4 bits each: in one word, so that any place has one.
  private var kindTable: UInt64 {
    var table: UInt64 = 0
    var place: UInt64 = 0
    for kind in 0..<ColumnChunk.kinds where has(UInt8(kind)) {
      table |= UInt64(kind) << (4 * place)
      place += 1
    }
    return table
  }
}
