import GRDB
import Synchronization
import WeirData
import WeirEngine

/// The index of all runs of a workspace: answers questions about past runs.
///
/// The truth about a run is its directory. The catalogue is brought in line with the directories
/// whenever it is opened, and made again from them where it is missing or damaged; what it has alone is
/// the history of runs whose directories were pruned. Where it cannot be used at all it is made in
/// memory, and says so in ``notes``.
public final class Catalogue: Sendable {
  public let workspace: Workspace
  /// False where it is in memory only: what it is told is gone with it.
  public let isOnDisk: Bool
  private let state: Mutex<State>

  private struct State {
    var queue: DatabaseQueue
    var notes: [String]
  }

  /// What a person should know about it, such as that it was made anew.
  public var notes: [String] { state.withLock { $0.notes } }

  /// - Throws: where not even the directories of the runs can be read.
  public static func open(_ workspace: Workspace) throws(CatalogueError) -> Catalogue {
    do {
      // Nothing ran here yet: asking must not make a workspace.
      guard workspace.isThere else { return try Catalogue(inMemory: workspace, notes: []) }
      do {
        let file = CatalogueFile(workspace)
        let (queue, notes) = try file.open()
        let catalogue = Catalogue(workspace, queue, notes: notes, isOnDisk: true)
        try catalogue.reconcile()
        return catalogue
      } catch let error as FileError {
        throw error
      } catch {
        return try Catalogue(inMemory: workspace, notes: [Catalogue.unusable(error)])
      }
    } catch let error as FileError {
      throw CatalogueError(error)
    } catch {
      throw CatalogueError(
        code: "catalogue_failed", message: "the catalogue cannot be made: \(error)",
        fix: "see what is wrong with \(workspace.path), and report it if nothing is")
    }
  }

  private init(_ workspace: Workspace, _ queue: DatabaseQueue, notes: [String], isOnDisk: Bool) {
    self.workspace = workspace
    self.isOnDisk = isOnDisk
    state = Mutex(State(queue: queue, notes: notes))
  }

  private convenience init(inMemory workspace: Workspace, notes: [String]) throws {
    self.init(workspace, try CatalogueFile.inMemory(), notes: notes, isOnDisk: false)
    _ = try Reconciliation(workspace: workspace).run(state.withLock { $0.queue })
  }

  private static func unusable(_ error: any Error) -> String {
    let reason =
      switch error {
      case CatalogueFile.Problem.unusable(let text), CatalogueFile.Problem.damaged(let text): text
      case CatalogueFile.Problem.newer: "a later version of Weir made it"
      case let error as DatabaseError: error.message ?? "\(error.resultCode)"
      default: "\(error)"
      }
    return
      "the catalogue cannot be used (\(reason)): this is from the directories of the runs alone, without those that were pruned"
  }

  // MARK: Reading and writing

  /// Looks at the directories again.
  public func reconcile() throws {
    _ = try retrying { try Reconciliation(workspace: workspace).run($0) }
  }

  /// Reads, or writes, with the database; where it turns out to be damaged, with a new one.
  func retrying<Result>(_ body: (DatabaseQueue) throws -> Result) throws -> Result {
    let queue = state.withLock { $0.queue }
    do {
      return try body(queue)
    } catch let error as DatabaseError {
      guard isOnDisk, case .damaged(let reason) = CatalogueFile.problem(error) else { throw error }
      let fresh: DatabaseQueue
      var note: String?
      do {
        let (replaced, isNew) = try CatalogueFile(workspace).replace(queue)
        fresh = replaced
        if isNew {
          note =
            "the catalogue was damaged (\(reason)) and was made anew from the directories of the runs"
        }
      } catch {
        // The connection is closed by now, and must not be used again.
        fresh = try CatalogueFile.inMemory()
        note = Catalogue.unusable(error)
      }
      state.withLock {
        $0.queue = fresh
        if let note { $0.notes.append(note) }
      }
      _ = try Reconciliation(workspace: workspace).run(fresh)
      return try body(fresh)
    }
  }

  /// The same, where a failure is for a person to read.
  func asking<Result>(_ body: (Database) throws -> Result) throws(CatalogueError) -> Result {
    do {
      return try retrying { queue in try queue.read { try body($0) } }
    } catch let error as CatalogueError {
      throw error
    } catch {
      throw CatalogueError(
        code: "catalogue_failed", message: Catalogue.unusable(error),
        fix: "remove \(CatalogueFile(workspace).path): it is made anew")
    }
  }
}
