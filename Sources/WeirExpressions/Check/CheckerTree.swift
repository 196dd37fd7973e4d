import WeirData

/// Adding parts to the tree, and computing those that are constant.
extension Checker {
  mutating func add(
    _ value: Value, _ type: ValueType, _ span: SourceSpan
  ) throws(ExpressionError) -> Tree.Index {
    try add(.constant(value), type, span)
  }

  mutating func add(
    _ kind: Tree.Kind, _ type: ValueType, _ span: SourceSpan
  ) throws(ExpressionError) -> Tree.Index {
    let index = tree.append(kind, isChecked ? type : ValueType(.any), span)
    try fold(index)
    return index
  }

  /// The same part once more, as another type.
  mutating func duplicate(
    _ node: Tree.Index, _ type: ValueType, _ span: SourceSpan
  ) throws(ExpressionError) -> Tree.Index {
    let index = tree.append(tree[node].kind, isChecked ? type : ValueType(.any), span)
    tree.patterns[index] = tree.patterns[node]
    tree.zones[index] = tree.zones[node]
    tree.settle(index)
    return index
  }

  /// Gives a node its value where that does not depend on a record.
  mutating func fold(_ index: Tree.Index) throws(ExpressionError) {
    switch tree[index].kind {
    case .constant, .failure, .field, .variable, .isPresent: return
    case .all(let operands) where !tree[index].isClosed:
      foldLogic(index, operands, decides: false)
      return
    case .any(let operands) where !tree[index].isClosed:
      foldLogic(index, operands, decides: true)
      return
    default: break
    }
    guard tree[index].isClosed else { return }
    do throws(Failed) {
      tree.become(index, .constant(try folder.value(index)))
    } catch {
      if error.number & 63 == FailureKind.budget.rawValue {
        throw ExpressionError(
          .limit,
          "the constant parts of the expression take more than \(ExpressionLimits.steps) steps",
          at: tree[index].span, fix: "write out the value, or put it into a parameter")
      }
      tree.become(index, .failure(error.number))
    }
  }

  /// `&&` (false decides) and `||` (true decides): a deciding constant decides whatever the others
  /// are, errors included; the other truth value falls away; an error stays, as another operand
  /// may still decide.
  private mutating func foldLogic(
    _ index: Tree.Index, _ operands: [Tree.Index], decides: Bool
  ) {
    var kept: [Tree.Index] = []
    for operand in operands {
      if case .bool(let value)? = tree.constant(operand) {
        if value == decides { return tree.become(index, .constant(.bool(value))) }
      } else {
        kept.append(operand)
      }
    }
    tree.become(index, decides ? .any(kept) : .all(kept))
  }
}
