import Synchronization

/// Which dictionary the codes of a column's cells belong to, and how many there are.
///
/// Codes mean the same in the same space only. Spaces are numbered in the order of asking: the
/// number is for looking up what was worked out before, never for output.
@frozen public struct ColumnCodes: Sendable {
  /// 0: the cells have no codes.
  public let space: UInt32
  /// No cell of the batch has a larger code.
  public let largest: UInt16

  private static let last = Atomic<UInt32>(0)

  public init(space: UInt32, largest: UInt16) {
    self.space = space
    self.largest = largest
  }

  public static let none = ColumnCodes(space: 0, largest: 0)

  /// The number of a space that nobody else has.
  public static func makeSpace() -> UInt32 {
    last.wrappingAdd(1, ordering: .relaxed).newValue
  }
}

/// What was worked out for the coded strings of a column, so that it is worked out once for each.
///
/// A column has one space in most tasks, and a few where several scanners feed it. A worker that goes
/// from shard to shard may see many: the oldest is forgotten then.
public struct CodeMemory<Value> {
  /// Spaces that are remembered.
  @inlinable static var spacesMax: Int { 64 }

  @usableFromInline var spaces: [(space: UInt32, values: [Value])] = []
  @usableFromInline let unknown: Value

  /// - Parameter unknown: stands where nothing was worked out yet.
  @inlinable public init(unknown: Value) { self.unknown = unknown }

  /// Forgets everything.
  @inlinable public mutating func removeAll() { spaces.removeAll(keepingCapacity: true) }

  /// The values by code, 0 to the largest of `codes`, to be read and filled in place.
  @inlinable
  public mutating func withValues<Result>(
    of codes: ColumnCodes, _ body: (UnsafeMutableBufferPointer<Value>) -> Result
  ) -> Result {
    var index = spaces.firstIndex { $0.space == codes.space }
    if index == nil {
      if spaces.count == Self.spacesMax { spaces.removeFirst() }
      spaces.append((codes.space, []))
      index = spaces.count - 1
    }
    let missing = Int(codes.largest) + 1 - spaces[index!].values.count
    if missing > 0 {
      spaces[index!].values.append(contentsOf: repeatElement(unknown, count: missing))
    }
    return spaces[index!].values.withUnsafeMutableBufferPointer { body($0) }
  }
}
