import Testing
import WeirTesting

@testable import WeirData

/// One value of a random column, as it can be compared.
private enum Value: Equatable {
  case missing, null, other
  case object([UInt8])
  case string([UInt8])
  case int(Int64)
  case number(UInt64)
  case bool(Bool)
  case timestamp(Int64)

  init(_ cell: Cell) {
    self =
      switch cell.kind {
      case .missing: .missing
      case .null: .null
      case .other: cell.jsonText.map { .object(Array($0)) } ?? .other
      case .string: .string(Array(cell.stringBytes))
      case .int: .int(cell.intValue)
      case .number: .number(cell.bits)
      case .bool: .bool(cell.boolValue)
      case .timestamp: .timestamp(cell.intValue)
      }
  }

  func cell(_ arena: inout Arena) -> Cell {
    switch self {
    case .missing: .missing
    case .null: .null
    case .other: Cell(rawKind: CellKind.other.rawValue, bits: 0)
    case .object(let bytes): bytes.withUnsafeBufferPointer { .other(json: arena.store($0)) }
    case .string(let bytes): bytes.withUnsafeBufferPointer { .string(arena.store($0)) }
    case .int(let value): .int(value)
    case .number(let bits): .number(Double(bitPattern: bits))
    case .bool(let value): .bool(value)
    case .timestamp(let value): .timestamp(microseconds: value)
    }
  }
}

/// How the values of a column come about.
private enum Source: CaseIterable {
  case fewStrings, manyStrings, hugeStrings, emptyStrings, strings, near, far, numbers, same, nulls
  case flags, mixed, seldom, objects

  func value(_ random: inout SeededRandom) -> Value {
    switch self {
    case .fewStrings: return .string(Array("market-\(random.below(20))".utf8))
    case .manyStrings: return .string(Array("\(random.next())".utf8))
    case .hugeStrings:
      return .string([UInt8](repeating: UInt8(random.below(9)), count: random.below(3_000)))
    case .emptyStrings: return .string([])
    case .strings: return .string(Array("item-\(random.below(600))".utf8))
    case .near: return .timestamp(1_760_000_000_000_000 + Int64(random.below(86_400)) * 1_000_000)
    case .far: return .int(Int64(bitPattern: random.next()))
    case .numbers: return .number((Double(random.below(2_000)) / 8 - 100).bitPattern)
    case .same: return .int(-7)
    case .nulls: return random.oneIn(3) ? .null : .missing
    case .flags: return .bool(random.oneIn(2))
    case .objects: return .object(Array("[\(random.below(1_000)), {}]".utf8))
    case .mixed:
      let sources = Source.allCases.filter { $0 != .mixed }
      return random.oneIn(9) ? .other : random.pick(sources).value(&random)
    case .seldom: return random.oneIn(500) ? .int(Int64(random.below(3_000))) : .null
    }
  }
}

/// How the strings of a batch come: without codes, with them, or with some.
private enum Coding: CaseIterable { case none, all, some }

@Suite struct `Chunks of columns` {
  private struct Rows {
    var lines: [UInt32] = []
    /// Where each begins in the shard; empty: nobody asks.
    var offsets: [Int] = []
    /// By column, then row.
    var values: [[Value]]
  }

  private static func rows(_ count: Int, _ sources: [Source], _ random: inout SeededRandom) -> Rows
  {
    var rows = Rows(values: sources.map { _ in [] })
    var line: UInt32 = UInt32(random.below(3))
    let step = random.pick([1, 1, 3, 400])
    let skips = random.pick([1, 2, 50, 5_000])
    for _ in 0..<count {
      line += 1 + (random.oneIn(skips) ? UInt32(random.below(step)) : 0)
      rows.lines.append(line)
      for (i, source) in sources.enumerated() { rows.values[i].append(source.value(&random)) }
    }
    return rows
  }

