/// How the shards of a pass are given to the workers: runs of small shards to one of them at a time,
/// and several workers to one shard where there are no others to be had.
struct ShardUnits {
  /// Shards up to so many bytes on disk are taken together.
  static let smallBytes = 64 * 1024
  /// Most bytes and shards of such a run.
  static let runBytes = 1 << 20
  static let runShards = 128

  private var ranges: [Range<Int>] = []
  private var widths: [Int]

  var count: Int { ranges.count }
  subscript(index: Int) -> Range<Int> { ranges[index] }

  /// - Parameter states: in the order of their ordinals.
  init(_ states: [ShardState], _ options: RunOptions) {
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
    guard workers > 1 else { return }
    for (index, range) in ranges.suffix(workers).enumerated() where range.count == 1 {
      let others = min(workers, ranges.count) - index
      if states[range.lowerBound].shard.size >= options.wideShardBytes {
        widths[range.lowerBound] = workers / others
      }
    }
  }

  /// The units in the order in which to take them: those that are a lot of work first, so that the last
  /// worker is not alone with one while the others have nothing left.
  func order(isWork: (Int) -> Bool) -> [Int] {
    let work = ranges.indices.map(isWork)
    return ranges.indices.filter { work[$0] } + ranges.indices.filter { !work[$0] }
  }

  /// Workers for the steps of one shard; 0: all its steps are one worker's.
  func width(of ordinal: Int) -> Int { widths[ordinal] }
}
