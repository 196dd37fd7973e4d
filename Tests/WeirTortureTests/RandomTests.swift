import Glibc
import Testing
import WeirTesting

/// Many faults in one run, with several workers: one call in about a hundred fails or kills, drawn by
/// the name of the call from a seed. RocksDB's crash test does it with the same odds.
@Suite(.enabled(if: FaultShim.isThere, "\(FaultShim.obstacle)"))
struct `A run with faults anywhere` {
  @Test func `leaves the old outputs or the new ones, and the next one finishes`() throws {
    let seeds = Torture.some(Array(0..<600), oneIn: 50)
    let cases = try seeds.flatMap { seed in
      try Scenario.all().map { scenario in
        TortureCase(family: "random", name: "random | \(scenario.name) | seed \(seed)") {
          let folder = try scenario.folder()
          defer { folder.remove() }
          let random = (seed: UInt64(seed), odds: [31, 97, 211][seed % 3])
          // The last option of its name is the one that counts.
          let outcome = folder.weir(
            scenario.arguments + ["--workers", "4"], faults: Faults(random: random))
          let (version, torn) = scenario.version(in: folder)
          var complaints = torn
          if outcome.exit == 0, version != .new { complaints.append("done, but the old outputs") }
          if outcome.exit == 1, version == .new, scenario.old != scenario.new {
            complaints.append("failed, but the new outputs: \(outcome.lastLine)")
          }
          if outcome.signal != SIGKILL, ![0, 1, 78].contains(outcome.exit) {
            complaints.append("it ended with \(outcome.exitText): \(outcome.errors)")
          }
          return complaints + scenario.recovered(folder)
        }
      }
    }
    torture("random faults", points: seeds.count, cases)
  }
}
