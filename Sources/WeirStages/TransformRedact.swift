import WeirData
import WeirEngine

/// Hides values of fields.
public struct Redact: MapStage {
  public static let manual = StageManual(
    type: "redact", kind: .map,
    summary: "Hide values: replace them by pseudonyms, mask them, or take them out.",
    discussion: """
      `hash` makes a pseudonym of a value: the first hexadecimal digits of its HMAC-SHA-256. The same \
      value gets the same pseudonym in every field, every night and every workspace, so that tables can \
      still be joined, and anyone who has the key can make it elsewhere: in Python \
      `hmac.new(key, value.encode(), "sha256").hexdigest()[:32]`. An integer is hashed as its digits.

      The key is a *secret* or a *salt*. `"secret": "NAME"` reads it from the environment variable \
      `WEIR_SECRET_NAME` or from the file `NAME` in the folder `$WEIR_SECRETS`; it is never printed or \
      stored, and a run with another secret is another run. Make one with `openssl rand -hex 32` and keep \
      it: with another all pseudonyms change. Only runs need it. `weir test` always works with a fixed key \
      in its place, so that a test expects the same everywhere and holds nothing that the secret made; \
      `weir preview`, `weir explain` and `weir validate` do so, with a warning, where there is no \
      secret. `"salt": "TEXT"` stands in the spec: whoever reads the spec \
      can try names until one fits, so it keeps values out of sight, and does not protect them.

      `mask` shows `***` and the last characters (`keep_last`); of a value that has no more than these \
      nothing is shown. `"drop"` takes the field out, as the stage `drop` does.

      Null and absent stay what they are. Lines in the quarantine are as they came: who may read it may \
      see the values.
      """,
    accepts: [.records],
    outputs: [PortSpec(carries: .records, "The records with these values hidden.")],
    options: [
      OptionSpec(
        "fields", .map(.anyOf([.constant("drop"), .object(fieldOptions)])), .required,
        "What is done to each field.")
    ],
    example: """
      {
        "type": "redact",
        "inputs": ["clean"],
        "fields": {
          "moderator": {"hash": {"salt": "queue-report-2026", "length": 12}},
          "phone": {"mask": {"keep_last": 2}},
          "note": "drop"
        }
      }
      """,
    exampleFields: """
      {"event_id": "string", "moderator": "string", "phone": "string?", "note": "any?"}
      """,
    synonyms: [
      "hash", "mask", "pseudonymize", "anonymize", "anonymise", "scrub", "hide", "encrypt",
    ])

  private static let fieldOptions: [OptionSpec] = [
    OptionSpec(
      "hash",
      .object([
        OptionSpec("secret", .string, .optional, "The name of the secret that is the key."),
        OptionSpec("salt", .string, .optional, "The key itself, for all who read the spec to see."),
        OptionSpec("length", .int(8...64), .default("32"), "Hexadecimal digits of the pseudonym."),
      ]), .optional, "Replaces a value by a pseudonym."),
    OptionSpec(
      "mask",
      .object([
        OptionSpec("keep_last", .int(0...64), .default("4"), "Characters that stay visible.")
      ]), .optional, "Replaces a value by `***` and its last characters."),
  ]

  private enum Work {
    case drop
    case hash(secret: OptionValue?, salt: String, length: Int)
    case mask(Int)
  }
  private struct Field {
    var path: FieldPath
    var node: SpecNode
    var work: Work
  }
  private let fields: [Field]

  public init?(_ options: Options, _ problems: inout Problems) {
    let before = problems.errorCount
    var fields: [Field] = []
    for entry in options.map("fields") {
      guard
        let path = entry.keyPath(
          fix: "write a name, with dots between where it lies in an object: \"user.name\"",
          &problems)
      else { continue }
      guard case .object(let work) = entry.value.content else {
        fields.append(Field(path: path, node: entry.keyNode, work: .drop))
        continue
      }
      let (hash, mask) = (work["hash"]?.object, work["mask"]?.object)
      guard (hash == nil) != (mask == nil) else {
        problems.add(
          "hash_or_mask", at: work.node, "it is not plain what is done to `\(path.text)`",
          expected: "one of \"hash\" and \"mask\", or \"drop\"",
          fix: "{\"hash\": {\"secret\": \"pseudonyms\"}}")
        continue
      }
      if let hash {
        let (secret, salt) = (hash["secret"], hash["salt"]?.string)
        if (secret == nil) == (salt == nil) {
          problems.add(
            "secret_or_salt", at: hash.node,
            secret == nil
              ? "a hash needs a key, and has none" : "a hash has one key, and here are two",
            expected:
              "\"secret\", the name of one that is kept outside of the spec, or \"salt\", the key itself",
            fix: secret == nil
              ? "write \"secret\": \"pseudonyms\" into it; the secret itself is read from the environment variable WEIR_SECRET_PSEUDONYMS"
              : "remove \"salt\"")
          continue
        }
        if let salt, salt.utf8.isEmpty {
          problems.add(
            "empty_salt", at: hash.node("salt"), "an empty salt is none",
            fix: "write some words, or name a \"secret\"")
          continue
        }
        fields.append(
          Field(
            path: path, node: entry.keyNode,
            work: .hash(secret: secret, salt: salt ?? "", length: hash.int("length"))))
      } else if let mask {
        fields.append(Field(path: path, node: entry.keyNode, work: .mask(mask.int("keep_last"))))
      }
    }
    if fields.isEmpty, problems.errorCount == before {
      problems.add(
        "nothing_to_do", at: options.node("fields"), "\"fields\" names no field",
        fix: "\"fields\": {\"moderator\": {\"hash\": {\"secret\": \"pseudonyms\"}}}")
    }
    self.fields = fields
    if problems.errorCount > before { return nil }
  }

