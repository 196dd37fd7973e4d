import Glibc

/// One JSON line while it is written.
struct LineBuffer: ~Copyable {
  private var base: UnsafeMutablePointer<UInt8>
  private var capacity = 4096
  private(set) var count = 0

  init() { base = .allocate(capacity: capacity) }
  deinit { base.deallocate() }

  var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base, count: count) }

  mutating func removeAll() { count = 0 }

  /// Keeps the first `length` bytes.
  mutating func truncate(to length: Int) { count = min(count, length) }

  mutating func append(_ byte: UInt8) {
    reserve(1)
    base[count] = byte
    count += 1
  }

  mutating func append(_ text: StaticString) {
    let length = text.utf8CodeUnitCount
    reserve(length)
    memcpy(base + count, text.utf8Start, length)
    count += length
  }

  mutating func append(_ text: [UInt8]) {
    reserve(text.count)
    text.withUnsafeBufferPointer {
      if let from = $0.baseAddress { memcpy(base + count, from, $0.count) }
    }
    count += text.count
  }

  /// `value` in decimal, which must not be negative.
  mutating func append(decimal value: Int) {
    var width = 1
    var rest = value / 10
    while rest > 0 {
      width += 1
      rest /= 10
    }
    append(value, width: width)
  }

  /// The last `width` decimal digits of `value`, zeros in front.
  mutating func append(_ value: Int, width: Int) {
    reserve(width)
    var left = value
    for place in stride(from: width - 1, through: 0, by: -1) {
      base[count + place] = UInt8(truncatingIfNeeded: 48 + left % 10)
      left /= 10
    }
    count += width
  }

  /// The last `width` hexadecimal digits of `value`.
  mutating func append(hexadecimal value: Int, width: Int) {
    reserve(width)
    for place in 0..<width {
      let digit = UInt8(truncatingIfNeeded: value >> (4 * (width - 1 - place)) & 15)
      base[count + place] = digit < 10 ? 48 + digit : 87 + digit
    }
    count += width
  }

  private mutating func reserve(_ more: Int) {
    guard count + more > capacity else { return }
    let larger = max(2 * capacity, count + more)
    let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    memcpy(moved, base, count)
    base.deallocate()
    base = moved
    capacity = larger
  }
}
