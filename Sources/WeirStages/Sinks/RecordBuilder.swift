import WeirData
import WeirEngine

/// Writes records that have nothing but some fields, in their order. Values that no stage changed are
/// the bytes that came; one that the record does not have is left out.
final class RecordBuilder {
  private struct Edit {
    var record: Int
    var column: Int
  }
  private struct Leaf {
    /// `"name":`
    var key: [UInt8]
    var record: Int?
    var column: Int
    var isMade: Bool
    var isEdited: Bool
    /// Fields below it that were changed.
    var inner: [Edit]
  }
  private indirect enum Item {
    case leaf(Leaf)
    /// An object that holds some of the fields.
    case group(key: [UInt8], [Item])
  }
  private let items: [Item]
  private let columns: Int
  private var places = RecordPlaces()
  private let recordColumns: [Int]
  /// By column; nothing for those that are not read.
  private var cells: [UnsafeMutablePointer<Cell>?]

  init(_ scope: Scope) {
    recordColumns = scope.fields.compactMap(\.recordColumn)
    columns = (scope.fields.flatMap { [$0.writtenColumn, $0.recordColumn ?? 0] }.max() ?? 0) + 1
    cells = Array(repeating: nil, count: columns)
    let all = scope.fields
    let tops = all.filter { field in !all.contains { $0.path.contains(field.path) } }
    items = RecordBuilder.items(tops.map { ($0, $0.path.components[...]) }, all)
  }

  private static func items(
    _ fields: [(field: Scope.Field, rest: ArraySlice<[UInt8]>)], _ all: [Scope.Field]
  ) -> [Item] {
    var items: [Item] = []
    var done: Set<[UInt8]> = []
    for (field, rest) in fields {
      guard let name = rest.first, !done.contains(name) else { continue }
      var key: [UInt8] = []
      name.withUnsafeBufferPointer { appendJSONString($0, to: &key) }
      key.append(UInt8(ascii: ":"))
      if rest.count > 1 {
        done.insert(name)
        let below = fields.filter { $0.rest.first == name }.map { ($0.field, $0.rest.dropFirst()) }
        items.append(.group(key: key, RecordBuilder.items(below, all)))
        continue
      }
      let inner = all.compactMap { other -> Edit? in
        guard field.path.contains(other.path), other.isEdited, let record = other.recordColumn
        else { return nil }
        return Edit(record: record, column: other.writtenColumn)
      }
      items.append(
        .leaf(
          Leaf(
            key: key, record: field.recordColumn, column: field.writtenColumn,
            isMade: field.isMade, isEdited: field.isEdited, inner: inner)))
    }
    return items
  }

  func begin(_ batch: borrowing Batch) {
    places.begin(batch, recordColumns)
    for column in 0..<min(columns, batch.columnCount) { cells[column] = batch.column(column) }
  }

  func write(_ row: Int, _ record: UnsafePointer<UInt8>, to out: inout TextBuffer) {
    out.append(UInt8(ascii: "{"))
    _ = write(items, row, record, &out)
    out.append(UInt8(ascii: "}"))
  }

  /// - Returns: whether there was any.
  private func write(
    _ items: [Item], _ row: Int, _ record: UnsafePointer<UInt8>, _ out: inout TextBuffer
  ) -> Bool {
    var isFirst = true
    for item in items {
      let before = out.count
      if !isFirst { out.append(UInt8(ascii: ",")) }
      let isThere: Bool
      switch item {
      case .leaf(let leaf):
        out.append(leaf.key)
        isThere = write(leaf, row, record, &out)
      case .group(let key, let inner):
        out.append(key)
        out.append(UInt8(ascii: "{"))
        isThere = write(inner, row, record, &out)
        out.append(UInt8(ascii: "}"))
      }
      if isThere { isFirst = false } else { out.cut(to: before) }
    }
    return !isFirst
  }

  private func write(
    _ leaf: Leaf, _ row: Int, _ record: UnsafePointer<UInt8>, _ out: inout TextBuffer
  ) -> Bool {
    let cell = cells[leaf.column].unsafelyUnwrapped[row]
    guard let column = leaf.record else {
      guard leaf.isMade else { return false }
      out.append(json: cell)
      return true
    }
    guard let place = places.place(of: column, row) else { return false }
    if leaf.isEdited, !isSameValue(cell, cells[column].unsafelyUnwrapped[row]) {
      out.append(json: cell)
      return true
    }
    var from = place.lowerBound
    if !leaf.inner.isEmpty {
      let edits = leaf.inner.compactMap { edit -> (place: Range<Int>, cell: Cell)? in
        let (old, new) = (
          cells[edit.record].unsafelyUnwrapped[row], cells[edit.column].unsafelyUnwrapped[row]
        )
        guard let place = places.place(of: edit.record, row), !isSameValue(new, old) else {
          return nil
        }
        return (place, new)
      }
      for edit in edits.sorted(by: { $0.place.lowerBound < $1.place.lowerBound }) {
        out.append(record + from, edit.place.lowerBound - from)
        out.append(json: edit.cell)
        from = edit.place.upperBound
      }
    }
    out.append(record + from, place.upperBound - from)
    return true
  }
}
