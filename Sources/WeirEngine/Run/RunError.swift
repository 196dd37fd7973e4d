import WeirData

/// Why a run failed: the outputs of the last good run stand untouched.
public struct RunError: Error, Sendable, CustomStringConvertible {
  /// Stable, `snake_case`.
  public var code: String
  public var message: String
  /// What to do about it.
  public var fix: String
  /// Whether the same command may succeed later without anything being changed.
  public var isTransient: Bool
  /// The run that failed, once it has a record in the workspace.
  public internal(set) var runID: String?

  public init(code: String, message: String, fix: String, isTransient: Bool = false) {
    self.code = code
    self.message = message
    self.fix = fix
    self.isTransient = isTransient
  }

  public var description: String { message }

  /// The one error type that leaves a run.
  public init(_ error: any Error) {
    switch error {
    case let error as RunError: self = error
    case let error as ShardError:
      self.init(
        code: error.code.rawValue, message: error.description, fix: error.fix,
        isTransient: error.isTransient)
    case let error as FileError:
      self.init(
        code: "file_error", message: error.description, fix: error.fix,
        isTransient: error.isTransient)
    default:
      self.init(
        code: "internal", message: "\(error)",
        fix: "this is a fault of Weir: report it with the spec and this message")
    }
  }
}

/// The output is being written by another run.
public struct LockHeld: Error, Sendable {
  public var path: String
  /// What the holder wrote about itself: run, process, host, start and workspace.
  public var holder: String
  /// The run that was turned away.
  public internal(set) var runID: String?
}

/// The run was asked to stop.
public struct RunInterrupted: Error, Sendable {
  public internal(set) var runID: String?

  public init(runID: String? = nil) { self.runID = runID }
}