  public func bind(
    _ scope: inout Scope, _ context: BindContext, _ problems: inout Problems
  ) -> (any BoundMap)? {
    let before = scope
    let errors = problems.errorCount
    var bound: [BoundRedact.Field] = []
    for field in fields {
      guard let found = before.require(field.path, at: field.node, &problems),
        before.isAlone(field.path, at: field.node, &problems)
      else { continue }
      var work: BoundRedact.Work
      switch field.work {
      case .drop:
        scope.drop(field.path)
        continue
      case .mask(let count): work = .mask(count)
      case .hash(let secret, let salt, let length):
        var key = Array(salt.utf8)
        if let secret {
          guard let bytes = context.secret(secret.string, at: secret.node, &problems) else {
            continue
          }
          key = bytes
        }
        work = .hash(key: key, length: length)
      }
      guard [.string, .int, .any].contains(found.type.base) else {
        problems.add(
          "wrong_field_type", at: field.node,
          "`\(field.path.text)` is of type \(found.type.text), and only text and integers can be hidden",
          expected: "a field of type string, int or any",
          fix: "write \(quoted(field.path.text)): \"drop\", which takes the field out")
        continue
      }
      let type = FieldType(.string, nullable: found.type.isNullable)
      bound.append(
        BoundRedact.Field(
          path: field.path, from: found.column, to: scope.define(field.path, type), work: work))
    }
    return problems.errorCount == errors ? BoundRedact(fields: bound) : nil
  }
}

private struct BoundRedact: BoundMap {
  enum Work: Sendable {
    case hash(key: [UInt8], length: Int)
    case mask(Int)
  }
  struct Field: Sendable {
    var path: FieldPath
    var from: Int
    var to: Int
    var work: Work
  }
  let fields: [Field]

  var columnsRead: [Int] { fields.map(\.from) }
  var filters: Bool { false }
  func makeWorker() -> any MapWorker { RedactWorker(fields) }
}

private final class RedactWorker: MapWorker {
  private let columns: [RedactedColumn]

  init(_ fields: [BoundRedact.Field]) { columns = fields.map { RedactedColumn($0) } }

  func apply(
    _ batch: inout Batch, _ selection: inout Selection, _ refusals: inout [Refusal]
  ) -> Int {
    for column in columns { column.apply(&batch, &selection, &refusals) }
    return 0
  }
}

/// Fills one column. What was made of a value is remembered by its code, or by its bytes.
private final class RedactedColumn {
  private let field: BoundRedact.Field
  private let hasher: HMACSHA256?
  private let memory = TextMemory<Void>()
  private var byCode = CodeMemory(unknown: Cell.missing)

  init(_ field: BoundRedact.Field) {
    self.field = field
    if case .hash(let key, _) = field.work { hasher = HMACSHA256(key: key) } else { hasher = nil }
  }

  func apply(
    _ batch: inout Batch, _ selection: inout Selection, _ refusals: inout [Refusal]
  ) {
    let from = batch.column(field.from)
    let to = batch.column(field.to)
    let count = selection.count
    var kept = 0
    byCode.withValues(of: batch.codes(ofColumn: field.from)) { byCode in
      for i in 0..<count {
        let row = Int(selection.rows[i])
        let cell = from[row]
        let code = Int(cell.code)
        if code > 0, byCode[code].code > 0 {
          to[row] = byCode[code]
        } else if cell.isNull {
          to[row] = cell
        } else if cell.kind == .string {
          to[row] = outcome(of: cell.stringBytes, in: &batch)
          // What lies in the memory of this batch is not for the next.
          if code > 0, to[row].code > 0 { byCode[code] = to[row] }
        } else if cell.kind == .int {
          let text = Array(String(cell.intValue).utf8)
          to[row] = text.withUnsafeBufferPointer { outcome(of: $0, in: &batch) }
        } else {
          refusals.append(
            Refusal(
              row: row, of: batch, code: "wrong_type", field: field.path,
              message: "`\(field.path.text)` is neither text nor an integer, and cannot be hidden"))
          continue
        }
        selection.rows[kept] = UInt32(row)
        kept += 1
      }
    }
    selection.rows.removeLast(count - kept)
    batch.setCodes(memory.codes, ofColumn: field.to)
  }

  private func outcome(of value: UnsafeBufferPointer<UInt8>, in batch: inout Batch) -> Cell {
    if let known = memory.outcome(of: value) { return known.cell }
    return hidden(value).withUnsafeBufferPointer {
      memory.remember($0, (), of: value, in: &batch).cell
    }
  }

  private func hidden(_ value: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    switch field.work {
    case .hash(_, let length):
      return Array(hexText(hasher!.digest(value)).utf8.prefix(length))
    case .mask(let keep):
      // Characters are Unicode scalars, from the end.
      var start = value.count
      var left = keep
      while left > 0, start > 0 {
        start -= 1
        if value[start] & 0xC0 != 0x80 { left -= 1 }
      }
      return Array("***".utf8) + (start > 0 ? Array(value[start...]) : [])
    }
  }
}
