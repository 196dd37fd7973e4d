import Testing
import WeirTesting

@testable import WeirStages

@Suite struct CellTableTests {
  @Test(arguments: 0..<6 as Range<UInt64>)
  func `gives the slots that a dictionary would give`(_ seed: UInt64) {
    var random = SeededRandom(seed: seed)
    struct Place: Hashable {
      var group: Int
      var bucket: Int
    }
    var table = CellTable()
    var wanted: [Place: Int] = [:]
    let groups = random.pick([1, 7, 300])
    for _ in 0..<random.pick([3, 400, 6_000]) {
      let far = random.oneIn(20) ? random.pick([-719_162, 2_932_896]) : 0
      let place = Place(
        group: random.below(groups), bucket: far + random.below(200) - random.below(90))
      let (slot, isNew) = table.slot(group: place.group, bucket: place.bucket)
      #expect(isNew == (wanted[place] == nil))
      if isNew { wanted[place] = wanted.count }
      #expect(slot == wanted[place])
    }
    #expect(table.count == wanted.count)
    var found: [Place: Int] = [:]
    table.forEach { found[Place(group: $0, bucket: $1)] = $2 }
    #expect(found == wanted)
    let cells = table.byGroup(groups: groups)
    for group in 0..<groups {
      var mine: [(bucket: Int, slot: Int)] = []
      cells.forEach(of: group) { mine.append(($0, $1)) }
      let known = wanted.filter { $0.key.group == group }.sorted { $0.key.bucket < $1.key.bucket }
      #expect(mine.map(\.bucket) == known.map(\.key.bucket))
      #expect(mine.map(\.slot) == known.map(\.value))
      #expect(cells.count(of: group) == known.count)
    }
  }

  @Test(arguments: [
    (tally: TrendShape.Tally.records, most: 22), (.share, 30), (.matching, 30), (.moments, 54),
  ])
  func `count, rate and mean take at most 64 bytes a series and bucket`(
    _ tally: TrendShape.Tally, most: Int
  ) {
    // One bucket of all groups after the other, as shards by day bring them.
    let state = TrendState(TrendShape(by: 1, tallies: [tally]), TrendClock(isWeekly: false))
    for day in 0..<90 {
      for group in 0..<500 { _ = state.slot(group: group, bucket: 20_000 + day) }
      if day > 0 { #expect(state.bytes <= 64 * state.slotCount) }
    }
    #expect(state.bytes <= most * state.slotCount, "\(state.bytes / state.slotCount)")
  }
}
