import WeirData

/// A JSON object as its fields, down to what is no object, each with its text.
public struct FlatRecord: Sendable {
  public private(set) var fields: [(path: FieldPath, text: [UInt8])] = []
  /// Where the text of each stands; of an empty object at its end.
  private(set) var ranges: [Range<Int>] = []

  /// `nil` where the text is no JSON object.
  public init?(_ text: [UInt8]) {
    guard text.first(where: { $0 != 0x20 && $0 != 0x09 }) == UInt8(ascii: "{") else { return nil }
    do throws(JSONError) {
      try text.withUnsafeBufferPointer { bytes throws(JSONError) in try read(bytes) }
    } catch {
      return nil
    }
  }

  private mutating func read(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONError) {
    var tokens = JSONTokens(bytes)
    var path: [[UInt8]] = []
    /// Of each object whose end was not seen: how many fields there were before it.
    var open: [Int] = []
    var arrays = 0
    var arrayStart = 0
    func add(_ range: Range<Int>) {
      fields.append((FieldPath(components: path), Array(bytes[range])))
      ranges.append(range)
      path.removeLast()
    }
    while let token = try tokens.next() {
      switch token.kind {
      case .beginArray:
        if arrays == 0 { arrayStart = token.range.lowerBound }
        arrays += 1
      case .endArray:
        arrays -= 1
        if arrays == 0 { add(arrayStart..<token.range.upperBound) }
      case _ where arrays > 0: continue
      case .beginObject: open.append(fields.count)
      case .endObject:
        let before = open.removeLast()
        guard !path.isEmpty else { continue }
        if fields.count == before {
          fields.append((FieldPath(components: path), Array("{}".utf8)))
          ranges.append(token.range.upperBound..<token.range.upperBound)
        }
        path.removeLast()
      case .key:
        let raw = UnsafeBufferPointer(rebasing: bytes[token.range])
        path.append(token.hasEscapes ? unescapeJSON(raw) ?? Array(raw) : Array(raw))
      case .string: add((token.range.lowerBound - 1)..<(token.range.upperBound + 1))
      default: add(token.range)
      }
    }
  }
}

/// A field of a record in front of a stage and behind it.
public struct FieldChange: Sendable {
  public enum Kind: String, Sendable { case same, changed, added, removed }
  public var field: String
  /// JSON text; `nil` where the record does not have it.
  public var before: [UInt8]?
  public var after: [UInt8]?
  /// Whether the stage looks at it.
  public var isRead: Bool

  public var kind: Kind {
    switch (before, after) {
    case (nil, _): .added
    case (_, nil): .removed
    default: before == after ? .same : .changed
    }
  }

  /// The fields of both, in the order of the first; new ones behind.
  ///
  /// - Parameter read: fields that the stage looks at.
  static func all(
    before: [UInt8], after: [UInt8], read: Set<FieldPath>
  ) -> [FieldChange] {
    let (old, new) = (FlatRecord(before)?.fields ?? [], FlatRecord(after)?.fields ?? [])
    var rest: [FieldPath: [[UInt8]]] = [:]
    for field in new { rest[field.path, default: []].append(field.text) }
    func isRead(_ path: FieldPath) -> Bool {
      read.contains { $0 == path || path.components.starts(with: $0.components) }
    }
    var changes: [FieldChange] = []
    for field in old {
      var after: [UInt8]?
      if rest[field.path]?.isEmpty == false { after = rest[field.path]!.removeFirst() }
      changes.append(
        FieldChange(
          field: field.path.text, before: field.text, after: after, isRead: isRead(field.path)))
    }
    for field in new where rest[field.path]?.isEmpty == false {
      changes.append(
        FieldChange(
          field: field.path.text, before: nil, after: rest[field.path]!.removeFirst(),
          isRead: isRead(field.path)))
    }
    return changes
  }
}
