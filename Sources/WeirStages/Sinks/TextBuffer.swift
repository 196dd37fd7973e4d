import Glibc
import WeirData
import WeirEngine

/// Text that grows while it is written.
///
/// A plain pointer and not an array: nothing is checked or counted for a byte, and the memory goes on
/// to the disk without a copy.
struct TextBuffer: ~Copyable {
  private var bytes: Bytes?
  /// Of ``bytes``, so that no optional is looked through for each byte.
  private var start: UnsafeMutablePointer<UInt8>?
  private var capacity = 0
  private(set) var count = 0
  /// How much memory it begins with.
  var firstBytes = 16 * 1024

  init() {}

  var isEmpty: Bool { count == 0 }
  /// Good until the next byte is added.
  var base: UnsafeMutablePointer<UInt8> { start.unsafelyUnwrapped }
  var view: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }

  /// Empties it and keeps the memory.
  mutating func clear() { count = 0 }

  /// Takes away what stands behind the first `count` bytes.
  mutating func cut(to count: Int) { self.count = count }

  /// Makes room for `more` bytes.
  @inline(__always)
  mutating func reserve(_ more: Int) {
    if capacity &- count < more { grow(more) }
  }

  @inline(never)
  private mutating func grow(_ more: Int) {
    var size = max(firstBytes, capacity * 2)
    while size - count < more { size *= 2 }
    let larger = Bytes(capacity: size)
    if let start { memcpy(larger.base, start, count) }
    start = larger.base
    capacity = size
    bytes = consume larger
  }

  /// `more` bytes at the end, to be written by the caller.
  @inline(__always)
  mutating func extend(by more: Int) -> UnsafeMutablePointer<UInt8> {
    reserve(more)
    let place = start.unsafelyUnwrapped + count
    count &+= more
    return place
  }

  /// Where the next byte goes; good where there is room for it.
  var end: UnsafeMutablePointer<UInt8> { start.unsafelyUnwrapped + count }

  /// Takes `bytes` in that were written to ``end``.
  mutating func add(_ bytes: Int) { count &+= bytes }

  @inline(__always)
  mutating func append(_ byte: UInt8) {
    reserve(1)
    start.unsafelyUnwrapped[count] = byte
    count &+= 1
  }

  @inline(__always)
  mutating func append(_ from: UnsafePointer<UInt8>, _ bytes: Int) {
    memcpy(extend(by: bytes), from, bytes)
  }

  mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    if let from = bytes.baseAddress { append(from, bytes.count) }
  }

  mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBufferPointer { append($0) } }

  /// For words of ASCII.
  mutating func append(_ word: StaticString) { append(word.utf8Start, word.utf8CodeUnitCount) }

  /// Hands on the text, if there is any; what is left is empty.
  mutating func takeText() -> PieceText? {
    guard count > 0, var text = bytes.take() else { return nil }
    text.count = count
    start = nil
    capacity = 0
    count = 0
    return PieceText(text)
  }
}
