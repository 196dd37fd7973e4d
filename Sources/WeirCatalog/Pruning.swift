import GRDB
import Glibc
import WeirData
import WeirEngine

/// What `weir runs prune` did.
public struct PruneResult: Sendable {
  /// The runs whose directories were removed, the oldest first.
  public var removed: [String] = []
  /// Bytes of disk that they had.
  public var bytes = 0
  /// Runs that were to go and are not: they run, or their outputs are in place.
  public var spared: [(run: String, reason: String)] = []
}

extension Catalogue {
  /// Removes the directories of old runs. Their history stays in the catalogue.
  ///
  /// - Parameters:
  ///   - keep: how many of the newest of each pipeline stay.
  ///   - pipeline: only its runs; `nil`: those of all.
  /// - Throws: where the catalogue cannot be written: it would be the only record of them.
  public func prune(keep: Int, pipeline: String?) throws(CatalogueError) -> PruneResult {
    guard isOnDisk else {
      if try runs(RunFilter()).isEmpty { return PruneResult() }
      throw CatalogueError(
        code: "no_catalogue",
        message: "nothing was removed: the history of these runs would be lost with them. "
          + notes.joined(separator: "; "),
        fix: "mend what keeps the catalogue in \(workspace.path) from being written")
    }
    do throws(FileError) {
      try clearHalfRemoved()
    } catch {
      throw CatalogueError(error)
    }
    var result = PruneResult()
    var counts: [[UInt8]: Int] = [:]
    for run in try runs(RunFilter(pipeline: pipeline)) where run.isPresent {
      counts[Array(run.pipeline.utf8), default: 0] += 1
      guard counts[Array(run.pipeline.utf8)]! > keep else { continue }
      if let reason = try reasonToKeep(run) {
        result.spared.append((run.id, reason))
        continue
      }
      do throws(FileError) {
        result.bytes += try remove(run.id)
      } catch {
        throw CatalogueError(error)
      }
      result.removed.append(run.id)
    }
    result.removed.reverse()
    do {
      try reconcile()
    } catch {
      throw CatalogueError(
        code: "catalogue_failed",
        message: "the runs are removed, but that could not be noted: \(error)",
        fix: "nothing: it is made up for the next time the catalogue is opened")
    }
    return result
  }

  private func reasonToKeep(_ run: RunSummary) throws(CatalogueError) -> String? {
    if run.status == .running { return "it runs, or nobody here can tell that it does not" }
    guard OutputPlace(run) == .inPlace, let directory = run.directory else { return nil }
    // Of several runs that came to the same outputs the last one put them there.
    let last: String?
    do {
      last = try self.run(withOutputs: directory, of: run.out)
    } catch {
      throw CatalogueError(
        code: "catalogue_failed", message: "\(error)", fix: "run `weir runs` and see what it says")
    }
    return last.map { same($0, run.id) } ?? true ? "its outputs are in place" : nil
  }

  /// A directory is renamed first, so that half of one is never taken for a run.
  private func remove(_ id: String) throws(FileError) -> Int {
    let path = joinPath(workspace.runsPath, id)
    let bytes = try treeSize(path)
    let going = joinPath(workspace.runsPath, ".removed-\(id)")
    guard rename(path, going) == 0 else {
      throw FileError(path: path, operation: "rename", code: errno)
    }
    try removeTree(going)
    return bytes
  }

  private func clearHalfRemoved() throws(FileError) {
    guard isDirectory(workspace.runsPath) else { return }
    for name in try directoryEntries(workspace.runsPath)
    where name.starts(with: ".removed-".utf8) {
      try removeTree(joinPath(workspace.runsPath, String(decoding: name, as: UTF8.self)))
    }
  }

  private func treeSize(_ path: String) throws(FileError) -> Int {
    var status = stat()
    guard lstat(path, &status) == 0 else { return 0 }
    guard status.st_mode & S_IFMT == S_IFDIR else { return Int(status.st_size) }
    var sum = 0
    for name in try directoryEntries(path) {
      sum += try treeSize(joinPath(path, String(decoding: name, as: UTF8.self)))
    }
    return sum
  }
}
