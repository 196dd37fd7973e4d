/// How the shards of a pass are given to the workers: runs of small shards to one of them at a time,
/// and several workers to one shard where there are no others to be had.
struct ShardUnits {
  /// Shards up to so many bytes on disk are taken together.
  static let smallBytes = 64 * 1024
  /// Most bytes and shards of such a run.
  static let runBytes = 1 << 20
  static let runShards = 128

  /// From so many workers for a shard on it is given to several: handing it from one to the other takes a
  /// quarter more of their time than one alone does.
  private static let sharedFrom = 1.5

  private var ranges: [Range<Int>] = []
  /// The units in the order in which to take them: those that are a lot of work first, so that the last
  /// worker is not alone with one while the others have nothing left.
  private(set) var order: [Int] = []
  private var widths: [Int]

  var count: Int { ranges.count }
  subscript(index: Int) -> Range<Int> { ranges[index] }

  /// - Parameters:
  ///   - states: in the order of their ordinals.
  ///   - isWork: whether more is to be done for a shard than to look up what is known of it.
  init(_ states: [ShardState], _ options: RunOptions, isWork: (ShardState) -> Bool) {
    let workers = options.workers
    widths = Array(repeating: 0, count: states.count)
    // Small shards are enough for all workers before they are taken together.
    let runShards = min(ShardUnits.runShards, max(1, states.count / (workers * 4)))
    var at = 0
    while at < states.count {
      var end = at
      var bytes = 0
      while end < states.count, end - at < runShards,
        states[end].shard.size <= ShardUnits.smallBytes,
        bytes + states[end].shard.size <= ShardUnits.runBytes
      {
        bytes += states[end].shard.size
        end += 1
      }
      end = max(end, at + 1)
      ranges.append(at..<end)
      at = end
    }
    let work = ranges.map { states[$0].contains(where: isWork) }
    let first = ranges.indices.filter { work[$0] }
    order = first + ranges.indices.filter { !work[$0] }
    // Where nothing seems to be work, all may be.
    let working = first.isEmpty ? order : first
    let sizes = working.map { states[ranges[$0]].reduce(0) { $0 + $1.shard.size } }
    for (place, width) in ShardUnits.widths(sizes, workers: workers) {
      let range = ranges[working[place]]
      guard range.count == 1, sizes[place] >= options.wideShardBytes else { continue }
      widths[range.lowerBound] = width
    }
  }

  /// Units for which there are several workers, and how many: where each is taken by the first worker that
  /// is free and takes as long as it is large, they run while others have nothing left.
  ///
  /// - Parameter sizes: in the order in which the units are taken.
  static func widths(_ sizes: [Int], workers: Int) -> [(place: Int, width: Int)] {
    guard workers > 1 else { return [] }
    // By worker: when it has nothing left, and its last unit.
    var free = Array(repeating: 0, count: workers)
    var last: [Int?] = Array(repeating: nil, count: workers)
    for (place, size) in sizes.enumerated() {
      let worker = free.indices.min { free[$0] < free[$1] }!
      free[worker] += size
      last[worker] = place
    }
    // All are busy until the first has nothing left, and each last unit began before.
    return free.indices.compactMap { worker in
      guard let place = last[worker], sizes[place] > 0 else { return nil }
      let (end, start) = (free[worker], free[worker] - sizes[place])
      let busy = free.reduce(0) { $0 + max(0, min($1, end) - start) }
      let share = Double(workers * sizes[place]) / Double(busy)
      return share < sharedFrom ? nil : (place, Int(share.rounded()))
    }
  }

  /// Workers for the steps of one shard; 0: all its steps are one worker's.
  func width(of ordinal: Int) -> Int { widths[ordinal] }
}
