import Glibc
import WeirData

/// The operations over rows. `out` has an entry for each of `rows`, in order.
extension ExpressionEvaluator {
  // MARK: - Values

  /// The values of any operation: where they already are, or computed into scratch.
  mutating func operand(_ index: Program.Index, _ rows: Rows) -> Operand {
    let operation = program.operations[index]
    switch operation {
    case .constant(let slot):
      return Operand(base: program.constants.address(slot), layout: .constant)
    case .column(let slot): return Operand(base: columns[slot], layout: .byRow)
    default: break
    }
    let out = scratch.cells(rows.count)
    if operation.isTruth {
      let mark = scratch.mark()
      let codes = scratch.codes(rows.count)
      truth(index, rows, codes)
      for i in 0..<rows.count {
        out[i] = codes[i].isFailure ? .failure(codes[i]) : .bool(codes[i] == TruthCode.true)
      }
      scratch.release(mark)
    } else {
      let mark = scratch.mark()
      values(index, rows, out)
      scratch.release(mark)
    }
    return Operand(base: out, layout: .dense)
  }

  private mutating func values(
    _ index: Program.Index, _ rows: Rows, _ out: UnsafeMutablePointer<Cell>
  ) {
    let base = FailureKind.base(of: program.parts[index])
    switch program.operations[index] {
    case .arithmetic(let operation, let a, let b):
      let a = operand(a, rows)
      let b = operand(b, rows)
      if operation == .add { noteText() }  // of `any`, it may be text
      for i in 0..<rows.count {
        out[i] = Semantics.arithmetic(
          operation, a.cell(i, rows), b.cell(i, rows), failing: base, &strings)
      }
    case .negate(let a):
      let a = operand(a, rows)
      for i in 0..<rows.count { out[i] = Semantics.negate(a.cell(i, rows), failing: base) }
    case .size(let a):
      let a = operand(a, rows)
      for i in 0..<rows.count { out[i] = Semantics.size(a.cell(i, rows), failing: base) }
    case .convert(let conversion, let a):
      let a = operand(a, rows)
      for i in 0..<rows.count {
        out[i] = Semantics.convert(conversion, a.cell(i, rows), failing: base)
      }
    case .datePart(let part, let a, let zone):
      let a = operand(a, rows)
      Semantics.dateParts(part, a, rows, zone, failing: base, out)
    case .concatenate(let operands, let parts):
      noteText()
      concatenate(operands, parts, rows, out)
    case .general(let part, _, isTruth: false):
      noteText()
      for i in 0..<rows.count { out[i] = general(part, rows.base[i], base) }
    case .conditional(let test, let yes, let no):
      let codes = scratch.codes(rows.count)
      truth(test, rows, codes)
      for i in 0..<rows.count where codes[i].isFailure { out[i] = .failure(codes[i]) }
      for (branch, code) in [(yes, TruthCode.true), (no, TruthCode.false)] {
        let mark = scratch.mark()
        let (part, positions) = narrow(rows) { codes[$0] == code }
        if part.count > 0 {
          let values = operand(branch, part)
          for i in 0..<part.count { out[Int(positions[i])] = values.cell(i, part) }
        }
        scratch.release(mark)
      }
    case .constant, .column, .all, .any, .not, .equal, .order, .isInSet, .isInList, .text,
      .isPresent, .matches, .general:
      let operand = self.operand(index, rows)
      for i in 0..<rows.count { out[i] = operand.cell(i, rows) }
    }
  }

  private mutating func concatenate(
    _ operands: [Program.Index], _ parts: [Tree.Index], _ rows: Rows,
    _ out: UnsafeMutablePointer<Cell>
  ) {
    let values = operands.map { operand($0, rows) }
    let string = CellKind.string.rawValue
    values.withUnsafeBufferPointer { values in
      for i in 0..<rows.count {
        var length = 0
        var isText = true
        for value in values {
          let cell = value.cell(i, rows)
          isText = isText && cell.rawKind == string
          length &+= Int(cell.length)
        }
        guard isText, length > 0, length <= ExpressionLimits.stringBytes else {
          out[i] = odd(values, parts, i, rows)
          continue
        }
        let start = strings.allocate(length)
        var to = start
        for value in values {
          let cell = value.cell(i, rows)
          let count = Int(cell.length)
          if let from = cell.stringBytes.baseAddress { copy(from, count, to: to) }
          to += count
        }
        out[i] = .string(UnsafeBufferPointer(start: start, count: length))
      }
    }
  }

  /// What strings come to that are empty, too long, or not all strings.
  @inline(never)
  private func odd(
    _ values: UnsafeBufferPointer<Operand>, _ parts: [Tree.Index], _ row: Int, _ rows: Rows
  ) -> Cell {
    var length = 0
    for (place, value) in values.enumerated() {
      let cell = value.cell(row, rows)
      let base = FailureKind.base(of: parts[place])
      if cell.isFailure { return cell }
      if cell.kind != .string {
        let null: FailureKind = place == 0 ? .leftNull : .rightNull
        return .failure(base + (cell.isNull ? null : .wrongType).rawValue)
      }
      length += Int(cell.length)
      if length > ExpressionLimits.stringBytes {
        return .failure(base + FailureKind.tooLong.rawValue)
      }
    }
    return .string(UnsafeBufferPointer(start: nil, count: 0))
  }

