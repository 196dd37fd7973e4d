import WeirData
import WeirEngine

/// How fast a pipeline ran here, to say how long it will take.
public struct RunPace: Sendable {
  /// The run that it was taken from.
  public let run: String
  /// Seconds for a byte of a shard that pass 0 reads, and of one that a later pass reads.
  let first: Double
  let later: Double
  /// Seconds for all that does not grow with what is read.
  let rest: Double

  /// Wall time, in seconds.
  ///
  /// - Parameters:
  ///   - bytes: that pass 0 reads, compressed.
  ///   - bytesAgain: that later passes read.
  public func seconds(bytes: Int, bytesAgain: Int) -> Double {
    rest + first * Double(bytes) + later * Double(bytesAgain)
  }
}

extension Catalogue {
  /// Runs that are looked through for one that read something.
  private static let paceRuns = 20

  /// Taken from the last run of a pipeline that read at least one shard; `nil` where there is none.
  public func pace(of pipeline: String) throws(CatalogueError) -> RunPace? {
    let filter = RunFilter(pipeline: pipeline, status: .done, limit: Catalogue.paceRuns)
    for summary in try runs(filter) where !summary.isUnchanged {
      let details = try details(summary)
      if let pace = RunPace(details) { return pace }
    }
    return nil
  }
}

extension RunPace {
  fileprivate init?(_ details: RunDetails) {
    guard let phases = details.record["phases"] else { return nil }
    func seconds(_ name: String) -> Double { phases[name]?.asDouble ?? 0 }
    var sizes: [[UInt8]: Int] = [:]
    for shard in details.shards {
      sizes[RunPace.id(shard.source, shard.shard)] = shard.bytes
    }
    func bytes(_ isMine: (TaskRecord) -> Bool) -> Int {
      details.tasks.filter { !$0.isReused && isMine($0) }
        .reduce(0) { $0 + (sizes[RunPace.id($1.source, $1.shard)] ?? 0) }
    }
    let (first, later) = (bytes { $0.pass == 0 }, bytes { $0.pass > 0 })
    guard first > 0 else { return nil }
    run = details.summary.id
    self.first = seconds("scan") / Double(first)
    self.later = later > 0 ? seconds("later_passes") / Double(later) : 0
    rest = seconds("prepare") + seconds("barrier") + seconds("finish") + seconds("commit")
  }

  private static func id(_ source: String, _ shard: String) -> [UInt8] {
    Array(source.utf8) + [0] + Array(shard.utf8)
  }
}
