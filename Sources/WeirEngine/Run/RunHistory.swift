import WeirData

/// Who keeps the history of runs and is told of each as it goes. The run itself stands in its
/// directory; whoever listens has an index of those directories, and can make it again from them.
///
/// What a listener cannot do is a note, never a failure of the run: so each call returns notes.
public protocol RunHistory: Sendable {
  /// A run has a directory with a `run.json`. It may have no lock yet, and be turned away. Called beside
  /// the run, on a thread that may block. Nobody is told of the end: that stands in the directory.
  func began(_ id: String, directory: String) -> [String]

  /// All outputs are there and flushed, and not in place yet: what was in place before can be looked
  /// at beside them. Called under the lock of the output.
  ///
  /// - Returns: what is to be kept as `changes.json` of the run, and notes.
  /// - Throws: `CancellationError` where the run was told to stop meanwhile.
  func willPlace(
    _ outputs: PendingOutputs
  ) throws(CancellationError) -> (changes: JSONValue, notes: [String])
}

/// Outputs that are about to be swapped in.
public struct PendingOutputs: Sendable {
  public var runID: String
  /// `.weir/runs/ID`.
  public var runDirectory: String
  public var pipeline: String
  /// The output as readers name it, from the root.
  public var out: String
  /// The directory that is in place; `nil`: there is none.
  public var before: String?
  /// The directory where the new files and their manifest stand until they are swapped in.
  public var now: String
  /// What each stage found, in the order of the stages.
  public var findings: [(stage: String, findings: [JSONValue])]
}
