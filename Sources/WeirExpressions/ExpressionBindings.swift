import WeirData

/// Values by name that an expression can be computed with on its own, away from any batch.
public struct ExpressionBindings: Sendable {
  /// Why a text is no bindings.
  public struct Mistake: Error, Sendable {
    /// One sentence without a full stop.
    public var message: String
  }

  private let names: [[UInt8]]
  private let values: [Value]

  /// No names at all.
  public init() {
    names = []
    values = []
  }

  /// - Parameter json: an object: each of its keys is a name. Whole numbers are ints, others numbers;
  ///   objects and arrays are maps and lists.
  public init(json: [UInt8]) throws(Mistake) {
    if let reason = ExpressionBindings.mistake(json) { throw Mistake(message: reason) }
    let read: Value
    do throws(FailureKind) {
      read = try ExpressionBindings.read(json)
    } catch { throw Mistake(message: error.phrase) }
    guard case .map(let map) = read else {
      throw Mistake(message: "the bindings are not a JSON object: {\"name\": value, ...}")
    }
    names = map.entries.map { if case .string(let name) = $0.key { name } else { [] } }
    values = map.entries.map(\.value)
  }

  private static func read(_ json: [UInt8]) throws(FailureKind) -> Value {
    var result: Result<Value, FailureKind> = .failure(.jsonText)
    json.withUnsafeBufferPointer { bytes in
      do throws(FailureKind) { result = .success(try .reading(json: bytes)) } catch {
        result = .failure(error)
      }
    }
    return try result.get()
  }

  private static func mistake(_ json: [UInt8]) -> String? {
    json.withUnsafeBufferPointer { bytes in
      var tokens = JSONTokens(bytes)
      do throws(JSONError) {
        while try tokens.next() != nil {}
        return nil
      } catch { return "the bindings are not JSON at byte \(error.offset + 1): \(error.message)" }
    }
  }

  /// The value of an expression as JSON text: bytes are base64, times RFC 3339, durations seconds as
  /// `90s`, types their names, an empty optional null, and numbers that JSON does not have text.
  ///
  /// - Throws: why it was refused, or has no value.
  public func evaluate(_ source: String) throws(ExpressionError) -> [UInt8] {
    let fields = zip(names, values).enumerated().map { index, pair in
      ExpressionScope.Field(
        path: FieldPath(components: [pair.0]), type: ValueType(pair.1.fieldBase).fieldType,
        column: index)
    }
    let tree = try CompiledExpression.tree(source, scope: ExpressionScope(fields: fields))
    let records = RecordEvaluator(tree)
    records.begin(fields: tree.fields.map { values[$0.column] })
    var number: UInt32
    do throws(Failed) {
      let value = try records.value(tree.root, ofRow: 0)
      do throws(FailureKind) {
        var json: [UInt8] = []
        try value.appendJSON(to: &json, isExact: false)
        return json
      } catch { number = records.fail(error, tree.root).number }
    } catch { number = error.number }
    let failure = tree.failure(number)
    throw ExpressionError(.failed, failure.message, at: failure.span)
  }
}

extension Value {
  /// The type of a field that holds it.
  fileprivate var fieldBase: ValueType.Base { isCell ? staticType : .any }
}
