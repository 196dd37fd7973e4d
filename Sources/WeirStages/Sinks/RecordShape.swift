import Glibc
import WeirData
import WeirEngine

/// What leaves the text of a record, and what is called otherwise there.
struct RecordShape {
  private struct Key {
    /// Column of the value in the record.
    var record: Int
    /// The new key in quotes.
    var text: [UInt8]
    /// A key that the source does not know may have the new name: it makes way. `nil`: there is none.
    var searched: FieldPath?
  }
  private let cuts: [Int]
  private let keys: [Key]
  /// At most so many changes to a record.
  let count: Int

  init(_ scope: Scope) {
    cuts = scope.hasOnlyFields ? [] : scope.cuts.map(\.recordColumn)
    keys =
      scope.hasOnlyFields
      ? []
      : scope.fields.filter(\.isRenamed).compactMap { field in
        guard let record = field.recordColumn, let name = field.path.components.last else {
          return nil
        }
        var text: [UInt8] = []
        name.withUnsafeBufferPointer { appendJSONString($0, to: &text) }
        return Key(
          record: record, text: text,
          searched: scope.recordPaths.contains(field.path) ? nil : field.path)
      }
    count = cuts.count + 2 * keys.count
  }

  static func columnsRead(_ scope: Scope) -> [Int] {
    scope.hasOnlyFields
      ? []
      : scope.cuts.map(\.recordColumn)
        + scope.fields.filter(\.isRenamed).compactMap(\.recordColumn)
  }

  var isEmpty: Bool { count == 0 }

  /// Gives every change to a record.
  ///
  /// - Returns: whether nothing of it is left.
  func findChanges(
    of row: Int, in record: UnsafePointer<UInt8>, _ bytes: Int, _ batch: RecordPlaces,
    _ text: inout TextBuffer, _ take: (RecordSplicer.Change) -> Void
  ) -> Bool {
    var members: [Range<Int>] = []
    for column in cuts {
      guard let value = batch.place(of: column, row) else { continue }
      members.append(RecordText.key(of: value, in: record).lowerBound..<value.upperBound)
    }
    for key in keys {
      guard let value = batch.place(of: key.record, row) else { continue }
      let old = RecordText.key(of: value, in: record)
      let literal = text.count
      text.append(key.text)
      take(
        RecordSplicer.Change(
          start: old.lowerBound, end: old.upperBound, literal: literal, length: key.text.count))
      if let path = key.searched, let other = RecordText.find(path, in: record, bytes) {
        members.append(RecordText.key(of: other, in: record).lowerBound..<other.upperBound)
      }
    }
    guard !members.isEmpty else { return false }
    let (ranges, isEmpty) = RecordShape.ranges(of: members, in: record)
    for range in ranges {
      take(
        RecordSplicer.Change(
          start: range.lowerBound, end: range.upperBound, literal: text.count, length: 0))
    }
    return isEmpty
  }

  /// What is cut with members of objects: each takes a comma with it.
  static func ranges(
    of members: [Range<Int>], in record: UnsafePointer<UInt8>
  ) -> (ranges: [Range<Int>], isEmpty: Bool) {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
    var ranges: [Range<Int>] = []
    var isEmpty = false
    for member in members.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      var (start, end) = (member.lowerBound, member.upperBound)
      var behind = end
      while isSpace(record[behind]) { behind += 1 }
      if record[behind] == UInt8(ascii: ",") {
        end = behind + 1
        while isSpace(record[end]) { end += 1 }
        ranges.append(start..<end)
        continue
      }
      // The last of its object takes the comma in front, which may be gone with the one before.
      while true {
        if let last = ranges.last, last.upperBound == start {
          start = last.lowerBound
          ranges.removeLast()
          continue
        }
        var before = start - 1
        while isSpace(record[before]) { before -= 1 }
        if record[before] == UInt8(ascii: ",") { start = before }
        if before == 0 || record[0..<before].allSatisfy(isSpace) { isEmpty = true }
        break
      }
      ranges.append(start..<end)
    }
    return (ranges, isEmpty)
  }
}

extension UnsafePointer<UInt8> {
  fileprivate subscript(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: self + range.lowerBound, count: range.count)
  }
}

