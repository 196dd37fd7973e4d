import WeirData

/// Writes the table of an entry: numbers with 7 bits a byte, lowest first; texts with their length.
struct EntryWriter {
  private(set) var bytes: [UInt8] = []

  /// - Parameter capacity: bytes that it will probably have.
  init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

  mutating func put(_ number: Int) {
    var rest = UInt64(bitPattern: Int64(number))
    while rest > 127 {
      bytes.append(UInt8(rest & 127) | 128)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func put(_ text: [UInt8]) {
    put(text.count)
    bytes += text
  }

  mutating func put(_ text: String) { put(Array(text.utf8)) }

  mutating func put(_ words: [UInt64]) {
    put(words.count)
    for word in words { withUnsafeBytes(of: word.littleEndian) { bytes += $0 } }
  }

  mutating func put<Element>(
    list: some Collection<Element>, _ each: (inout EntryWriter, Element) -> Void
  ) {
    put(list.count)
    for element in list { each(&self, element) }
  }
}

/// An entry that does not read as one: it is made again.
struct EntryError: Error {}

/// Reads such a table, never beyond its end.
struct EntryReader {
  private let bytes: ArraySlice<UInt8>
  private var at: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    at = bytes.startIndex
  }

  var isAtEnd: Bool { at == bytes.endIndex }

  mutating func number() throws(EntryError) -> Int {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while at < bytes.endIndex, shift < 64 {
      let byte = bytes[at]
      at += 1
      value |= UInt64(byte & 127) << shift
      if byte < 128 { return Int(Int64(bitPattern: value)) }
      shift += 7
    }
    throw EntryError()
  }

  /// A number of things that take at least a byte each.
  mutating func count() throws(EntryError) -> Int {
    let count = try number()
    guard (0...(bytes.endIndex - at)).contains(count) else { throw EntryError() }
    return count
  }

  /// A number below `end`.
  mutating func index(below end: Int) throws(EntryError) -> Int {
    let index = try number()
    guard (0..<end).contains(index) else { throw EntryError() }
    return index
  }

  mutating func text() throws(EntryError) -> [UInt8] {
    let count = try count()
    defer { at += count }
    return Array(bytes[at..<(at + count)])
  }

  mutating func string() throws(EntryError) -> String {
    String(decoding: try text(), as: UTF8.self)
  }

  mutating func words() throws(EntryError) -> [UInt64] {
    let count = try count()
    guard count <= (bytes.endIndex - at) / 8 else { throw EntryError() }
    var words: [UInt64] = []
    words.reserveCapacity(count)
    for _ in 0..<count {
      var word: UInt64 = 0
      for i in 0..<8 { word |= UInt64(bytes[at + i]) << UInt64(8 * i) }
      words.append(word)
      at += 8
    }
    return words
  }

  mutating func list<Element>(
    _ each: (inout EntryReader) throws(EntryError) -> Element
  ) throws(EntryError) -> [Element] {
    let count = try count()
    var elements: [Element] = []
    elements.reserveCapacity(count)
    for _ in 0..<count { elements.append(try each(&self)) }
    return elements
  }
}