  /// The cell of a part that is computed for one record. What has no cell of its own becomes the text
  /// or the JSON that a record can hold.
  private mutating func general(_ part: Tree.Index, _ row: UInt32, _ base: UInt32) -> Cell {
    guard let records else { return .failure(base + FailureKind.refused.rawValue) }
    do throws(Failed) {
      let value = try records.value(part, ofRow: Int(row))
      do throws(FailureKind) {
        return try value.cell(storedIn: &strings)
      } catch { return .failure(base + error.rawValue) }
    } catch { return .failure(error.number) }
  }

  /// The rows that `keep`, and their positions in `rows`.
  private mutating func narrow(
    _ rows: Rows, _ keep: (Int) -> Bool
  ) -> (Rows, UnsafeMutablePointer<UInt32>) {
    let kept = scratch.codes(rows.count)
    let positions = scratch.codes(rows.count)
    var count = 0
    for i in 0..<rows.count {
      kept[count] = rows.base[i]
      positions[count] = UInt32(truncatingIfNeeded: i)
      if keep(i) { count += 1 }
    }
    return (Rows(base: kept, count: count), positions)
  }

  // MARK: - Truth

  mutating func truth(
    _ index: Program.Index, _ rows: Rows, _ out: UnsafeMutablePointer<TruthCode>
  ) {
    let mark = scratch.mark()
    defer { scratch.release(mark) }
    if let slot = program.onlyColumn[index], columnCodes[slot].space != 0 {
      truthByCode(index, slot, rows, out)
    } else {
      computeTruth(index, rows, out)
    }
  }

  /// Looks up what the operation was for the code of each row, and computes it only for the rows
  /// whose code is new, or which have none.
  private mutating func truthByCode(
    _ index: Program.Index, _ slot: Int, _ rows: Rows, _ out: UnsafeMutablePointer<TruthCode>
  ) {
    let cells = columns[slot]
    let open = scratch.codes(rows.count)
    let positions = scratch.codes(rows.count)
    var count = 0
    truthsByCode[index].withValues(of: columnCodes[slot]) { known in
      for i in 0..<rows.count {
        // Nothing is ever known of code 0.
        out[i] = known[Int(cells[Int(rows.base[i])].code)]
        if out[i] == .unknown {
          open[count] = rows.base[i]
          positions[count] = UInt32(truncatingIfNeeded: i)
          count &+= 1
        }
      }
    }
    guard count > 0 else { return }
    let answers = scratch.codes(count)
    computeTruth(index, Rows(base: open, count: count), answers)
    truthsByCode[index].withValues(of: columnCodes[slot]) { known in
      for i in 0..<count {
        out[Int(positions[i])] = answers[i]
        let code = Int(cells[Int(open[i])].code)
        if code > 0 { known[code] = answers[i] }
      }
    }
  }

  private mutating func computeTruth(
    _ index: Program.Index, _ rows: Rows, _ out: UnsafeMutablePointer<TruthCode>
  ) {
    let mark = scratch.mark()
    defer { scratch.release(mark) }
    let base = FailureKind.base(of: program.parts[index])
    switch program.operations[index] {
    case .all(let operands): logic(operands, rows, out, decides: TruthCode.false)
    case .any(let operands): logic(operands, rows, out, decides: TruthCode.true)
    case .not(let a):
      truth(a, rows, out)
      for i in 0..<rows.count where !out[i].isFailure { out[i] ^= 1 }
    case .equal(let a, let b, let isNegated): equal(a, b, rows, out, base, isNegated)
    case .order(let order, let a, let b): self.order(order, a, b, rows, out, base)
    case .isInSet(let a, let slot):
      let a = operand(a, rows)
      program.sets[slot].withLookup { set in
        for i in 0..<rows.count {
          let cell = a.cell(i, rows)
          out[i] = cell.isFailure ? cell.failureNumber : TruthCode(set.contains(cell))
        }
      }
    case .isInList(let a, let list): isIn(a, list, rows, out, base)
    case .text(let test, let a, let b):
      let a = operand(a, rows)
      let b = operand(b, rows)
      for i in 0..<rows.count {
        out[i] = Semantics.text(test, a.cell(i, rows), b.cell(i, rows), failing: base)
      }
    case .isPresent(let a):
      let a = operand(a, rows)
      for i in 0..<rows.count { out[i] = TruthCode(!a.cell(i, rows).isNull) }
    case .matches(let a, let pattern):
      let a = operand(a, rows)
      for i in 0..<rows.count {
        out[i] = Semantics.matches(a.cell(i, rows), pattern, failing: base)
      }
    case .general(let part, _, isTruth: true):
      for i in 0..<rows.count {
        out[i] = Semantics.truth(general(part, rows.base[i], base), failing: base)
      }
    case .constant, .column, .conditional, .arithmetic, .negate, .size, .convert, .datePart,
      .concatenate, .general:
      let a = operand(index, rows)
      for i in 0..<rows.count { out[i] = Semantics.truth(a.cell(i, rows), failing: base) }
    }
  }

