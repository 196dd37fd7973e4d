import WeirData

/// Bytes on their way from who read them to who takes them.
final class CarriedBytes: @unchecked Sendable {
  private var bytes: Bytes?

  init(_ bytes: consuming Bytes?) { self.bytes = consume bytes }

  /// `nil` where there are none, or somebody took them.
  func take() -> Bytes? { bytes.take() }
}
