import WeirData

/// Gives the strings of batches dictionary codes, as a source may; no result may depend on them.
///
/// Must live as long as what takes the batches.
public final class CodedColumns {
  public enum Mode: Sendable, CaseIterable {
    case none
    case all
    /// About every third string stays without a code.
    case some
    /// One of three spaces, another with each batch.
    case severalSpaces
    /// Only some of the columns of a batch have codes.
    case someColumns
  }
  private let mode: Mode
  private var random: SeededRandom
  private var spaces: [Int: [(space: UInt32, strings: ByteDictionary)]] = [:]

  public init(_ mode: Mode, seed: UInt64 = 1) {
    self.mode = mode
    random = SeededRandom(seed: seed)
  }

  /// Gives codes to the string cells of some columns, which get other addresses with that.
  public func encode(_ batch: borrowing Batch, columns: some Sequence<Int>) {
    for column in columns { removeCodes(of: batch, column) }
    guard mode != .none else { return }
    for column in columns where mode != .someColumns || random.oneIn(2) {
      if spaces[column] == nil {
        spaces[column] = (0..<3).map { _ in (ColumnCodes.makeSpace(), ByteDictionary()) }
      }
      let (space, strings) = spaces[column]![mode == .severalSpaces ? random.below(3) : 0]
      let cells = batch.column(column)
      for row in 0..<batch.rowCount where cells[row].kind == .string {
        if mode == .some, random.oneIn(3) { continue }
        let code = strings.code(of: cells[row].stringBytes)
        guard code < Int(UInt16.max) else { continue }
        cells[row] = .string(strings.bytes(of: code))
        cells[row].code = UInt16(code + 1)
      }
      let largest = UInt16(clamping: strings.count)
      batch.setCodes(ColumnCodes(space: space, largest: largest), ofColumn: column)
    }
  }

  /// Takes away what the scanner gave.
  private func removeCodes(of batch: borrowing Batch, _ column: Int) {
    let cells = batch.column(column)
    for row in 0..<batch.rowCount { cells[row].code = 0 }
    batch.setCodes(.none, ofColumn: column)
  }
}
