import Glibc
import WeirData
import WeirEngine

/// Text that grows while it is written.
///
/// A plain pointer and not an array: nothing is checked or counted for a byte, and the memory goes on
/// to the disk without a copy.
struct TextBuffer: ~Copyable {
  private static let firstBytes = 16 * 1024

  private var start: UnsafeMutablePointer<UInt8>?
  private var capacity = 0
  private(set) var count = 0

  init() {}

  deinit { free(start) }

  var isEmpty: Bool { count == 0 }
  /// Good until the next byte is added.
  var base: UnsafeMutablePointer<UInt8> { start.unsafelyUnwrapped }
  var view: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }

  /// Empties it and keeps the memory.
  mutating func clear() { count = 0 }

  /// Takes back what was added since it had `count` bytes.
  mutating func cut(to count: Int) {
    assert(count <= self.count)
    self.count = count
  }

  /// Makes room for `more` bytes.
  @inline(__always)
  mutating func reserve(_ more: Int) {
    if capacity &- count < more { grow(more) }
  }

  @inline(never)
  private mutating func grow(_ more: Int) {
    var size = max(capacity, TextBuffer.firstBytes / 2)
    while size - count < more { size *= 2 }
    size = max(size, TextBuffer.firstBytes)
    guard let larger = realloc(start, size) else { fatalOutOfMemory(size) }
    start = larger.assumingMemoryBound(to: UInt8.self)
    capacity = size
  }

  /// `more` bytes at the end, to be written by the caller.
  @inline(__always)
  mutating func extend(by more: Int) -> UnsafeMutablePointer<UInt8> {
    reserve(more)
    let place = start.unsafelyUnwrapped + count
    count &+= more
    return place
  }

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

  /// Takes a block of `memory` where this has none, if there is one.
  mutating func warm(from memory: PieceMemory) {
    guard start == nil, let block = memory.take() else { return }
    start = block
    capacity = memory.blockBytes
  }

  /// Hands on the text; what is left is empty.
  mutating func takeText(backTo memory: PieceMemory) -> PieceText? {
    guard let start else { return nil }
    let text = PieceText(start, count: count, capacity: capacity, memory: memory)
    self.start = nil
    capacity = 0
    count = 0
    return text
  }
}

private func fatalOutOfMemory(_ bytes: Int) -> Never {
  preconditionFailure("no memory for \(bytes) bytes")
}
