import WeirData
import WeirEngine

/// Which rows of a file appeared, disappeared or moved since the run before.
///
/// Both files are read side by side. Rows that are equal at the same place, nearly all of them, cost
/// nothing more. Where one file has a row that the other lacks, it is passed over if the rows behind it
/// are level again, as when each group gained a day; all others wait for their other half by key. Files
/// whose rows lie far apart are gone over in several rounds, a part of the keys in each, so that what
/// waits stays within ``waitingBytesMax``.
struct TableComparison {
  /// So many rows of each sort are kept in detail; all are counted.
  static let detailed = 1_000

  struct Move {
    /// Values of the key columns.
    var key: [JSONValue]
    var column: String
    var from: JSONValue
    var to: JSONValue
  }

  let identity: RowIdentity
  var waitingBytesMax = 64 << 20
  private static let partsMax = 256
  /// What a row that waits takes beyond its text, in bytes: about that of ten cells and two entries.
  private static let rowBytes = 512

  private(set) var rowsBefore = 0
  private(set) var rowsNow = 0
  private(set) var appeared: [[JSONValue]] = []
  private(set) var disappeared: [[JSONValue]] = []
  private(set) var appearedCount = 0
  private(set) var disappearedCount = 0
  /// Rows in which a published number moved.
  private(set) var movedRows = 0
  /// Values that are no estimates, of rows that were final.
  private(set) var numbers = 0
  private(set) var provisional = 0
  private(set) var estimates = 0
  private(set) var moves: [Move] = []
  /// By column, in the order of the file.
  private(set) var columns: [(name: String, count: Int)] = []
  private(set) var columnsNew: [String] = []
  private(set) var columnsGone: [String] = []

  init(identity: RowIdentity) { self.identity = identity }

  /// - Throws: `CancellationError`; `ShardError`, `FileError`, `JSONError` where a file cannot be read.
  mutating func compare(before: String, now: String) throws {
    var parts = 1
    while true {
      var result = self
      do {
        for part in 0..<parts { try result.round(before, now, part, parts) }
        self = result
        cut()
        return
      } catch is TooManyWait {
        guard parts < TableComparison.partsMax else {
          throw CatalogueError(
            code: "too_different", message: "the rows of \(now) lie too far apart to be compared",
            fix: "compare the two files with another program")
        }
        parts *= 4
      }
    }
  }

  private struct TooManyWait: Error {}

  /// Where the columns of the comparison stand in one of the files.
  private struct Side {
    let rows: RowStream
    let keys: [Int]
    let values: [Int]
    let provisional: Int?

    func key(_ row: SplitRow) throws -> [JSONValue] { try keys.map { try row.value($0) } }
  }

  /// A column that both files have, and that is no part of the key.
  private struct Column {
    var name: String
    var isEstimate: Bool
  }

  private mutating func round(
    _ before: String, _ now: String, _ part: Int, _ parts: Int
  ) throws {
    let (old, new, names) = try open(before, now)
    var waitingOld: [[UInt8]: SplitRow] = [:]
    var waitingNew: [[UInt8]: SplitRow] = [:]
    var waitingBytes = 0
    var counts = [Int](repeating: 0, count: names.count)
    var read = 0
    let hasSameColumns = old.rows.columns.map { Array($0.utf8) }
      .elementsEqual(new.rows.columns.map { Array($0.utf8) })
    func count(_ before: [UInt8]?, _ now: [UInt8]?) {
      guard part == 0 else { return }
      rowsBefore += before == nil ? 0 : 1
      rowsNow += now == nil ? 0 : 1
    }
    func isSameRow(_ was: SplitRow, _ row: SplitRow) -> Bool {
      zip(old.keys, new.keys).allSatisfy { was.isSame($0, as: row, $1) }
    }
    while true {
      let (a, b) = (try old.rows.next(), try new.rows.next())
      if a == nil, b == nil { break }
      read += 1
      if read % 4_096 == 0, Task.isCancelled { throw CancellationError() }
      if hasSameColumns, a == b {
        count(a, b)
        continue
      }
      var was = try a.map { try old.rows.split($0) }
      var row = try b.map { try new.rows.split($0) }
      if let one = was, let other = row, hasSameColumns {
        if isSameRow(one, other) {
          // Two states of one row; nearly all that differ are met here.
          count(a, b)
          if part == 0 { try add(one, other, old, new, names, &counts) }
          continue
        }
        if let next = try new.rows.peek(), isSameRow(one, try new.rows.split(next)) {
          old.rows.putBack(one.bytes)
          was = nil
        } else if let next = try old.rows.peek(), isSameRow(try old.rows.split(next), other) {
          new.rows.putBack(other.bytes)
          row = nil
        }
      }
      count(was?.bytes, row?.bytes)
      if let was {
        let key = JSONValue.array(try old.key(was)).bytes()
        if TableComparison.part(of: key, parts) == part {
          if let other = waitingNew.removeValue(forKey: key) {
            try add(was, other, old, new, names, &counts)
          } else {
            waitingOld[key] = was
            waitingBytes += was.bytes.count + key.count + TableComparison.rowBytes
          }
        }
      }
      if let row {
        let key = JSONValue.array(try new.key(row)).bytes()
        if TableComparison.part(of: key, parts) == part {
          if let other = waitingOld.removeValue(forKey: key) {
            try add(other, row, old, new, names, &counts)
          } else {
            waitingNew[key] = row
            waitingBytes += row.bytes.count + key.count + TableComparison.rowBytes
          }
        }
      }
      guard waitingBytes > waitingBytesMax else { continue }
      // Some have left since they were counted.
      waitingBytes =
        (waitingOld.values.reduce(0) { $0 + $1.bytes.count })
        + (waitingNew.values.reduce(0) { $0 + $1.bytes.count })
        + (waitingOld.count + waitingNew.count) * TableComparison.rowBytes
      // So far that it is not counted again at each row.
      guard waitingBytes < waitingBytesMax / 2 else { throw TooManyWait() }
    }
    disappearedCount += waitingOld.count
    appearedCount += waitingNew.count
    disappeared += try waitingOld.keys.sorted { $0.lexicographicallyPrecedes($1) }
      .prefix(TableComparison.detailed).map { try old.key(waitingOld[$0]!) }
    appeared += try waitingNew.keys.sorted { $0.lexicographicallyPrecedes($1) }
      .prefix(TableComparison.detailed).map { try new.key(waitingNew[$0]!) }
    note(names, counts)
  }

