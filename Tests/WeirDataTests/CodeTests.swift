import Testing
import WeirTesting

@testable import WeirData

@Suite struct `A dictionary of strings` {
  @Test func `gives the same bytes the same code, in the order of first sight`() {
    var random = SeededRandom(seed: 5)
    let dictionary = ByteDictionary()
    var known: [[UInt8]: Int] = [:]
    for _ in 0..<60_000 {
      // Lengths around the steps in which short strings are compared, and few different bytes.
      let bytes = (0..<random.below(36)).map { _ in UInt8(random.below(2)) }
      bytes.withUnsafeBufferPointer { view in
        #expect(dictionary.find(view) == known[bytes])
        let code = dictionary.code(of: view)
        #expect(code == known[bytes] ?? known.count)
        known[bytes] = code
        #expect(dictionary.find(view) == code && Array(dictionary.bytes(of: code)) == bytes)
      }
    }
    #expect(dictionary.count == known.count && known.count > 10_000)
  }

  @Test func `takes the empty string with and without an address`() {
    let dictionary = ByteDictionary()
    let none = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    #expect(dictionary.find(none) == nil && dictionary.code(of: none) == 0)
    [1 as UInt8].withUnsafeBufferPointer {
      #expect(dictionary.code(of: UnsafeBufferPointer(rebasing: $0[..<0])) == 0)
      #expect(dictionary.code(of: $0) == 1)
    }
  }

  @Test func `keeps strings where they are while it grows`() {
    let dictionary = ByteDictionary()
    let first = "first".utf8.withContiguousStorageIfAvailable {
      dictionary.bytes(of: dictionary.code(of: $0)).baseAddress
    }
    for i in 0..<5_000 {
      Array("value \(i)".utf8).withUnsafeBufferPointer { _ = dictionary.code(of: $0) }
    }
    #expect(dictionary.bytes(of: 0).baseAddress == first)
    #expect(Array(dictionary.bytes(of: 0)) == Array("first".utf8))
  }
}

@Suite struct `Memory of strings that is used again` {
  @Test func `is empty behind a removal, and takes others`() {
    let dictionary = ByteDictionary()
    let table = PairTable()
    var known = CodeTables()
    for round in 0..<4 {
      // Rounds of many strings make it larger, rounds of few find it so.
      let count = round % 2 == 0 ? 3_000 : 10
      for i in 0..<count {
        let text = Array(
          "round \(round), \(i % 7 == 0 ? String(repeating: "x", count: 900) : "")\(i)".utf8)
        text.withUnsafeBufferPointer { view in
          #expect(dictionary.find(view) == nil && dictionary.code(of: view) == i)
          #expect(isSame(dictionary.bytes(of: i), view))
        }
        #expect(table.find(UInt64(i), 3) == -1)
        table.insert(Int32(i), for: UInt64(i), 3)
        #expect(known.table(of: [UInt32(round)]).find(UInt64(i), 0) == -1)
        known.table(of: [UInt32(round)]).insert(1, for: UInt64(i), 0)
      }
      #expect(dictionary.count == count)
      dictionary.removeAll()
      table.removeAll()
      known.removeAll()
      #expect(dictionary.count == 0)
    }
  }
}

@Suite struct `A table of pairs` {
  @Test func `is a dictionary`() {
    struct Pair: Hashable {
      var first: UInt64
      var second: Int64
    }
    var random = SeededRandom(seed: 6)
    let table = PairTable()
    var known: [Pair: Int32] = [:]
    for i in 0..<50_000 {
      let pair = Pair(
        first: UInt64(random.below(300)) << (random.oneIn(2) ? 48 : 0),
        second: Int64(random.below(200) - 100) * 86_400_000_000)
      #expect(table.find(pair.first, pair.second) == known[pair] ?? -1)
      if random.oneIn(2) {
        let value = i == 7 ? Int32.max : Int32(random.below(1_000))
        table.insert(value, for: pair.first, pair.second)
        known[pair] = value
      }
    }
    for (pair, value) in known { #expect(table.find(pair.first, pair.second) == value) }
    #expect(known.count > 5_000)
  }

  @Test func `has one table for each combination of spaces`() {
    var tables = CodeTables()
    let one = tables.table(of: [1, 2])
    let other = tables.table(of: [2, 1])
    #expect(one === tables.table(of: [1, 2]) && other === tables.table(of: [2, 1]))
    #expect(one !== other && one !== tables.table(of: [1]))
  }
}

@Suite struct `A memory by code` {
  @Test func `knows what it was told or nothing, and of the latest spaces always`() {
    var random = SeededRandom(seed: 10)
    var memory = CodeMemory(unknown: -1)
    func value(_ space: UInt32, _ code: Int) -> Int { Int(space) * 1_000 + code }
    for round in 0..<5_000 {
      let space = UInt32(1 + (round / 20) + random.below(8))
      let codes = ColumnCodes(space: space, largest: UInt16(random.below(40)))
      memory.withValues(of: codes) { values in
        #expect(values.count > Int(codes.largest))
        for code in 0...Int(codes.largest) {
          #expect(values[code] == -1 || values[code] == value(space, code))
          values[code] = value(space, code)
        }
      }
      memory.withValues(of: codes) { values in
        #expect((0...Int(codes.largest)).allSatisfy { values[$0] == value(space, $0) })
      }
    }
  }
}

@Suite struct `The bytes of a key` {
  @Test func `are those of the array`() {
    var random = SeededRandom(seed: 7)
    var key = KeyBytes()
    for _ in 0..<2_000 {
      key.clear()
      var wanted: [UInt8] = []
      let texts = (0..<4).map { _ in
        (0..<random.below(400)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      }
      for text in texts {
        text.withUnsafeBufferPointer { text in
          let cell: Cell = random.pick([
            .string(text), .missing, .null, .int(Int64(text.count)), .number(-0.0), .number(2.5),
            .bool(true), .timestamp(microseconds: -1), .string(.init(start: nil, count: 0)),
          ])
          appendKey(cell, to: &wanted)
          key.append(cell)
        }
      }
      #expect(Array(key.bytes) == wanted)
    }
  }
}