  /// The encoded chunks, however the rows are cut into batches.
  private static func encode(
    _ rows: Rows, batches: Int, _ coding: Coding, _ random: inout SeededRandom,
    with writer: ColumnChunkWriter? = nil
  ) -> [[UInt8]] {
    // Rows that are not selected stand between, and columns that are not kept.
    let columns = rows.values.indices.map { $0 * 2 + 1 }
    let writer =
      writer ?? ColumnChunkWriter(columns: columns, keepsOffsets: !rows.offsets.isEmpty)
    var chunks: [[UInt8]] = []
    var dictionaries = rows.values.map { _ in Dictionary() }
    var from = 0
    while from < rows.lines.count {
      let count = min(rows.lines.count - from, 1 + random.below(batches))
      let isSparse = random.oneIn(3)
      let place = { (i: Int) in isSparse ? 2 * i + 1 : i }
      let first = rows.offsets.isEmpty ? 0 : rows.offsets[from]
      let lines = (0..<(place(count) + 1)).map { i -> BatchLine in
        let row = isSparse ? (i - 1) / 2 : i
        let start = row < count && !rows.offsets.isEmpty ? rows.offsets[from + row] - first : 0
        return BatchLine(
          start: UInt32(start), length: 0, number: row < count ? rows.lines[from + row] : 0)
      }
      var batch = Batch(
        bytes: Bytes(capacity: 0), lines: lines, columnCount: columns.count * 2 + 1,
        byteOffset: first)
      for (i, column) in columns.enumerated() {
        for row in 0..<count {
          var cell = rows.values[i][from + row].cell(&batch.arena)
          if coding == .all || coding == .some && random.oneIn(2) { dictionaries[i].code(&cell) }
          batch.column(column)[place(row)] = cell
        }
        if coding != .none { batch.setCodes(dictionaries[i].codes, ofColumn: column) }
      }
      writer.append(batch, Selection(rows: (0..<count).map { UInt32(place($0)) })) {
        chunks.append(Array($0))
      }
      from += count
    }
    writer.finish { chunks.append(Array($0)) }
    return chunks
  }

  /// Gives codes as a scanner does: the bytes stay where they were seen first.
  private struct Dictionary {
    private let strings = ByteDictionary()
    let space = ColumnCodes.makeSpace()
    private var largest = 0
    var codes: ColumnCodes { ColumnCodes(space: space, largest: UInt16(largest)) }

    mutating func code(_ cell: inout Cell) {
      guard cell.kind == .string, strings.count < 60_000 else { return }
      let code = strings.code(of: cell.stringBytes)
      cell = .string(strings.bytes(of: code))
      cell.code = UInt16(code + 1)
      largest = strings.count
    }
  }

  private static func decode(_ chunks: [[UInt8]], columns: Int) throws -> Rows {
    let places = (0..<columns).map { columns - $0 }
    let reader = ColumnChunkReader(columns: places, columnCount: columns + 1, others: [0])
    var rows = Rows(values: (0..<columns).map { _ in [] })
    for chunk in chunks {
      var bytes = RawBuffer()
      chunk.withUnsafeBufferPointer { bytes.append($0) }
      try reader.read(bytes.view) { batch, selection in
        #expect(selection.rows == Selection(all: batch.rowCount).rows)
        for row in 0..<batch.rowCount {
          rows.lines.append(batch.lines[row].number)
          rows.offsets.append(batch.byteOffset(ofRow: row))
          #expect(batch.column(0)[row].rawKind == CellKind.missing.rawValue)
          // What a stage behind puts there is gone in the next batch.
          batch.column(0)[row] = .int(1)
        }
        for (i, place) in places.enumerated() {
          let codes = batch.codes(ofColumn: place)
          for row in 0..<batch.rowCount {
            let cell = batch.column(place)[row]
            rows.values[i].append(Value(cell))
            #expect(cell.code == 0 || codes.space != 0 && cell.code <= codes.largest)
          }
        }
      }
    }
    return rows
  }

