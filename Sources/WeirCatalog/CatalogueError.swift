import WeirEngine

/// Why a question about past runs has no answer.
public struct CatalogueError: Error, Sendable, CustomStringConvertible {
  /// Stable, `snake_case`.
  public var code: String
  public var message: String
  /// What to do about it.
  public var fix: String

  public init(code: String, message: String, fix: String) {
    self.code = code
    self.message = message
    self.fix = fix
  }

  public var description: String { message }

  init(_ error: FileError) {
    self.init(code: "file_error", message: error.description, fix: error.fix)
  }
}
