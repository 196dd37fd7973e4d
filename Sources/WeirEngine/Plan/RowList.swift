import WeirData

/// The rows of a table: kept, or each made when it is asked for.
///
/// A stage that has what its rows say in a smaller form hands on that form: as values a row of twelve
/// columns takes half a kilobyte, and where no sink writes the table none is made.
public struct RowList: RandomAccessCollection, ExpressibleByArrayLiteral, Sendable {
  private enum Storage {
    case kept([[JSONValue]])
    case made(count: Int, @Sendable (Int) -> [JSONValue])
  }
  private var storage: Storage

  public init(_ rows: [[JSONValue]] = []) { storage = .kept(rows) }

  public init(arrayLiteral rows: [JSONValue]...) { self.init(rows) }

  /// - Parameter make: the row of a place, the same whenever it is asked.
  public init(count: Int, _ make: @escaping @Sendable (Int) -> [JSONValue]) {
    storage = .made(count: count, make)
  }

  public var startIndex: Int { 0 }
  public var endIndex: Int {
    switch storage {
    case .kept(let rows): rows.count
    case .made(let count, _): count
    }
  }

  public subscript(place: Int) -> [JSONValue] {
    switch storage {
    case .kept(let rows): return rows[place]
    case .made(let count, let make):
      precondition(place >= 0 && place < count, "a row of the table")
      return make(place)
    }
  }

  /// Adds a row behind those that are kept; rows that are made when asked for are kept from then on.
  public mutating func append(_ row: [JSONValue]) {
    var rows = takeKept()
    rows.append(row)
    storage = .kept(rows)
  }

  public mutating func reserveCapacity(_ count: Int) {
    var rows = takeKept()
    rows.reserveCapacity(count)
    storage = .kept(rows)
  }

  /// Leaves nothing behind, so that what is taken is not copied when it is changed.
  private mutating func takeKept() -> [[JSONValue]] {
    defer { storage = .kept([]) }
    switch storage {
    case .kept(let rows): return rows
    case .made: return Array(self)
    }
  }
}