  @Test(arguments: 0..<40)
  func `give the rows back, and depend on nothing but them`(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let sources = (0..<(1 + random.below(5))).map { _ in random.pick(Source.allCases) }
    let count = random.pick([1, 2, 100, 2_048, 8_191, 8_192, 8_193, 20_000])
    let rows = Self.rows(count, sources, &random)
    let chunks = Self.encode(rows, batches: 900, .none, &random)
    #expect(chunks.count == (count + ColumnChunk.rows - 1) / ColumnChunk.rows)
    let again = try Self.decode(chunks, columns: sources.count)
    #expect(again.lines == rows.lines)
    for (i, source) in sources.enumerated() {
      #expect(again.values[i] == rows.values[i], "\(source)")
    }
    let used = ColumnChunkWriter(columns: sources.indices.map { $0 * 2 + 1 })
    _ = Self.encode(Self.rows(9_000, sources, &random), batches: 700, .all, &random, with: used)
    for (i, coding) in Coding.allCases.enumerated() {
      let other = Self.encode(
        rows, batches: [1, 300, 20_000][i], coding, &random, with: i == 2 ? used : nil)
      #expect(other == chunks, "\(coding)")
    }
  }

  @Test(arguments: [1, 300, 70_000, 1 << 30])
  func `say where rows begin, however far apart`(step: Int) throws {
    var random = SeededRandom(seed: UInt64(step))
    var rows = Self.rows(9_000, [.fewStrings], &random)
    var offset = random.below(1_000)
    for _ in rows.lines {
      rows.offsets.append(offset)
      offset += random.below(step) + 1
    }
    // A batch is at most 4 GB long.
    let batches = min(2_000, (1 << 32) / step)
    let chunks = Self.encode(rows, batches: batches, .none, &random)
    let again = try Self.decode(chunks, columns: 1)
    #expect(again.offsets == rows.offsets)
    #expect(again.values == rows.values)
    #expect(Self.encode(rows, batches: 1, .all, &random) == chunks)
    var without = rows
    without.offsets = []
    let few = Self.encode(without, batches: batches, .none, &random)
    #expect(try Self.decode(few, columns: 1).offsets.allSatisfy { $0 == 0 })
    let more = chunks.reduce(0) { $0 + $1.count } - few.reduce(0) { $0 + $1.count }
    #expect(more <= 9_000 * ((step.bitWidth - step.leadingZeroBitCount + 7) / 8) + 40)
  }

  @Test func `are small where there is little to tell`() {
    var random = SeededRandom(seed: 1)
    func bytes(_ source: Source) -> Int {
      let rows = Self.rows(8_192, [source], &random)
      return Self.encode(rows, batches: 500, .none, &random).reduce(0) { $0 + $1.count }
        // The lines.
        - Self.encode(Rows(lines: rows.lines, values: []), batches: 500, .none, &random)[0].count
    }
    #expect(bytes(.same) < 100)
    #expect(bytes(.nulls) < 8_192 / 8 + 100)
    #expect(bytes(.flags) < 8_192 + 100)
    #expect(bytes(.fewStrings) < 8_192 + 500)
    #expect(bytes(.near) < 8_192 * 5 + 100)
  }

  @Test(arguments: 0..<300)
  func `that were damaged are refused, whatever was changed in them`(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let rows = Self.rows(50, [.mixed, .fewStrings, .manyStrings, .near], &random)
    let good = Self.encode(rows, batches: 50, .none, &random)[0]
    var bad = good
    switch random.below(4) {
    case 0: bad.removeLast(1 + random.below(bad.count))
    case 1: bad += [0]
    default: bad[random.below(bad.count)] ^= UInt8(1 << random.below(8))
    }
    #expect(throws: ChunkError.self) { try Self.decode([bad], columns: 4) }
    // The same with the right checksum over it: what comes out is anything, and nothing is read
    // that is not there.
    guard bad.count > ColumnChunk.headerBytes + 8 else { return }
    var buffer = RawBuffer()
    bad.withUnsafeBufferPointer { buffer.append($0) }
    let behind = UnsafeRawBufferPointer(rebasing: buffer.view[ColumnChunk.headerBytes...])
    buffer.base.storeBytes(of: ColumnChunk.magic, as: UInt32.self)
    buffer.base.storeBytes(of: UInt32(behind.count), toByteOffset: 4, as: UInt32.self)
    buffer.base.storeBytes(
      of: ColumnChunk.checksum(behind), toByteOffset: 8, as: UInt64.self)
    _ = try? Self.decode([Array(buffer.view)], columns: 4)
  }
}