/// Where the values of a batch stand in the text of its records.
struct RecordPlaces {
  /// By column; those that were asked for.
  private var places: [UnsafeMutablePointer<ValuePlace>?] = []

  mutating func begin(_ batch: borrowing Batch, _ columns: [Int]) {
    let missing = (columns.max() ?? -1) + 1 - places.count
    if missing > 0 { places += repeatElement(nil, count: missing) }
    for column in columns {
      guard let found = batch.places(ofColumn: column) else {
        preconditionFailure("a sink said that it needs places, and the batch has none")
      }
      places[column] = found
    }
  }

  /// `nil` where the record has no such value.
  func place(of column: Int, _ row: Int) -> Range<Int>? {
    guard let place = places[column]?[row], place.length > 0 else { return nil }
    return Int(place.start)..<(Int(place.start) + Int(place.length))
  }
}

/// Finds things in the text of a record that was scanned.
enum RecordText {
  /// The key of a value, with its quotes.
  static func key(of value: Range<Int>, in record: UnsafePointer<UInt8>) -> Range<Int> {
    var at = value.lowerBound - 1
    while record[at] != UInt8(ascii: ":") { at -= 1 }
    while record[at] != UInt8(ascii: "\"") { at -= 1 }
    let end = at + 1
    repeat { at -= 1 } while record[at] != UInt8(ascii: "\"") || isEscaped(at, record)
    return at..<end
  }

  /// Whether an odd number of backslashes stands in front.
  private static func isEscaped(_ at: Int, _ record: UnsafePointer<UInt8>) -> Bool {
    var before = at - 1
    while before >= 0, record[before] == UInt8(ascii: "\\") { before -= 1 }
    return (at - 1 - before) & 1 == 1
  }

  /// Where the value of a path stands, whether a source knows it or not. Most records are found not to have
  /// it without being read.
  static func find(
    _ path: FieldPath, in record: UnsafePointer<UInt8>, _ bytes: Int
  ) -> Range<Int>? {
    let names = path.components
    // A key with escapes may be the name in another spelling.
    guard
      memchr(record, Int32(UInt8(ascii: "\\")), bytes) != nil
        || holds(record, bytes, names[names.count - 1])
    else { return nil }
    let text = UnsafeBufferPointer(start: record, count: bytes)
    var tokens = JSONTokens(text)
    // How many names lead to where the reader is, and whether the last key was the next one.
    var matched = 0
    var isNamed = false
    var start = 0
    do throws(JSONError) {
      while let token = try tokens.next() {
        let depth = tokens.depth
        switch token.kind {
        case .key:
          guard depth == matched + 1 else { continue }
          let raw = UnsafeBufferPointer(rebasing: text[token.range])
          isNamed =
            token.hasEscapes
            ? unescapeJSON(raw) == names[matched] : raw.elementsEqual(names[matched])
        case .beginObject, .beginArray:
          guard isNamed, depth == matched + 2 else { continue }
          if matched + 1 == names.count {
            start = token.range.lowerBound
          } else if token.kind == .beginObject {
            matched += 1
            isNamed = false
          }
        case .endObject, .endArray:
          if isNamed, depth == matched + 1, matched + 1 == names.count {
            return start..<token.range.upperBound
          }
          if depth == matched, matched > 0 {
            matched -= 1
            isNamed = false
          }
        case .string:
          if isNamed, depth == matched + 1, matched + 1 == names.count {
            return (token.range.lowerBound - 1)..<(token.range.upperBound + 1)
          }
        case .number, .true, .false, .null:
          if isNamed, depth == matched + 1, matched + 1 == names.count { return token.range }
        }
      }
    } catch {
      preconditionFailure("a record that was scanned is JSON")
    }
    return nil
  }

  private static func holds(
    _ record: UnsafePointer<UInt8>, _ bytes: Int, _ name: [UInt8]
  ) -> Bool {
    guard let first = name.first else { return true }
    return name.withUnsafeBufferPointer { name in
      var at = 0
      while at <= bytes - name.count {
        guard let hit = memchr(record + at, Int32(first), bytes - name.count - at + 1) else {
          return false
        }
        at = UnsafeRawPointer(hit) - UnsafeRawPointer(record)
        if memcmp(record + at, name.baseAddress!, name.count) == 0 { return true }
        at += 1
      }
      return false
    }
  }
}
