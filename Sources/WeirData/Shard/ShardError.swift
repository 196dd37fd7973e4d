import Glibc

/// Why a shard cannot be read: names the file, the byte, and what to do.
public struct ShardError: Error, Sendable, CustomStringConvertible {
  public enum Code: String, Sendable {
    case unreadable = "shard_unreadable"
    case notRegular = "shard_not_a_file"
    case empty = "shard_empty_file"
    case corrupt = "shard_corrupt"
    case truncated = "shard_truncated"
    case checksum = "shard_checksum"
    case windowTooLarge = "shard_window_too_large"
    case dictionary = "shard_dictionary"
    case format = "shard_format"
    case trailingBytes = "shard_trailing_bytes"
    case changed = "shard_changed"
    case tooManyLines = "shard_too_many_lines"
  }
  public var code: Code
  public var path: String
  /// Byte of the file as it lies on disk, where one is to blame.
  public var byte: Int?
  public var message: String
  public var fix: String
  /// Whether reading it again may work without anything being changed: its writer or its disk was not
  /// ready.
  public var isTransient: Bool
  /// What the system said, where it refused to read.
  public var systemCode: Int32?

  /// What a network file system says when it does not answer now: the same call may work in seconds.
  public static let passingCodes: Set<Int32> = [EAGAIN, EINTR, EIO, ESTALE, ETIMEDOUT]

  /// Whether it can pass within seconds, so that a run may wait for that.
  public var canPass: Bool { systemCode.map { ShardError.passingCodes.contains($0) } ?? false }

  public init(
    code: Code, path: String, byte: Int?, message: String, fix: String, isTransient: Bool = false,
    systemCode: Int32? = nil
  ) {
    self.systemCode = systemCode
    self.code = code
    self.path = path
    self.byte = byte
    self.message = message
    self.fix = fix
    self.isTransient = isTransient
  }

  public var description: String {
    let place = byte.map { " at byte \($0)" } ?? ""
    return "\(path)\(place): \(message)"
  }
}
