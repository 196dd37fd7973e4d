import Testing

@testable import WeirEngine

@Suite struct `Workers for a shard` {
  private func widths(_ sizes: [Int], _ workers: Int) -> [Int] {
    var all = sizes.map { _ in 0 }
    for (place, width) in ShardUnits.widths(sizes, workers: workers) { all[place] = width }
    return all
  }

  @Test func `are one where there is work for all`() {
    #expect(widths(Array(repeating: 10, count: 16), 2) == Array(repeating: 0, count: 16))
    #expect(widths([10, 11, 9, 10], 2) == [0, 0, 0, 0])
    #expect(widths(Array(repeating: 10, count: 7), 1) == Array(repeating: 0, count: 7))
    #expect(widths([5, 5, 5, 5, 5, 5, 5], 8) == [0, 0, 0, 0, 0, 0, 0])
    #expect(widths([], 4) == [])
  }

  @Test func `are several for what is left while others have nothing`() {
    #expect(widths([10], 8) == [8])
    #expect(widths([10, 10, 10], 2) == [0, 0, 2])
    #expect(widths([10, 10, 10, 10], 8) == [2, 2, 2, 2])
    #expect(widths([1, 1, 1, 1, 20], 2) == [0, 0, 0, 0, 2])
  }

  @Test func `are several for one that is taken first and ends last`() {
    #expect(widths([20, 1, 1, 1], 2) == [2, 0, 0, 0])
  }

  @Test func `are no more than there are`() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<2_000 {
      let workers = Int.random(in: 1...9, using: &random)
      let sizes = (0..<Int.random(in: 0...20, using: &random)).map { _ in
        Int.random(in: 0...30, using: &random)
      }
      for width in widths(sizes, workers) { #expect(width == 0 || (2...workers).contains(width)) }
    }
  }
}
