import Synchronization
import WeirData
import WeirEngine

/// Keeps the catalogue while a run goes on, and works out what it changes.
public final class CatalogueHistory: RunHistory {
  private let workspace: Workspace
  private let state = Mutex(State())

  private struct State {
    var catalogue: Catalogue?
    var changes: ChangesSummary?
    var told = 0
  }

  public init(_ workspace: Workspace) { self.workspace = workspace }

  /// What the run changed, once its outputs are in place.
  public var changes: ChangesSummary? { state.withLock { $0.changes } }

  public func began(_ id: String, directory: String) -> [String] {
    do throws(CatalogueError) {
      let catalogue = try Catalogue.open(workspace)
      state.withLock { $0.catalogue = catalogue }
      return newNotes(catalogue)
    } catch {
      return ["the history of runs cannot be kept: \(error.message)"]
    }
  }

  public func willPlace(
    _ outputs: PendingOutputs
  ) throws(CancellationError) -> (changes: JSONValue, notes: [String]) {
    var notes: [String] = []
    let found = outputs.findings.flatMap { stage, findings in
      findings.compactMap { SeenFinding($0, stage: stage) }
    }
    let seen = Timestamp.now.rfc3339
    var known: [Lifecycle.Known] = []
    var runBefore: String?
    if let catalogue = state.withLock({ $0.catalogue }) {
      do {
        // Other runs may have ended since this one began.
        try catalogue.reconcile()
        known = try catalogue.knownFindings(out: outputs.out, before: outputs.runID)
        runBefore = try outputs.before.flatMap {
          try catalogue.run(withOutputs: $0, of: outputs.out)
        }
      } catch {
        notes.append("earlier findings are not known, all count as new: \(error)")
      }
    }
    let restatement = try Restatement(
      outputs, runBefore: runBefore,
      lifecycle: Lifecycle(found, known: known, run: outputs.runID, seen: seen))
    let json = restatement.json
    let summary = ChangesSummary(json)
    state.withLock { $0.changes = summary }
    if let catalogue = state.withLock({ $0.catalogue }) { notes += newNotes(catalogue) }
    return (json, notes + restatement.notes)
  }

  /// Those of the catalogue that were not handed on yet.
  private func newNotes(_ catalogue: Catalogue) -> [String] {
    let notes = catalogue.notes
    return state.withLock { state in
      defer { state.told = notes.count }
      return Array(notes.dropFirst(state.told))
    }
  }
}
