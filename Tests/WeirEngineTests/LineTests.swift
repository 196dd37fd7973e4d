import Testing
import WeirData
import WeirTesting

@testable import WeirEngine

@Suite struct `The lines of a shard` {
  private static func batch(_ numbers: [UInt32], columns: Int) -> Batch {
    Batch(
      bytes: Bytes([]), lines: numbers.map { BatchLine(start: 0, length: 0, number: $0) },
      columnCount: columns)
  }

  @Test func `have the best outcome that happened to them`() {
    var random = SeededRandom(seed: 8)
    var outcomes = LineOutcomes()
    var wanted: [UInt8] = []
    var next: UInt32 = 0
    for _ in 0..<60 {
      let numbers = (0..<random.below(40)).map { _ -> UInt32 in
        next += random.oneIn(5) ? 2 : 1
        return next
      }
      let batch = Self.batch(numbers, columns: 0)
      outcomes.raiseAll(of: batch, to: .read)
      while wanted.count < Int(next) { wanted.append(0) }
      for number in numbers { wanted[Int(number) - 1] = 1 }
      for _ in 0..<3 {
        let outcome = random.pick([Outcome.filtered, .deduplicated, .quarantined, .written])
        let rows = (0..<UInt32(numbers.count)).filter { _ in random.oneIn(2) }
        outcomes.raise(Selection(rows: rows), of: batch, to: outcome)
        for row in rows {
          let line = Int(numbers[Int(row)]) - 1
          wanted[line] = max(wanted[line], outcome.rawValue)
        }
      }
    }
    #expect(outcomes.bytes == wanted)
    for outcome in Outcome.allCases {
      #expect(outcomes.count(of: outcome) == wanted.count { $0 == outcome.rawValue })
    }
  }

  @Test(
    arguments: CodedColumns.Mode.allCases,
    [[[0]], [[0, 1], [2]], [[0, 1, 2], [3], [4], [1], [2]]])
  func `belong to the group of the latest edit, with and without codes`(
    _ mode: CodedColumns.Mode, _ fields: [[Int]]
  ) {
    var random = SeededRandom(seed: 9)
    let coder = CodedColumns(mode)
    let grouper = LineGrouper(fields)
    let groups = ByteDictionary()
    var lineGroups: [UInt32] = []
    var next: UInt32 = 0
    for _ in 0..<40 {
      let numbers = (0..<random.below(30)).map { _ -> UInt32 in
        next += random.oneIn(9) ? 3 : 1
        return next
      }
      var batch = Self.batch(numbers, columns: 5)
      for column in 0..<5 {
        for row in numbers.indices {
          let text = Array(random.pick(["", "DE", "FR", "x"]).utf8)
          let string = text.withUnsafeBufferPointer { batch.arena.store($0) }
          batch.column(column)[row] = random.pick([
            .string(string), .string(string), .null, .missing, .int(3), .bool(true),
          ])
        }
      }
      coder.encode(batch, columns: 0..<5)
      grouper.group(batch, groups, into: &lineGroups)
      for (row, number) in numbers.enumerated() {
        var key: [UInt8] = []
        for field in fields {
          var cell = Cell.missing
          for column in field where !batch.column(column)[row].isNull {
            cell = batch.column(column)[row]
          }
          appendKey(cell, to: &key)
        }
        let group = lineGroups[Int(number) - 1]
        #expect(group > 0 && Array(groups.bytes(of: Int(group) - 1)) == key)
      }
    }
  }
}
