/// Memory for one value a row, kept from batch to batch.
public struct RowMemory<Element: BitwiseCopyable>: ~Copyable {
  @usableFromInline var base: UnsafeMutablePointer<Element>
  @usableFromInline var capacity: Int

  @inlinable public init() {
    capacity = 1
    base = .allocate(capacity: 1)
  }

  @inlinable deinit { base.deallocate() }

  /// Room for `count` values, uninitialised; the values of the call before are gone.
  @inlinable
  public mutating func take(_ count: Int) -> UnsafeMutablePointer<Element> {
    if count > capacity {
      base.deallocate()
      capacity = max(count, capacity * 2)
      base = .allocate(capacity: capacity)
    }
    return base
  }
}
