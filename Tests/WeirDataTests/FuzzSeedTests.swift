import Glibc
import Testing
import WeirTesting

/// What `make fuzz` does for as long as one likes, here for a second: the same checks on its seeds and
/// on seeds that were damaged.
@Suite struct `Seeds of the fuzzer` {
  private static let folder =
    "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/") + "/Fuzz/seeds"
  private static let names = listFolder(folder)

  private func seeds() throws -> [[UInt8]] {
    try Self.names.map { try readFile(Self.folder + "/" + $0) }
  }

  @Test(arguments: names) func `are read as the exact reader does`(name: String) throws {
    let check = ScannerCheck()
    let text = try readFile(Self.folder + "/" + name)
    for choice in UInt8.min...UInt8.max {
      let problem = check.problem([choice] + text)
      #expect(problem == nil, "choice \(choice)")
    }
  }

  @Test func `are read as the exact reader does when they are damaged`() throws {
    // WEIR_ROUNDS: more of them, by hand; 1 is 100 inputs.
    let rounds = getenv("WEIR_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 100
    let seeds = try seeds()
    try #require(seeds.count > 8)
    var random = SeededRandom(seed: 20_261_123)
    var made = RandomDocuments(seed: 20_261_124)
    for _ in 0..<rounds {
      let check = ScannerCheck()
      for _ in 0..<100 {
        var text = random.pick(seeds)
        for _ in 0...random.below(4) { text = made.damaged(text) }
        let input = [UInt8(random.below(256))] + text
        guard let problem = check.problem(input) else { continue }
        Issue.record("\(problem): \(input)")
      }
    }
  }
}
