import WeirData

/// Which parts columns compute: those whose operators and values are those of cells.
extension Tree {
  /// Whether a part can be an operand of a column's operation: it is one itself, or what it gives for
  /// each record fits a cell whatever it is.
  func isOperand(_ index: Index) -> Bool {
    let node = nodes[index]
    if node.isFlat { return true }
    guard node.variables == 0 else { return false }
    switch node.type.base {
    // A timestamp may be finer than a column's.
    case .bool, .int, .number, .string: return true
    default: return false
    }
  }

  func isFlat(_ index: Index) -> Bool {
    let node = nodes[index]
    guard node.variables == 0,
      node.kind.operands.allSatisfy({ isOperand($0) || isList($0, in: node) })
    else { return false }
    switch node.kind {
    case .constant(let value): return value.isCell
    case .failure, .field, .not, .all, .any, .conditional, .isPresent: return true
    case .negate(let a): return hasCells(a)
    case .binary(let operation, let a, let b): return isFlat(operation, a, b)
    case .call(let function, let operands): return isFlat(function, operands, index)
    case .variable, .select, .hasKey, .index, .list, .map, .loop, .bind, .withValue, .orElse:
      return false
    }
  }

  private func base(_ index: Index) -> ValueType.Base { nodes[index].type.base }
  private func hasCells(_ index: Index) -> Bool { base(index).isCell }

  /// The right side of `in`: a list whose elements are cells.
  private func isList(_ index: Index, in node: Node) -> Bool {
    guard case .binary(.isIn, _, index) = node.kind else { return false }
    return cellElements(index)
  }

  private func cellElements(_ index: Index) -> Bool {
    switch nodes[index].kind {
    case .constant(.list(let elements)): elements.allSatisfy(\.isCell)
    case .list(let elements):
      elements.allSatisfy { !$0.isOptional && isOperand($0.value) && hasCells($0.value) }
    default: false
    }
  }

  private func isFlat(_ operation: Syntax.Binary, _ a: Index, _ b: Index) -> Bool {
    switch operation {
    case .isIn: return hasCells(a) && cellElements(b)
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
      return hasCells(a) && hasCells(b)
    case .add, .subtract, .multiply, .divide, .remainder:
      // With two operands of any type they may be lists, and of one that is known they are not.
      let known: [ValueType.Base] = [.int, .number, .string]
      return hasCells(a) && hasCells(b) && (known.contains(base(a)) || known.contains(base(b)))
    }
  }

  private func isFlat(_ function: Function, _ operands: [Index], _ index: Index) -> Bool {
    guard operands.allSatisfy({ isOperand($0) }) else { return false }
    switch function {
    case .size: return base(operands[0]) == .string
    case .contains, .startsWith, .endsWith: return operands.allSatisfy(hasCells)
    case .matches: return hasCells(operands[0]) && patterns[index] != nil
    case .toDouble, .toInt: return base(operands[0]) == .int || base(operands[0]) == .number
    default:
      return DatePart(function) != nil && base(operands[0]) == .timestamp
        && nodes[operands[0]].isFlat && (operands.count == 1 || zones[index] != nil)
    }
  }
}

extension Value {
  /// Whether a cell can hold it.
  var isCell: Bool {
    switch self {
    case .null, .bool, .int, .number, .string: true
    case .timestamp(let instant): instant.microseconds != nil
    case .uint, .bytes, .duration, .list, .map, .type, .optional: false
    }
  }
}
