import WeirEngine
import WeirStatistics

/// Reads the state of an aggregation and throws at anything that was not written as one.
struct StateReader {
  private var reader: ByteReader

  init(_ bytes: some Collection<UInt8>) { reader = ByteReader(bytes) }

  var isAtEnd: Bool { reader.isAtEnd }

  mutating func byte() throws(RunError) -> UInt8 { try known(reader.byte()) }

  mutating func count() throws(RunError) -> UInt64 { try known(reader.varint()) }

  /// A count that is not more than `limit`.
  mutating func count(upTo limit: UInt64) throws(RunError) -> UInt64 {
    let value = try count()
    guard value <= limit else { throw .damagedState("a part counts more than its whole") }
    return value
  }

  mutating func integer<Value: FixedWidthInteger & BitwiseCopyable>(
    _ type: Value.Type
  ) throws(RunError) -> Value {
    try known(reader.integer(type))
  }

  mutating func block() throws(RunError) -> [UInt8] { try known(reader.block()) }

  /// The same without a copy.
  mutating func slice() throws(RunError) -> ArraySlice<UInt8> { try known(reader.slice()) }

  private func known<Value>(_ value: Value?) throws(RunError) -> Value {
    guard let value else { throw .damagedState("it ends too early, or a number in it is too long") }
    return value
  }
}

extension RunError {
  static func damagedState(_ reason: String) -> RunError {
    RunError(
      code: "damaged_partial", message: "the state of an aggregation is damaged: \(reason)",
      fix: "remove the workspace of the run and start it again")
  }
}