  private static func part(of key: [UInt8], _ parts: Int) -> Int {
    parts == 1 ? 0 : Int(key.withUnsafeBufferPointer { xxh3($0) } % UInt64(parts))
  }

  private mutating func open(
    _ before: String, _ now: String
  ) throws -> (old: Side, new: Side, names: [Column]) {
    let (old, new) = (try RowStream(path: before), try RowStream(path: now))
    // A file without rows does not say what its columns are called.
    func named(_ mine: RowStream, _ other: RowStream) -> [String] {
      mine.columns.isEmpty ? other.columns : mine.columns
    }
    let (oldNames, newNames) = (named(old, new), named(new, old))
    let keys = Set(identity.keys.map { Array($0.utf8) })
    let shared = newNames.filter { name in
      !keys.contains(Array(name.utf8)) && oldNames.contains { same($0, name) }
    }
    columnsNew = newNames.filter { name in !oldNames.contains { same($0, name) } }
    columnsGone = oldNames.filter { name in !newNames.contains { same($0, name) } }
    func side(_ rows: RowStream, _ names: [String]) throws -> Side {
      func place(_ name: String) -> Int? { names.firstIndex { same($0, name) } }
      let keys = identity.keys.compactMap(place)
      guard keys.count == identity.keys.count || names.isEmpty else {
        throw CatalogueError(
          code: "no_key", message: "a file lacks the columns that tell its rows apart",
          fix: "nothing: it is compared again from the next run on")
      }
      return Side(
        rows: rows, keys: keys, values: shared.compactMap(place),
        provisional: identity.provisional.flatMap { place($0.column) })
    }
    let columns = shared.map { name in
      Column(name: name, isEstimate: identity.estimates.contains { same($0, name) })
    }
    return (try side(old, oldNames), try side(new, newNames), columns)
  }

  private mutating func add(
    _ was: SplitRow, _ row: SplitRow, _ old: Side, _ new: Side, _ names: [Column],
    _ counts: inout [Int]
  ) throws {
    let isProvisional =
      if let place = old.provisional, case .string(let text) = try was.value(place) {
        text.elementsEqual(identity.provisional!.text.utf8)
      } else {
        false
      }
    var moved = false
    for (i, column) in names.enumerated() {
      let (a, b) = (old.values[i], new.values[i])
      if was.isSame(a, as: row, b) { continue }
      if column.isEstimate {
        counts[i] += 1
        estimates += 1
        continue
      }
      let (from, to) = (try was.value(a), try row.value(b))
      guard from != to else { continue }
      counts[i] += 1
      if isProvisional {
        provisional += 1
        continue
      }
      numbers += 1
      moved = true
      guard moves.count < TableComparison.detailed else { continue }
      moves.append(Move(key: try new.key(row), column: column.name, from: from, to: to))
    }
    if moved { movedRows += 1 }
  }

  private mutating func note(_ names: [Column], _ counts: [Int]) {
    if columns.isEmpty {
      columns = zip(names, counts).map { ($0.name, $1) }
    } else {
      for (i, count) in counts.enumerated() { columns[i].count += count }
    }
  }

  private mutating func cut() {
    columns.removeAll { $0.count == 0 }
    appeared = Array(appeared.prefix(TableComparison.detailed))
    disappeared = Array(disappeared.prefix(TableComparison.detailed))
  }

  // MARK: JSON

  func json(sink: String, path: String) -> JSONValue {
    func key(_ values: [JSONValue]) -> JSONValue {
      .object(zip(identity.keys, values).map { JSONMember($0, $1) })
    }
    var members: [JSONMember] = [
      JSONMember("sink", .text(sink)), JSONMember("path", .text(path)),
      JSONMember("keys", .array(identity.keys.map { .text($0) })),
      JSONMember("rows_before", .int(rowsBefore)), JSONMember("rows", .int(rowsNow)),
      JSONMember("rows_appeared", .int(appearedCount)),
      JSONMember("rows_disappeared", .int(disappearedCount)),
      JSONMember("rows_moved", .int(movedRows)), JSONMember("numbers_moved", .int(numbers)),
      JSONMember("provisional_moved", .int(provisional)),
      JSONMember("estimates_moved", .int(estimates)),
      JSONMember("columns", .object(columns.map { JSONMember($0.name, .int($0.count)) })),
    ]
    if !columnsNew.isEmpty {
      members.append(JSONMember("columns_new", .array(columnsNew.map { .text($0) })))
    }
    if !columnsGone.isEmpty {
      members.append(JSONMember("columns_gone", .array(columnsGone.map { .text($0) })))
    }
    return .object(
      members + [
        JSONMember(
          "moved",
          .array(
            moves.map {
              ["key": key($0.key), "column": .text($0.column), "from": $0.from, "to": $0.to]
            })),
        JSONMember("appeared", .array(appeared.map(key))),
        JSONMember("disappeared", .array(disappeared.map(key))),
      ])
  }
}
