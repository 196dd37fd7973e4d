import CSimdjson

/// Takes the planned fields of one line with the exact reader: slow, for the few lines that the fast
/// parser refuses although they are JSON.
struct ExactRecordReader {
  enum Outcome {
    /// One value a slot, and the slot of the first planned key that stands twice, if one does.
    case object([ExactValue], doubled: Int?)
    case notAnObject
    case invalid(JSONError)
  }
  let tree: PathTree
  let text: UnsafeBufferPointer<UInt8>

  func read() -> Outcome {
    do throws(JSONError) {
      return try object()
    } catch {
      return .invalid(error)
    }
  }

  private func object() throws(JSONError) -> Outcome {
    var tokens = JSONTokens(text)
    var values = [ExactValue](repeating: .missing, count: tree.nodes.count { $0.slot >= 0 })
    var seen = [Bool](repeating: false, count: tree.nodes.count)
    // The siblings that keys are looked up among, one entry a level of nesting that is planned.
    var levels: [Range<Int>] = []
    // Depth of nesting below the innermost planned object.
    var unplanned = 0
    var pending: Int?
    var doubled: Int?
    var isObject = false
    var isFirst = true
    while let token = try tokens.next() {
      defer { isFirst = false }
      if unplanned > 0 {
        switch token.kind {
        case .beginObject, .beginArray: unplanned += 1
        case .endObject, .endArray: unplanned -= 1
        default: break
        }
        continue
      }
      switch token.kind {
      case .key:
        let raw = UnsafeBufferPointer(rebasing: text[token.range])
        let key = token.hasEscapes ? unescapeJSON(raw) : Array(raw)
        pending = key.flatMap { tree.find($0, among: levels[levels.count - 1]) }
        if let node = pending {
          if seen[node] {
            doubled = doubled ?? firstSlot(node)
            pending = nil
          }
          seen[node] = true
        }
      case .beginObject where isFirst:
        isObject = true
        levels.append(tree.roots)
      case .beginObject, .beginArray:
        if let node = pending {
          set(.nested, node, in: &values)
          pending = nil
          if token.kind == .beginObject, !tree.nodes[node].children.isEmpty {
            levels.append(tree.nodes[node].children)
            continue
          }
        }
        unplanned = 1
      case .endObject: levels.removeLast()
      case .endArray: break
      default:
        guard let node = pending else { continue }
        pending = nil
        let raw = UnsafeBufferPointer(rebasing: text[token.range])
        set(.scalar(token.kind, raw, token.hasEscapes), node, in: &values)
        if token.kind == .null { mark(.null, below: node, in: &values) }
      }
    }
    return isObject ? .object(values, doubled: doubled) : .notAnObject
  }

  private func set(_ value: ExactValue, _ node: Int, in values: inout [ExactValue]) {
    let slot = tree.nodes[node].slot
    if slot >= 0 { values[slot] = value }
  }

  /// The slot at a node or, where it has none, of the first below it.
  private func firstSlot(_ node: Int) -> Int {
    let node = tree.nodes[node]
    return node.slot >= 0 ? node.slot : firstSlot(node.children.lowerBound)
  }

  /// Sets `value` at a node and all below it.
  private func mark(_ value: ExactValue, below node: Int, in values: inout [ExactValue]) {
    set(value, node, in: &values)
    for child in tree.nodes[node].children { mark(value, below: child, in: &values) }
  }
}

/// A planned value as its text, before it is held against the declared type.
enum ExactValue {
  case missing
  case null
  case nested
  case scalar(JSONToken.Kind, UnsafeBufferPointer<UInt8>, Bool)

  /// Status of a line beyond those of the C scanner.
  static let loneSurrogateStatus = 100

  func cell(as type: FieldType, arena: inout Arena) -> (cell: Cell, status: UInt16) {
    func failed(_ status: Int, _ cell: Cell = .missing) -> (Cell, UInt16) { (cell, UInt16(status)) }
    func ok(_ cell: Cell) -> (Cell, UInt16) { (cell, UInt16(WEIR_LINE_OK)) }
    switch self {
    case .missing: return type.isNullable ? ok(.missing) : failed(WEIR_LINE_MISSING)
    case .null: return type.isNullable ? ok(.null) : failed(WEIR_LINE_MISSING, .null)
    case .nested:
      let cell = Cell(bits: 0, length: 0, kind: .other)
      return type.base == .any ? ok(cell) : failed(WEIR_LINE_WRONG_TYPE, cell)
    case .scalar(.null, _, _):
      return type.isNullable ? ok(.null) : failed(WEIR_LINE_MISSING, .null)
    case .scalar(let kind, let raw, let hasEscapes):
      switch kind {
      case .true, .false:
        let cell = Cell.bool(kind == .true)
        return type.base == .any || type.base == .bool
          ? ok(cell) : failed(WEIR_LINE_WRONG_TYPE, cell)
      case .string:
        guard let bytes = hasEscapes ? unescapeJSON(raw) : Array(raw) else {
          return failed(ExactValue.loneSurrogateStatus)
        }
        let cell = bytes.withUnsafeBufferPointer { Cell.string(arena.store($0)) }
        return [.any, .string, .timestamp].contains(type.base)
          ? ok(cell) : failed(WEIR_LINE_WRONG_TYPE, cell)
      default:
        return number(raw, as: type)
      }
    }
  }

  private func number(
    _ raw: UnsafeBufferPointer<UInt8>, as type: FieldType
  ) -> (cell: Cell, status: UInt16) {
    let text = String(decoding: raw, as: UTF8.self)
    let isInteger = !raw.contains { [0x2E, 0x65, 0x45].contains($0) }
    let whole = isInteger ? Int64(text) : nil
    // Integers are rounded from their value, as the fast parser does: -0 is 0.
    let real = whole.map(Double.init) ?? Double(text).flatMap { $0.isFinite ? $0 : nil }
    let exact: Cell? = whole.map(Cell.int) ?? (isInteger ? nil : real.map(Cell.number))
    switch type.base {
    case .number: return real.map { (.number($0), UInt16(WEIR_LINE_OK)) } ?? outOfRange
    case .any: return exact.map { ($0, UInt16(WEIR_LINE_OK)) } ?? outOfRange
    case .int where isInteger: return whole.map { (.int($0), UInt16(WEIR_LINE_OK)) } ?? outOfRange
    default: return (exact ?? .numberBeyond64Bits, UInt16(WEIR_LINE_WRONG_TYPE))
    }
  }

  private var outOfRange: (Cell, UInt16) {
    (.numberBeyond64Bits, UInt16(WEIR_LINE_OUT_OF_RANGE))
  }
}

extension Cell {
  /// What the C scanner makes of an integer over int64. It never leaves a scan.
  static var numberBeyond64Bits: Cell { Cell(bits: 0, length: 1, kind: .other) }
  var isNumberBeyond64Bits: Bool { kind == .other && bits == 0 && length == 1 }
}
