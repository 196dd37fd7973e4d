import WeirData

/// How the text of a piece is to stand on disk.
public enum PieceEncoding: Sendable, Hashable {
  /// As it is.
  case plain
  /// As one zstd frame.
  case zstd(ZstdSettings)

  /// `bytes` as they are to stand on disk.
  public func encode(_ bytes: [UInt8]) -> [UInt8] {
    switch self {
    case .plain: bytes
    case .zstd(let settings): ZstdEncoder(settings).frame(bytes)
    }
  }
}

/// Text that a sink hands on: nobody writes to it any more.
public final class PieceText: Sendable {
  private let bytes: Bytes

  public init(_ bytes: consuming Bytes) { self.bytes = bytes }

  /// Good as long as this value lives.
  public var view: UnsafeBufferPointer<UInt8> { bytes.view }
}
