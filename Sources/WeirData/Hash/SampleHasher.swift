/// A number for each key that depends on nothing but its values and a seed: who is below a limit is in
/// the sample, on every machine and every night.
public struct SampleHasher: ~Copyable {
  private var bytes = KeyBytes()
  private let seed: UInt64

  /// - Parameter seed: another one gives other numbers.
  public init(seed: UInt64) { self.seed = seed }

  /// Call before the values of a key.
  public mutating func begin() {
    bytes.clear()
    bytes.append(raw: seed.littleEndian)
  }

  /// - Returns: false where the value cannot be part of a key: null, an object or an array.
  @inline(__always)
  public mutating func add(_ cell: Cell) -> Bool {
    if cell.isNull || cell.rawKind >= CellKind.other.rawValue { return false }
    bytes.append(cell)
    return true
  }

  /// Of the values since ``begin()``: XXH3, 64 bits.
  public var hash: UInt64 { xxh3(bytes.bytes) }
}
