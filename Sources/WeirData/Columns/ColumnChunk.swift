import CXXHash

/// The encoded form of some rows of some columns: what is kept in memory between two passes, set
/// aside on disk, and kept from run to run. It is a function of the rows alone, and in the chunks of
/// one sequence it does not matter in which batches the rows came.
///
/// Little-endian throughout. A sequence has ``ColumnChunk/rows`` rows in each chunk but the last.
///
///     header    u32 magic, u32 bytes behind the header, u64 XXH3 of them
///     chunk     u32 rows, u32 columns, u32 first line, u8 form of lines, u8 width, u8 1 where offsets
///               follow, u8 0
///     lines     form 0: u32 count, then (u32 row, u32 gap) for the rows that are not on the line behind
///               the one before; form 1: gaps of all rows but the first, `width` bytes each
///     offsets   u64 byte offset of the first row, u8 width, the distances of all other rows from the row
///               before, `width` bytes each
///     column    u32 new strings, u32 length of each, their bytes    (numbered on from those before)
///               u16 set of kinds (bit `Cell.rawKind`, `plainString` or `plainObject`)
///               u8 width of codes, u8 width of lengths, u8 width of values, u8 0
///               i64 base of values, u32 bytes of plain strings
///               kinds: 1, 2 or 4 bits a row, lowest first, as places in the set; none for one kind
///               codes, lengths, values: `width` bytes a row (rows of another kind have 0)
///               plain strings, and the texts of plain objects, in the order of the rows
enum ColumnChunk {
  /// "WCC" and the version of the form.
  static let magic: UInt32 = 0x0243_4357
  static let headerBytes = 16
  /// Rows of a chunk: what is staged of 6 columns then takes half of a second-level cache.
  static let rows = 8_192
  /// A string that the dictionary does not have, in place of `CellKind.string`.
  static let plainString: UInt8 = 8
  /// An object or array with its text, in place of `CellKind.other`.
  static let plainObject: UInt8 = 9
  static let kinds = 10

  /// Strings in the dictionary of a column, and their bytes; what comes after stays plain.
  static let dictionaryMax = 16_384
  static let dictionaryBytesMax = 1 << 20
  /// Longer strings are not worth a place in it.
  static let stringBytesMax = 1_024

  /// Bits a row to tell so many kinds apart.
  static func bits(kinds: Int) -> Int {
    switch kinds {
    case ...1: 0
    case 2: 1
    case 3...4: 2
    default: 4
    }
  }

  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    XXH3_64bits(bytes.baseAddress, bytes.count)
  }
}

/// Bytes that are not what ``ColumnChunkWriter`` wrote.
public struct ChunkError: Error, Sendable, CustomStringConvertible {
  /// What is wrong.
  public var description: String

  public init(_ description: String) { self.description = description }
}
