import Glibc
import Testing
import WeirData

@Suite struct `Memory of a batch` {
  @Test func `gives room for empty strings before all others`() {
    var arena = Arena(chunkBytes: 256)
    #expect(arena.store(UnsafeBufferPointer(start: nil, count: 0)).count == 0)
    #expect(Cell.string(arena.store(UnsafeBufferPointer(start: nil, count: 0))).text == "")
  }

  @Test func `keeps strings where they are and apart`() {
    var arena = Arena(chunkBytes: 300)
    var stored: [(UnsafeBufferPointer<UInt8>, [UInt8])] = []
    for i in 0..<500 {
      let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: i), count: i * 7 % 640)
      stored.append((bytes.withUnsafeBufferPointer { arena.store($0) }, bytes))
    }
    for (view, bytes) in stored { #expect(Array(view) == bytes) }
    _ = consume arena
  }

  @Test func `has readable zeros behind its bytes`() {
    let bytes = Bytes([1, 2, 3])
    #expect(bytes.copy() == [1, 2, 3])
    #expect((0..<Bytes.padding).allSatisfy { bytes.base[3 + $0] == 0 })
    #expect(Bytes([]).view.count == 0)
  }

  @Test func `is cleared where large buffers are used again`() {
    for capacity in [100, 16_000, 16_384, 100_000, 262_144, 5 << 20] {
      for _ in 0..<3 {
        let bytes = Bytes(capacity: capacity)
        #expect(bytes.capacity == capacity && bytes.count == 0)
        #expect((0..<Bytes.padding).allSatisfy { bytes.base[capacity + $0] == 0 })
        #expect(UInt(bitPattern: bytes.base) % 16 == 0)
        memset(bytes.base, 0xFF, capacity + Bytes.padding)
      }
      let rows = capacity / 64
      let lines = [BatchLine](
        repeating: BatchLine(start: 0, length: 0, number: 1), count: rows)
      let batch = Batch(bytes: Bytes([]), lines: lines, columnCount: 3)
      #expect(
        (0..<3).allSatisfy { column in
          batch.codes(ofColumn: column).space == 0
            && (0..<rows).allSatisfy { batch.column(column)[$0].kind == .missing }
        })
    }
  }

  @Test func `begins with all cells missing`() {
    let lines = [
      BatchLine(start: 0, length: 2, number: 1), BatchLine(start: 3, length: 1, number: 3),
    ]
    let batch = Batch(
      bytes: Bytes(Array("{}\n7".utf8)), lines: lines, columnCount: 3,
      byteOffset: 100)
    for column in 0..<3 { #expect((0..<2).allSatisfy { batch.column(column)[$0].isNull }) }
    #expect(Array(batch.text(ofRow: 1)) == Array("7".utf8))
    #expect(batch.byteOffset(ofRow: 1) == 103)
    #expect(Selection(all: batch.rowCount).rows == [0, 1])
  }
}
