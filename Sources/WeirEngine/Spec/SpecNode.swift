/// A JSON value that remembers where it was written.
public struct SpecNode: Sendable {
  public enum Kind: Sendable {
    case null
    case bool(Bool)
    /// A literal without fraction and exponent.
    case int(Int64)
    case number(Double)
    case string(String)
    case array([SpecNode])
    /// Members in the order of the text; keys are unique (bytewise).
    case object([SpecMember])
  }

  public var kind: Kind
  /// The bytes of the value in `source`, quotes and brackets included.
  public var range: Range<Int>
  public var pointer: SpecPointer
  public var source: SpecSource
  /// Whether `kind` is what the text says; false where a parameter was filled in.
  public var isVerbatim = true

  public init(kind: Kind, range: Range<Int>, pointer: SpecPointer, source: SpecSource) {
    self.kind = kind
    self.range = range
    self.pointer = pointer
    self.source = source
  }

  public var string: String? { if case .string(let value) = kind { value } else { nil } }
  public var array: [SpecNode]? { if case .array(let value) = kind { value } else { nil } }
  public var object: [SpecMember]? { if case .object(let value) = kind { value } else { nil } }

  /// The member with these key bytes.
  public func member(_ key: String) -> SpecMember? {
    object?.first { $0.key.utf8.elementsEqual(key.utf8) }
  }

  /// What a message calls this value: `a string`, `an object`, ...
  public var kindText: String {
    switch kind {
    case .null: "null"
    case .bool: "a boolean"
    case .int: "an integer"
    case .number: "a number"
    case .string: "a string"
    case .array: "a list"
    case .object: "an object"
    }
  }
}

/// One `"key": value` of an object.
public struct SpecMember: Sendable {
  public var key: String
  /// The bytes of the key with its quotes.
  public var keyRange: Range<Int>
  public var value: SpecNode

  public init(key: String, keyRange: Range<Int>, value: SpecNode) {
    self.key = key
    self.keyRange = keyRange
    self.value = value
  }

  /// The key as a node of its own, to point at.
  public var keyNode: SpecNode {
    SpecNode(
      kind: .string(key), range: keyRange, pointer: value.pointer, source: value.source)
  }
}

/// A JSON pointer (RFC 6901), kept as a chain so that nodes share their common part.
public indirect enum SpecPointer: Sendable, CustomStringConvertible {
  case root
  case key(SpecPointer, String)
  case index(SpecPointer, Int)

  /// `/sources/decisions/paths/0`; the empty string is the whole text.
  public var description: String {
    var steps: [String] = []
    var pointer = self
    while true {
      switch pointer {
      case .root: return steps.reversed().map { "/" + $0 }.joined()
      case .index(let parent, let index):
        steps.append(String(index))
        pointer = parent
      case .key(let parent, let key):
        var step: [UInt8] = []
        for byte in key.utf8 {
          switch byte {
          case UInt8(ascii: "~"): step += [UInt8(ascii: "~"), UInt8(ascii: "0")]
          case UInt8(ascii: "/"): step += [UInt8(ascii: "~"), UInt8(ascii: "1")]
          default: step.append(byte)
          }
        }
        steps.append(String(decoding: step, as: UTF8.self))
        pointer = parent
      }
    }
  }
}