  /// `&&` and `||`: each operand is computed only for the rows that none before it decided; of
  /// several errors the first stands.
  private mutating func logic(
    _ operands: [Program.Index], _ rows: Rows, _ out: UnsafeMutablePointer<TruthCode>,
    decides: TruthCode
  ) {
    guard let first = operands.first else {
      out.update(repeating: decides ^ 1, count: rows.count)
      return
    }
    truth(first, rows, out)
    guard operands.count > 1 else { return }
    let codes = scratch.codes(rows.count)
    let open = scratch.codes(rows.count)
    let positions = scratch.codes(rows.count)
    var count = 0
    for i in 0..<rows.count {
      open[count] = rows.base[i]
      positions[count] = UInt32(truncatingIfNeeded: i)
      if out[i] != decides { count += 1 }
    }
    for operand in operands.dropFirst() where count > 0 {
      truth(operand, Rows(base: open, count: count), codes)
      var kept = 0
      for i in 0..<count {
        let position = Int(positions[i])
        let code = codes[i]
        if code == decides {
          out[position] = decides
        } else {
          if code.isFailure, !out[position].isFailure { out[position] = code }
          open[kept] = open[i]
          positions[kept] = positions[i]
          kept += 1
        }
      }
      count = kept
    }
  }

  // MARK: - Comparing

  private mutating func equal(
    _ a: Program.Index, _ b: Program.Index, _ rows: Rows, _ out: UnsafeMutablePointer<TruthCode>,
    _ base: UInt32, _ isNegated: Bool
  ) {
    var a = operand(a, rows)
    var b = operand(b, rows)
    if a.layout == .constant { swap(&a, &b) }
    let flip: UInt32 = isNegated ? 1 : 0
    if b.layout == .constant, b.base.pointee.kind == .string {
      equal(a, toText: b.base.pointee, rows, out, flip)
      return
    }
    for i in 0..<rows.count {
      let code = Semantics.equal(a.cell(i, rows), b.cell(i, rows), failing: base)
      out[i] = code.isFailure ? code : code ^ flip
    }
  }

  /// The comparison that filters are mostly made of.
  private func equal(
    _ a: Operand, toText text: Cell, _ rows: Rows, _ out: UnsafeMutablePointer<TruthCode>,
    _ flip: UInt32
  ) {
    let length = text.length
    let string = CellKind.string.rawValue
    guard length > 0, let bytes = text.stringBytes.baseAddress else {
      for i in 0..<rows.count {
        let cell = a.cell(i, rows)
        let isEqual = cell.rawKind == string && cell.length == 0
        out[i] = cell.isFailure ? cell.failureNumber : TruthCode(isEqual) ^ flip
      }
      return
    }
    for i in 0..<rows.count {
      let cell = a.cell(i, rows)
      let isEqual =
        cell.rawKind == string && cell.length == length
        && isSame(cell.stringBytes, UnsafeBufferPointer(start: bytes, count: Int(length)))
      out[i] = cell.isFailure ? cell.failureNumber : TruthCode(isEqual) ^ flip
    }
  }

  private mutating func order(
    _ order: Program.Order, _ a: Program.Index, _ b: Program.Index, _ rows: Rows,
    _ out: UnsafeMutablePointer<TruthCode>, _ base: UInt32
  ) {
    let a = operand(a, rows)
    let b = operand(b, rows)
    for i in 0..<rows.count {
      out[i] = Semantics.order(order, a.cell(i, rows), b.cell(i, rows), failing: base)
    }
  }

  /// `in` a list whose elements depend on the record. A list with a failed element has failed.
  private mutating func isIn(
    _ needle: Program.Index, _ elements: [Program.Index], _ rows: Rows,
    _ out: UnsafeMutablePointer<TruthCode>, _ base: UInt32
  ) {
    let needle = operand(needle, rows)
    for i in 0..<rows.count {
      let cell = needle.cell(i, rows)
      out[i] = cell.isFailure ? cell.failureNumber : TruthCode.false
    }
    for element in elements {
      let mark = scratch.mark()
      let values = operand(element, rows)
      for i in 0..<rows.count where !out[i].isFailure {
        let value = values.cell(i, rows)
        if value.isFailure {
          out[i] = value.failureNumber
        } else {
          let code = Semantics.equal(needle.cell(i, rows), value, failing: base)
          if code == TruthCode.true || (code.isFailure && out[i] == TruthCode.false) {
            out[i] = code
          }
        }
      }
      scratch.release(mark)
    }
  }
}

/// Few bytes are copied faster one by one than by a call.
@inline(__always)
private func copy(
  _ from: UnsafePointer<UInt8>, _ count: Int, to: UnsafeMutablePointer<UInt8>
) {
  if count <= 4 {
    for at in 0..<count { to[at] = from[at] }
  } else {
    memcpy(to, from, count)
  }
}
